import type { Alarm, Clock, Database, Engine, Log } from '@dialhook/engine';
import { BATCH_EVENT } from './cleaner.ts';
import { DIAL_LIMITS } from './limits.ts';
import { GATHERED_DUE, listGatherings, takeGathered, type Gathering } from './store/dials.ts';

export interface GathererOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Makes batches: a company's gathered dials go out together when there are a hundred, or a second after the first. One
 * batch serves all of the company's webhooks. Taking dials out and publishing their event is one transaction, so
 * that a crash neither loses a dial nor puts it into two batches.
 */
export class DialGatherer {
  readonly #options: GathererOptions;
  readonly #alarm: Alarm;
  /** How many this node saw being gathered since its last look, to look early when a batch is full. */
  readonly #seen = new Map<string, number>();

  constructor(options: GathererOptions) {
    this.#options = options;
    const { agenda } = options.engine;
    this.#alarm = agenda.alarm({ source: GATHERED_DUE, everyMs: DIAL_LIMITS.lingerMs, work: () => this.#look() });
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  gathered(counts: ReadonlyMap<string, number>): void {
    const now = this.#options.clock.now();
    let isFull = false;
    for (const [organizationId, count] of counts) {
      const seen = (this.#seen.get(organizationId) ?? 0) + count;
      this.#seen.set(organizationId, seen);
      isFull ||= seen >= DIAL_LIMITS.dialsPerBatch;
    }
    this.#alarm.at(isFull ? now : now + DIAL_LIMITS.lingerMs);
  }

  async #look(): Promise<boolean> {
    const { clock, database, log } = this.#options;
    this.#seen.clear();
    try {
      const now = clock.now();
      const due: Gathering[] = [];
      for (const gathering of await listGatherings(database)) {
        const dueAt = gathering.count >= DIAL_LIMITS.dialsPerBatch ? now : gathering.oldest.getTime() + DIAL_LIMITS.lingerMs;
        if (dueAt <= now) due.push(gathering);
        else {
          this.#seen.set(gathering.organizationId, gathering.count);
          this.#alarm.at(dueAt);
        }
      }
      for (const gathering of due.slice(0, DIAL_LIMITS.flushCompanies)) await this.#flush(gathering, now);
      return due.length > DIAL_LIMITS.flushCompanies;
    } catch (error) {
      log.warn({ err: error }, 'batches of dials could not be made, will be tried again');
      return false;
    }
  }

  /** Whole batches, and the rest if its time has come. */
  async #flush({ count, oldest, organizationId }: Gathering, now: number): Promise<void> {
    const { database, engine } = this.#options;
    const restIsDue = oldest.getTime() + DIAL_LIMITS.lingerMs <= now;
    for (let left = count; left >= DIAL_LIMITS.dialsPerBatch || (restIsDue && left > 0); left -= DIAL_LIMITS.dialsPerBatch) {
      const taken = await database.transaction(async (tx) => {
        const events = await takeGathered(tx, organizationId, DIAL_LIMITS.dialsPerBatch);
        if (events.length > 0) await engine.publish(tx, [{ organizationId, type: BATCH_EVENT, data: `[${events.join(',')}]` }]);
        return events.length;
      });
      if (taken === 0) return; // another node has them
    }
  }
}
