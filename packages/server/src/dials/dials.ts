import { uuidFloor, type Clock, type Database, type Engine, type Log } from '@dialhook/engine';
import { DialCleaner } from './cleaner.ts';
import { DialGatherer } from './gatherer.ts';
import { DialIntake } from './intake.ts';
import { DIAL_LIMITS } from './limits.ts';
import type { DialEvent, UncleanedDial } from './model.ts';
import { countDials, listDials, listFailures, retryFailures, sweepDialIds } from './store/dials.ts';
import { DialTranslations } from './translations.ts';

export interface DialsOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DialQuery {
  /** Unix milliseconds of the acceptance; `until` is not in it. */
  readonly since: number;
  readonly until: number;
  readonly newestFirst: boolean;
  readonly after: string | undefined;
  readonly limit: number;
}

const HOUR_MS = 3_600_000;

/** Dials of all companies: taken in, cleaned, gathered into batches, and read back. */
export class Dials {
  readonly intake: DialIntake;
  readonly translations: DialTranslations;
  readonly #options: DialsOptions;
  readonly #cleaner: DialCleaner;
  readonly #gatherer: DialGatherer;
  #sweptPages = 0;

  constructor(options: DialsOptions) {
    this.#options = options;
    this.#gatherer = new DialGatherer(options);
    this.#cleaner = new DialCleaner({ ...options, onGathered: (counts) => this.#gatherer.gathered(counts) });
    this.intake = new DialIntake({ ...options, onStored: () => this.#cleaner.wake() });
    this.translations = new DialTranslations(options.database);
  }

  /** Begins to clean and to send. */
  start(): void {
    this.#cleaner.start();
    this.#gatherer.start();
  }

  async stop(): Promise<void> {
    await this.intake.drained();
    await this.#cleaner.stop();
    await this.#gatherer.stop();
  }

  /** Cleaned dials of a company in the order of their acceptance. */
  async list(organizationId: string, query: DialQuery): Promise<(DialEvent & { readonly id: string })[]> {
    const { after, limit, newestFirst, since, until } = query;
    const page = { since: uuidFloor(since), until: uuidFloor(until), newestFirst, after };
    const rows = await listDials(this.#options.database.reads, organizationId, page, limit);
    return rows.map(({ event, id }) => ({ id, ...(JSON.parse(event) as DialEvent) }));
  }

  /** Cleaned dials of a company by the hour of their acceptance, oldest first. */
  async hourly(organizationId: string, count: number): Promise<{ at: Date; count: number }[]> {
    const last = Math.floor(this.#options.clock.now() / HOUR_MS) * HOUR_MS;
    const hours = Array.from({ length: count }, (_, index) => last - (count - 1 - index) * HOUR_MS);
    const counts = await countDials(this.#options.database.reads, organizationId, hours.map(uuidFloor), uuidFloor(last + HOUR_MS));
    return hours.map((at, index) => ({ at: new Date(at), count: counts[index]! }));
  }

  /** Dials that could not be cleaned, newest first. */
  uncleaned(organizationId: string, before: string | undefined, limit: number): Promise<UncleanedDial[]> {
    return listFailures(this.#options.database.reads, organizationId, before, limit);
  }

  /** Cleans them again. Returns how many are tried. */
  async cleanAgain(organizationId: string): Promise<number> {
    const count = await retryFailures(this.#options.database, organizationId);
    this.#cleaner.wake();
    return count;
  }

  /** Removes what was kept to recognise repeats of dials that are older than `days` before `now`, in the part of the table whose turn it is. */
  async sweep(now: number, days: number): Promise<void> {
    const { database } = this.#options;
    const oldest = uuidFloor(now - days * 86_400_000);
    const pages = await sweepDialIds(database, oldest, this.#sweptPages, DIAL_LIMITS.sweepPages);
    this.#sweptPages += DIAL_LIMITS.sweepPages;
    if (this.#sweptPages >= pages) this.#sweptPages = 0;
  }
}
