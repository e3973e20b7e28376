import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { findDueTimes, type DueSource } from '../store/agenda.ts';
import type { Database } from '../store/database.ts';
import { isUnavailable } from '../store/trouble.ts';
import { Alarm } from './alarm.ts';

export interface AgendaOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** As `Pulse.aloneSince`. */
  readonly aloneSince: () => number;
}

export interface AgendaItem {
  readonly source: DueSource;
  /** How often the database is asked: the longest that work which nobody announced waits. */
  readonly everyMs: number;
  /** True when there is more to do at once. Must not reject. */
  readonly work: () => Promise<boolean>;
}

interface Entry {
  readonly item: AgendaItem;
  readonly alarm: Alarm;
  /** On the monotonic clock: when the last look began. */
  lookedAt: number;
  /** `Database.uses` then, and what it found: Unix milliseconds. */
  uses: number;
  due: number;
}

/** A look that comes a little early counts: timers are late by different times, and items that look together cost one statement. */
const EARLY_MS = LIMITS.agendaIntervalMs / 2;

/**
 * Asks for all kinds of work in one statement when they are due next, and starts each in time. So a node with nothing to do asks one
 * question now and then, and not one for each kind of work. What is announced on this node itself does not wait for a look.
 */
export class Agenda {
  readonly #options: AgendaOptions;
  readonly #entries: Entry[] = [];
  readonly #alarm: Alarm;
  /** The last look failed, and the log says so. */
  #isFailing = false;

  constructor(options: AgendaOptions) {
    this.#options = options;
    this.#alarm = new Alarm({ clock: options.clock, intervalMs: LIMITS.agendaIntervalMs, work: () => this.#look() });
  }

  /** An alarm for work that the agenda looks for while the alarm is started. */
  alarm(item: AgendaItem): Alarm {
    const alarm = new Alarm({ clock: this.#options.clock, work: item.work });
    this.#entries.push({ item, alarm, lookedAt: -Infinity, uses: -1, due: Infinity });
    return alarm;
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  #isToBeAsked({ alarm, due, item, lookedAt, uses }: Entry, at: number): boolean {
    const { aloneSince, clock, database } = this.#options;
    const sinceMs = at - lookedAt + EARLY_MS;
    if (!alarm.isStarted || sinceMs < item.everyMs) return false;
    // What was found then is still so: nobody else is there, and this node has done nothing since.
    const isQuiet = aloneSince() < lookedAt && uses === database.uses && due > clock.now() + item.everyMs;
    return !isQuiet || sinceMs >= LIMITS.quietIntervalMs;
  }

  async #look(): Promise<boolean> {
    const { clock, database, log } = this.#options;
    const at = clock.monotonic();
    const { uses } = database;
    const entries = this.#entries.filter((entry) => this.#isToBeAsked(entry, at));
    if (entries.length === 0) return false;
    for (const entry of entries) entry.lookedAt = at;
    try {
      const times = await findDueTimes(
        database.hot,
        entries.map(({ item }) => item.source),
      );
      this.#isFailing = false;
      const now = clock.now();
      for (const [n, entry] of entries.entries()) {
        const { alarm, item } = entry;
        const time = times[n] ?? Infinity;
        entry.uses = uses;
        entry.due = time;
        if (time >= now + item.everyMs) continue; // the next look is early enough
        if (time <= now) alarm.now();
        else alarm.at(time);
      }
    } catch (error) {
      if (!this.#isFailing) log.warn({ err: error }, 'work that waits could not be looked for, will be tried again');
      this.#isFailing = true;
      // A question that is wrong must not stop what it asks for: all of it is done as if it were due.
      if (!isUnavailable(error)) for (const { alarm } of entries) alarm.now();
    }
    return false;
  }
}
