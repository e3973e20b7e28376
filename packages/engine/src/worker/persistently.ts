import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';

export interface Persistence {
  readonly clock: Clock;
  readonly log: Log;
  /** What is being done, for the log. */
  readonly what: string;
  /** In all; `LIMITS.storeTries` when absent. */
  readonly tries?: number;
  /** The wait between two tries; `LIMITS.storeRetryMs` when absent. */
  readonly retryMs?: number;
  /** Errors that trying again does not mend. */
  readonly isFinal?: (error: unknown) => boolean;
}

/** Does work that must not be given up because the database is away for a while. Rejects with the last error. */
export async function persistently<T>(work: () => Promise<T>, options: Persistence): Promise<T> {
  const { clock, log, what, isFinal = () => false, retryMs = LIMITS.storeRetryMs, tries = LIMITS.storeTries } = options;
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (tried === tries || isFinal(error)) throw error;
      log.warn({ err: error, tries: tried }, `${what} failed, trying again`);
      await new Promise<void>((resolve) => clock.after(retryMs, resolve));
    }
  }
}
