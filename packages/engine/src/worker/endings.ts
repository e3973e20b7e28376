import type { Clock } from '../core/clock.ts';
import type { DialectRegistry } from '../core/dialect.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { endWaiting, findEnded, oldestHistory } from '../store/endings.ts';
import { Alarm } from './alarm.ts';

export interface EndingsOptions {
  readonly database: Database;
  readonly dialects: DialectRegistry;
  readonly clock: Clock;
  readonly log: Log;
  /** Unix milliseconds: what was made before has no day in the history any more. */
  readonly onHistoryFloor: (timeMs: number) => void;
}

/**
 * Ends what waits for endpoints that are deleted, or switched off in a dialect that keeps nothing for later. In small
 * statements: a million waiting deliveries hold up nobody.
 */
export class Endings {
  readonly #options: EndingsOptions;
  readonly #alarm: Alarm;

  constructor(options: EndingsOptions) {
    this.#options = options;
    this.#alarm = new Alarm({ clock: options.clock, intervalMs: LIMITS.upkeepIntervalMs, work: () => this.#end() });
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  /** An endpoint was deleted or switched off: what waits for it ends now, and soon after what nodes have given back by then. */
  wake(): void {
    const now = this.#options.clock.now();
    this.#alarm.at(now);
    this.#alarm.at(now + LIMITS.watchIntervalMs);
  }

  async #end(): Promise<boolean> {
    const { clock, database, dialects, log, onHistoryFloor } = this.#options;
    try {
      const floorMs = await oldestHistory(database);
      onHistoryFloor(floorMs);
      const dropping = dialects.all().filter(({ whenDisabled }) => whenDisabled === 'drop');
      const ended = await findEnded(
        database,
        dropping.map(({ name }) => name),
        LIMITS.claimEndpoints,
      );
      let isMore = false;
      // Each endpoint's turn comes after one statement for every other one.
      for (const { endpointId, reason } of ended) {
        const count = await endWaiting(database, { endpointId, reason, now: clock.now(), floorMs }, LIMITS.endedBatch);
        isMore ||= count === LIMITS.endedBatch;
      }
      return isMore;
    } catch (error) {
      log.warn({ err: error }, 'deliveries of deleted endpoints could not be ended, will be tried again');
      return false;
    }
  }
}
