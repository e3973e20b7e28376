import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const MAIN = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;

/** `dialhook` as a process of its own, to be killed; with `DIALHOOK_PROCESSES` in its environment it has others below it. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    this.#exited = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString('utf8')).slice(-20_000)));
  }

  /** Starts `dialhook <command>` and waits until it is ready. `env` must name the port. */
  static async start(env: Record<string, string>, command = 'serve'): Promise<ServerProcess> {
    const child = spawn(process.execPath, [MAIN, command], {
      env: { ...process.env, DIALHOOK_PROCESSES: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess(child, `http://127.0.0.1:${env.PORT}`);
    await eventually(
      'the server is ready',
      async () => {
        if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}: ${server.#output}`);
        return (await fetch(`${server.url}/readyz`).catch(() => null))?.ok ?? false;
      },
      START_TIMEOUT_MS,
    );
    return server;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get output(): string {
    return this.#output;
  }

  /** The exit code, when it has ended by itself or by a signal. */
  get exited(): Promise<number | null> {
    return this.#exited.then(() => this.#child.exitCode);
  }

  /** SIGKILL: no chance to clean up. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    await this.#exited;
    return this.#child.exitCode;
  }
}
