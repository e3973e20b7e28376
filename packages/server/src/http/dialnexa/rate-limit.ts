import type { Clock } from '@dialhook/engine';

/** contracts/dialnexa.md 1, rate limits: calls of one key in one window. Counted by each node for itself. */
export const DIALNEXA_RATE = {
  /** Calls of one API key in one window. */
  callsPerWindow: 150,
  /** The window. */
  callWindowMs: 60_000,
  /** Keys that a node remembers; beyond it the windows begin anew. */
  rememberedKeys: 50_000,
} as const;

export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** Unix seconds at which the window ends. */
  readonly reset: number;
  readonly isExceeded: boolean;
}

/** A fixed window for each key. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #windows = new Map<string, { readonly endsAt: number; count: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(keyId: string): RateState {
    const now = this.#clock.now();
    let window = this.#windows.get(keyId);
    if (window === undefined || window.endsAt <= now) {
      if (this.#windows.size >= DIALNEXA_RATE.rememberedKeys) this.#windows.clear();
      window = { endsAt: now + DIALNEXA_RATE.callWindowMs, count: 0 };
      this.#windows.set(keyId, window);
    }
    window.count += 1;
    const limit = DIALNEXA_RATE.callsPerWindow;
    return {
      limit,
      remaining: Math.max(0, limit - window.count),
      reset: Math.ceil(window.endsAt / 1000),
      isExceeded: window.count > limit,
    };
  }
}
