import type { Clock } from '../core/clock.ts';

/** Times that are remembered; those beyond are covered by the interval. */
const MAX_TIMES = 512;
/** Times closer together than this are one. */
const GRAIN_MS = 10;

export interface AlarmOptions {
  readonly clock: Clock;
  /** The longest that the work is left undone. */
  readonly intervalMs: number;
  /** True when there is more to do at once. Must not reject. */
  readonly work: () => Promise<boolean>;
}

/** Runs work at known times, and at an interval for what nobody announced; never twice at once. */
export class Alarm {
  readonly #options: AlarmOptions;
  /** Sorted, soonest first. */
  #times: number[] = [];
  #cancel: (() => void) | null = null;
  #armedFor = Infinity;
  #running: Promise<void> | null = null;
  #stopped = true;

  constructor(options: AlarmOptions) {
    this.#options = options;
  }

  /** The first run is at once. */
  start(): void {
    this.#stopped = false;
    this.at(this.#options.clock.now());
  }

  /** Makes sure that the work is done at this time (Unix ms). */
  at(time: number): void {
    if (this.#stopped) return;
    const rounded = Math.ceil(time / GRAIN_MS) * GRAIN_MS;
    if (!this.#times.includes(rounded)) {
      const index = this.#times.findIndex((other) => other > rounded);
      this.#times.splice(index === -1 ? this.#times.length : index, 0, rounded);
      if (this.#times.length > MAX_TIMES) this.#times.pop();
    }
    if (this.#running === null) this.#arm();
  }

  /** Resolves when the work that is being done is over; nothing runs after that. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  #arm(): void {
    const next = this.#times[0];
    if (this.#stopped || next === undefined || next >= this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = next;
    this.#cancel = this.#options.clock.after(Math.max(0, next - this.#options.clock.now()), () => {
      this.#armedFor = Infinity;
      this.#running = this.#run().finally(() => {
        this.#running = null;
        this.#arm();
      });
    });
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, work } = this.#options;
    const now = clock.now();
    this.#times = this.#times.filter((time) => time > now);
    const more = await work();
    this.at(more ? clock.now() : clock.now() + intervalMs);
  }
}
