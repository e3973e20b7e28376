import { keepIdsAfter } from './ids.ts';

/** Time as the engine sees it. Tests hand in a clock that they move; nothing else may read the system's. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds that only grow, whatever is done to the system's time: for leases, pauses and rates. */
  monotonic(): number;
  /** Calls `effect` once after `delayMs`; returns the cancel. */
  after(delayMs: number, effect: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(delayMs, effect) {
    const timer = setTimeout(effect, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A correction backward of less than this is waited for: the time stands still meanwhile. A larger one is followed. */
const HELD_MS = 5_000;

/**
 * The database's time at the last heartbeat plus the monotonic time since: the same on every node, whatever is done to
 * the system's time. Before the first heartbeat it is the system's.
 */
export class CorrectedClock implements Clock {
  readonly #system: Clock;
  /** What is added to the monotonic time; null before the first correction. */
  #offset: number | null = null;
  #last = -Infinity;

  constructor(system: Clock = systemClock) {
    this.#system = system;
  }

  now(): number {
    const exact = this.#offset === null ? this.#system.now() : this.#system.monotonic() + this.#offset;
    const now = Math.floor(exact);
    if (now >= this.#last) return (this.#last = now);
    if (this.#last - now <= HELD_MS) return this.#last;
    keepIdsAfter(this.#last);
    return (this.#last = now);
  }

  monotonic(): number {
    return this.#system.monotonic();
  }

  after(delayMs: number, effect: () => void): () => void {
    return this.#system.after(delayMs, effect);
  }

  /** How far the system's time is ahead of this one. */
  get systemAheadMs(): number {
    return this.#offset === null ? 0 : this.#system.now() - (this.#system.monotonic() + this.#offset);
  }

  /** The system's own time, to notice that it leapt. */
  get systemTime(): number {
    return this.#system.now();
  }

  /**
   * The database said that it is `time` (Unix ms) somewhen between two moments of the monotonic clock. The correction
   * is the smallest one that agrees with that, so that the time of an answer's way does not make the clock tremble.
   */
  correct(time: number, sentAt: number, receivedAt: number): void {
    const least = time - receivedAt;
    const most = time - sentAt;
    if (this.#offset === null) this.#last = -Infinity; // what the system said before binds nobody
    this.#offset = this.#offset === null ? (least + most) / 2 : Math.min(most, Math.max(least, this.#offset));
  }
}
