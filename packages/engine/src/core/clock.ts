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
