import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Reaper } from './reaper.ts';
import { now, sleep, type Trouble, type Troubles } from './troubles.ts';

const MAIN = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
const PRELOAD = new URL('preload.ts', import.meta.url).href;
const READY_POLL_MS = 50;
const PROBE_TIMEOUT_MS = 1_000;
/** A node that ends by itself, such as while the database is away, is started again after this time. */
const RESTART_MS = 500;
/** Longer than a stopping node waits for its requests in flight. */
const STOP_TIMEOUT_MS = 20_000;
const OUTPUT_CHARACTERS = 8_000;

export interface NodeOptions {
  readonly index: number;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Holds the milliseconds that the node's clock is ahead. */
  readonly clockFile: string;
  readonly reaper: Reaper;
  readonly troubles: Troubles;
}

/** An end that nobody asked for. */
export interface UnaskedEnd {
  readonly node: number;
  readonly at: number;
  readonly code: number | null;
  /** Whether the database was away at the time: a node that cannot start without it is in its rights. */
  readonly databaseAway: boolean;
  readonly output: string;
}

/** One `dialhook serve`, kept running: what ends by itself is started again. */
export class ChaosNode {
  readonly index: number;
  readonly url: string;
  readonly ends: UnaskedEnd[] = [];
  /** What each of its processes said last, oldest first. */
  readonly outputs: string[] = [];
  readonly #options: NodeOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  #asked = false;
  #closed = false;
  #suspended = false;
  #output = '';
  /** Kills that last until a new process speaks: what the killed one sent may reach a busy receiver seconds later. */
  #kills: Trouble[] = [];

  constructor(options: NodeOptions) {
    this.#options = options;
    this.index = options.index;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  start(): void {
    const { clockFile, env, index, reaper, troubles } = this.#options;
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', `--import=${PRELOAD}`, MAIN, 'serve'], {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, DIALHOOK_PROCESSES: '1', ...env, CHAOS_CLOCK_FILE: clockFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    reaper.watch(child);
    this.#child = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS)));
    child.stdout.once('data', () => {
      for (const kill of this.#kills) kill.end = now();
      this.#kills = [];
    });
    this.#asked = false;
    this.#exited = once(child, 'close').then(async ([code]: unknown[]) => {
      this.outputs.push(this.#output);
      if (this.#asked) return;
      troubles.moment(index, 'ended');
      const databaseAway = troubles.isDatabaseAway(index, STOP_TIMEOUT_MS);
      this.ends.push({ node: index, at: now(), code: code as number | null, databaseAway, output: this.#output });
      await sleep(RESTART_MS);
      if (!this.#closed && !this.#asked) this.start(); // whoever killed it meanwhile starts it
    });
  }

  async isReady(): Promise<boolean> {
    return (await this.#probe('/readyz')) ?? false;
  }

  /** Resolves when it is ready, or after so long. */
  async ready(timeoutMs: number): Promise<boolean> {
    const deadline = now() + timeoutMs;
    while (now() < deadline) {
      if (await this.isReady()) return true;
      if (this.ends.some(({ databaseAway }) => !databaseAway)) return false;
      await sleep(READY_POLL_MS);
    }
    return false;
  }

  /** SIGKILL, and a new start at once. */
  async kill(): Promise<void> {
    this.#suspended = false;
    await this.#end('kill');
    this.start();
  }

  /** SIGTERM, and a new start when it has ended; one that does not end is killed. */
  async restart(): Promise<void> {
    const child = this.#child!;
    this.#asked = true;
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.#kills.push(this.#options.troubles.begin(this.index, 'kill'));
      child.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
    this.#options.troubles.moment(this.index, 'stop');
    if (!this.#closed) this.start();
  }

  /** SIGSTOP for so long. */
  async suspend(ms: number): Promise<void> {
    const { troubles } = this.#options;
    const child = this.#child!;
    this.#suspended = true;
    const trouble = troubles.begin(this.index, 'suspend');
    child.kill('SIGSTOP');
    const end = now() + ms;
    while (now() < end && this.#suspended && !this.#closed) await sleep(READY_POLL_MS);
    child.kill('SIGCONT');
    // On a busy machine it is some time until it really goes on: then it answers, whatever it says.
    while (this.#suspended && !this.#closed && child.exitCode === null && (await this.#probe('/healthz')) === null)
      await sleep(READY_POLL_MS);
    trouble.end = now();
    this.#suspended = false;
  }

  setClock(offsetMs: number): void {
    writeFileSync(this.#options.clockFile, String(Math.round(offsetMs)));
  }

  /** For good. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end(null);
  }

  /** Whether it says that all is well; null when it says nothing. */
  async #probe(path: string): Promise<boolean | null> {
    const answer = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(() => null);
    await answer?.arrayBuffer().catch(() => null);
    return answer?.ok ?? null;
  }

  async #end(kind: 'kill' | null): Promise<void> {
    this.#asked = true;
    if (kind !== null) this.#kills.push(this.#options.troubles.begin(this.index, kind));
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }
}
