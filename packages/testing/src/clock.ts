import type { Clock } from '@dialhook/engine';

/** A clock that tests move by hand: retries that take hours happen at once, and in order. */
export class FakeClock implements Clock {
  #now: number;
  /** What the system's time is ahead of the time that passed. */
  #offset = 0;
  #timers: { at: number; effect: () => void }[] = [];

  constructor(now = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now + this.#offset;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Sets the system's time forward or back, as an administrator or a time server does: no time passes. */
  step(ms: number): void {
    this.#offset += ms;
  }

  after(delayMs: number, effect: () => void): () => void {
    const timer = { at: this.#now + delayMs, effect };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves time forward and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.effect();
    }
    this.#now = end;
  }
}
