import type { Clock } from '../core/clock.ts';

/** Times that are remembered; those beyond are covered by the interval. */
const MAX_TIMES = 512;
/** Times closer together than this are one. */
const GRAIN_MS = 10;

export interface AlarmOptions {
  readonly clock: Clock;
  /** The longest that the work is left undone. Absent: the agenda says when there is something to do. */
  readonly intervalMs?: number | undefined;
  /** True when there is more to do at once. Must not reject. */
  readonly work: () => Promise<boolean>;
}

/** Runs work at known times, and at an interval (or when the agenda says so) for what nobody announced; never twice at once. */
export class Alarm {
  readonly #options: AlarmOptions;
  /** Sorted, soonest first. */
  #times: number[] = [];
  /** Counted from the last run: a run that was announced makes the one at the interval later, and not one more. */
  #intervalEnd = Infinity;
  #cancel: (() => void) | null = null;
  #armedFor = Infinity;
  #running: Promise<void> | null = null;
  #stopped = true;

  constructor(options: AlarmOptions) {
    this.#options = options;
  }

  get isStarted(): boolean {
    return !this.#stopped;
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
    this.#arm();
  }

  /** Does the work now, or once more when it is just being done. */
  now(): void {
    if (this.#stopped) return;
    if (this.#running === null) this.#begin(this.#options.clock.now());
    else this.at(this.#options.clock.now());
  }

  /** Resolves when the work that is being done is over; nothing runs after that. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  #arm(): void {
    const next = Math.min(this.#times[0] ?? Infinity, this.#intervalEnd);
    if (this.#stopped || this.#running !== null || next >= this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = next;
    this.#cancel = this.#options.clock.after(Math.max(0, next - this.#options.clock.now()), () => {
      this.#armedFor = Infinity;
      this.#begin(next);
    });
  }

  /** For what is due up to `until`: a timer may come a moment before its time. */
  #begin(until: number): void {
    if (this.#running !== null) return; // its end arms again, for what has come meanwhile
    this.#running = this.#run(until).finally(() => {
      this.#running = null;
      this.#arm();
    });
  }

  async #run(until: number): Promise<void> {
    const { clock, intervalMs, work } = this.#options;
    const begin = Math.max(until, clock.now());
    this.#times = this.#times.filter((time) => time > begin);
    this.#intervalEnd = Infinity;
    const more = await work();
    if (more) this.at(clock.now());
    else if (intervalMs !== undefined) this.#intervalEnd = clock.now() + intervalMs;
  }
}
