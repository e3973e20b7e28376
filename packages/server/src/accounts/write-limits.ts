import type { Clock, Database } from '@dialhook/engine';
import type { Caller } from './model.ts';
import { countWrites, insertWrite } from './store/api-writes.ts';

/** contracts/optimaldial.md 4: writes in a sliding minute, per key and per organization. */
export const WRITE_LIMITS = { windowMs: 60_000, perKey: 60, perOrganization: 600 } as const;

export interface LimitHit {
  readonly limit: number;
  readonly observed: number;
  /** At least 1. */
  readonly retryAfterSeconds: number;
}

/** Counts writes in the database, so that the limits hold over all nodes. */
export class WriteLimits {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Counts one write of the caller, or says which limit it would exceed; a refused write does not count. */
  take(caller: Caller): Promise<LimitHit | null> {
    const now = this.#clock.now();
    const { windowMs, perKey, perOrganization } = WRITE_LIMITS;
    return this.#database.transaction(async (tx) => {
      const counts = await countWrites(tx, caller.organizationId, caller.keyId, new Date(now - windowMs));
      if (counts.key >= perKey) return hit(perKey, counts.key, counts.keyOldest, now);
      if (counts.organization >= perOrganization) return hit(perOrganization, counts.organization, counts.organizationOldest, now);
      await insertWrite(tx, caller.organizationId, caller.keyId, new Date(now));
      return null;
    });
  }
}

function hit(limit: number, count: number, oldest: Date | null, now: number): LimitHit {
  const freeAt = (oldest?.getTime() ?? now) + WRITE_LIMITS.windowMs;
  return { limit, observed: count + 1, retryAfterSeconds: Math.max(1, Math.ceil((freeAt - now) / 1000)) };
}
