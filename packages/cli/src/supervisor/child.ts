import cluster, { type Worker } from 'node:cluster';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { closeWhatWasHanded } from './handed.ts';
import { PROCESS_LIMITS } from './limits.ts';
import type { FromProcess, ToProcess } from './protocol.ts';

/** How a process ended. */
export interface Ending {
  readonly pid: number | undefined;
  /** Of a signal it is 128 and the signal's number, as shells have it. */
  readonly code: number;
  /** Milliseconds since it was ready; null when it never was. */
  readonly readyMs: number | null;
  /** What it said of the reason, for people. */
  readonly message: string | null;
  readonly isPassing: boolean;
}

export interface ChildEvents {
  /** Everything that is not about its life. */
  readonly onMessage: (message: FromProcess) => void;
  /** After its last message. */
  readonly onEnd: (ending: Ending) => void;
}

/** A server process, as the supervisor sees it. */
export class Child {
  /** Where it listens; rejects when it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<Ending>;
  readonly #worker: Worker;
  #readyAt: number | null = null;
  #failure: { readonly message: string; readonly isPassing: boolean } | null = null;
  #isAsked = false;
  #isGone = false;

  /** Starts one; `count` is how many there are to be. */
  constructor(count: number, events: ChildEvents) {
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('./process.ts', import.meta.url)),
      args: [],
      // Numbers that JSON does not know, such as those of a gauge without a value.
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#worker = cluster.fork({ DIALHOOK_PROCESSES: String(count) });
    closeWhatWasHanded(this.#worker.process);
    const { promise: ready, reject, resolve } = Promise.withResolvers<string>();
    this.ready = ready;
    ready.catch(() => {}); // nobody may be waiting
    this.#worker.on('message', (message: FromProcess) => {
      if (message.type === 'failed') this.#failure = message;
      else if (message.type !== 'ready') events.onMessage(message);
      else {
        this.#readyAt = performance.now();
        resolve(message.url);
      }
    });
    this.ended = this.#end();
    void this.ended.then((ending) => {
      this.#isGone = true;
      reject(new Error(ending.message ?? `a process ended with code ${ending.code} before it was ready`));
      events.onEnd(ending);
    });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  get isReady(): boolean {
    return this.#readyAt !== null && !this.#isGone;
  }

  /** It was told to end: its end is nothing to wonder about. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  tell(message: ToProcess): void {
    // One that is just ending does not hear it, which its end says soon enough.
    this.#worker.send(message, undefined, () => {});
  }

  /** Tells it to end, and kills it when it has not done so in time. */
  async end(type: 'stop' | 'leave'): Promise<Ending> {
    this.#isAsked = true;
    this.tell({ type });
    const timer = setTimeout(() => this.kill(), PROCESS_LIMITS.stopMs);
    const ending = await this.ended;
    clearTimeout(timer);
    return ending;
  }

  kill(): void {
    this.#isAsked = true;
    this.#worker.process.kill('SIGKILL');
  }

  async #end(): Promise<Ending> {
    const worker = this.#worker;
    const closed = new Promise<void>((resolve) => worker.process.once('disconnect', resolve));
    const code = await new Promise<number>((resolve) => {
      worker.process.once('exit', (exit, signal) =>
        resolve(signal === null ? (exit ?? 1) : 128 + constants.signals[signal as NodeJS.Signals]),
      );
      // It could not be started, such as for want of memory, or a message did not reach it.
      worker.on('error', (error: Error) => {
        if (this.pid !== undefined) return;
        this.#failure = { message: error.message, isPassing: false };
        resolve(1);
      });
    });
    if (this.pid !== undefined) await closed; // with its last messages
    const readyMs = this.#readyAt === null ? null : performance.now() - this.#readyAt;
    return { pid: this.pid, code, readyMs, message: this.#failure?.message ?? null, isPassing: this.#failure?.isPassing ?? false };
  }
}
