import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Observer } from '../core/observer.ts';
import type { Database } from '../store/database.ts';
import { recordAttempts, type RecordedAttempt } from '../store/record.ts';
import { Batcher } from './batcher.ts';
import { persistently } from './persistently.ts';

export interface RecorderOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer | undefined;
  /** The results are stored, or given up on: their leases are no longer held. */
  readonly onRecorded: (attempts: readonly RecordedAttempt[]) => void;
  /** Endpoints that the engine has just disabled. */
  readonly onDisabled: (endpointIds: readonly string[]) => void;
}

/** Writes results in batches. A database that is away for a while costs waiting, not results. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #batcher: Batcher<RecordedAttempt>;

  constructor(options: RecorderOptions) {
    this.#options = options;
    // One writer: two would lock the same endpoints' rows and wait for each other.
    this.#batcher = new Batcher({ maxItems: LIMITS.recordBatch, concurrency: 1, write: (attempts) => this.#write(attempts) });
  }

  add(attempt: RecordedAttempt): void {
    this.#batcher.add(attempt);
  }

  drained(): Promise<void> {
    return this.#batcher.drained();
  }

  async #write(attempts: RecordedAttempt[]): Promise<void> {
    const { clock, database, log, observer, onDisabled, onRecorded } = this.#options;
    const began = performance.now();
    try {
      const disabled = await persistently(() => recordAttempts(database, attempts, clock.now()), { clock, log, what: 'storing results' });
      if (disabled.length > 0) onDisabled(disabled);
    } catch (error) {
      log.error(
        { err: error, results: attempts.length },
        'results could not be stored; these deliveries are sent again when their leases end',
      );
    }
    observer?.executed('record', attempts.length, performance.now() - began);
    onRecorded(attempts);
  }
}
