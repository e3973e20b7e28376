import type { Dialect } from './core/dialect.ts';
import { EngineError } from './core/errors.ts';
import { LIMITS } from './core/limits.ts';
import type { Log } from './core/log.ts';
import type { Database } from './store/database.ts';
import { findRetention, setRetention } from './store/upkeep.ts';

const DAY_MS = 86_400_000;

/** The days that the longest retry schedule of these dialects takes: a delivery must not outlive its event. */
export function leastRetentionDays(dialects: readonly Dialect[], retryDelayScale: number): number {
  const longestMs = dialects.map(({ jitter, retryDelaysMs }) => retryDelaysMs.reduce((sum, ms) => sum + ms, 0) * (1 + jitter));
  return Math.max(1, Math.ceil((Math.max(0, ...longestMs) * retryDelayScale) / DAY_MS));
}

export interface RetentionOptions {
  readonly database: Database;
  readonly dialects: readonly Dialect[];
  readonly log: Log;
  readonly retryDelayScale: number;
  /** What was asked for; `LIMITS.retentionDays` when absent. */
  readonly days: number | undefined;
}

/** How long events and the delivery log are kept. */
export class Retention {
  /** For everybody. */
  readonly days: number;
  /** What an organization may set at least. */
  readonly leastDays: number;
  readonly #database: Database;

  constructor({ database, days = LIMITS.retentionDays, dialects, log, retryDelayScale }: RetentionOptions) {
    this.#database = database;
    this.leastDays = leastRetentionDays(dialects, retryDelayScale);
    this.days = Math.max(days, this.leastDays);
    if (this.days > days)
      log.warn(
        { asked: days, days: this.days },
        'the retention is shorter than the longest retry schedule; history is kept for as long as that takes',
      );
  }

  /** Days that an organization's history is kept; null for as long as everybody's. */
  of(organizationId: string): Promise<number | null> {
    return findRetention(this.#database, organizationId);
  }

  /** Keeps an organization's history for fewer days than everybody's; more has no effect. Throws `invalid_retention`. */
  async set(organizationId: string, days: number | null): Promise<void> {
    if (days !== null && days < this.leastDays)
      throw new EngineError('invalid_retention', `must be at least ${this.leastDays}, which is what the longest retry schedule takes`);
    await setRetention(this.#database, organizationId, days);
  }
}
