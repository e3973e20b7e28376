import type { Clock, Database } from '@dialhook/engine';
import { countCall } from '../../accounts/store/call-windows.ts';

/** contracts/dialnexa.md 1, rate limits: calls of one key in one window, over all nodes. */
export const DIALNEXA_RATE = {
  /** Calls of one API key in one window. */
  callsPerWindow: 150,
  /** The window. */
  callWindowMs: 60_000,
  /** Keys over their limit that a node refuses without asking the database; beyond it they are asked for again. */
  rememberedKeys: 50_000,
} as const;

export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** Unix seconds at which the window ends. */
  readonly reset: number;
  readonly isExceeded: boolean;
}

/** A fixed window for each key, in the database: what the headers say is true on every node. */
export class RateLimit {
  readonly #database: Database;
  readonly #clock: Clock;
  /** When the windows end that have no calls left: whoever goes on calling costs no statements. */
  readonly #exceeded = new Map<string, number>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async take(keyId: string): Promise<RateState> {
    const now = this.#clock.now();
    const known = this.#exceeded.get(keyId);
    if (known !== undefined && known > now) return state(0, known, true);
    this.#exceeded.delete(keyId);
    const { callsPerWindow: limit, callWindowMs, rememberedKeys } = DIALNEXA_RATE;
    const { calls, endsAt } = await countCall(this.#database, keyId, new Date(now), new Date(now + callWindowMs));
    const isExceeded = calls > limit;
    if (isExceeded) {
      if (this.#exceeded.size >= rememberedKeys) this.#exceeded.clear();
      this.#exceeded.set(keyId, endsAt.getTime());
    }
    return state(Math.max(0, limit - calls), endsAt.getTime(), isExceeded);
  }
}

function state(remaining: number, endsAt: number, isExceeded: boolean): RateState {
  return { limit: DIALNEXA_RATE.callsPerWindow, remaining, reset: Math.ceil(endsAt / 1000), isExceeded };
}
