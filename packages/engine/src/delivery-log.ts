import type { Clock } from './core/clock.ts';
import type { Delivery } from './core/delivery.ts';
import { FIRST_UUID, LAST_UUID, uuidFloor, uuidTime } from './core/ids.ts';
import { LIMITS } from './core/limits.ts';
import { LOOK_UP_ROWS, readStep } from './core/step-size.ts';
import type { Queryable } from './store/database.ts';
import { loadDeliveries, type DeliveryFilter } from './store/deliveries.ts';
import {
  knownEndpoints,
  lookAtBatches,
  lookAtExhausted,
  lookAtHistory,
  lookAtQueue,
  lookAtShortQueue,
  type HistoryStream,
  type LogRange,
  type LogStep,
} from './store/delivery-log.ts';
import { oldestHistory } from './store/endings.ts';
import { DatabaseUnavailable } from './store/trouble.ts';

const DAY_MS = 86_400_000;

export interface DeliveryPage {
  /** Newest first. */
  readonly deliveries: Delivery[];
  /** What is older than this id comes next; null when nothing is. */
  readonly next: string | null;
  /** The time ran out before the page was full: everything from `next` on was looked at, and no more. */
  readonly isCut: boolean;
}

/**
 * Reads the delivery log, newest first, in steps of bounded work, so that nothing else waits for it: no index knows event types
 * and most states, and an organization's history is in as many parts as it has endpoints. A delivery moves from batches to the
 * queue to the history; the places are looked at in this order, each only where the ones before it were, so that one that moves
 * meanwhile is found all the same.
 */
export class DeliveryLog {
  readonly #db: Queryable;
  readonly #clock: Clock;
  readonly #filter: DeliveryFilter;
  readonly #limit: number;
  readonly #size = readStep();
  readonly #start: string;
  readonly #end: string;
  /** Ids that match, newest first. */
  #found: string[] = [];
  #wasInBatches = false;
  #known: readonly string[] | null = null;

  constructor(db: Queryable, clock: Clock, filter: DeliveryFilter, limit: number) {
    this.#db = db;
    this.#clock = clock;
    this.#filter = filter;
    this.#limit = limit;
    const { before, since, until } = filter;
    const bounds = [before?.toLowerCase() ?? LAST_UUID, until === undefined ? LAST_UUID : uuidFloor(until)];
    this.#start = bounds.reduce((a, b) => (a < b ? a : b));
    this.#end = since === undefined ? FIRST_UUID : uuidFloor(since);
  }

  /** Ends after so many milliseconds, give or take a step. Rejects with `read_timeout` when that was too little to come anywhere. */
  async read(limitMs: number): Promise<DeliveryPage> {
    const deadline = this.#clock.monotonic() + limitMs;
    const stages = this.#stages();
    let looked = this.#start;
    let isCut = false;
    // A queue as long as that of an outage is not read to its end where the page is full before.
    for (let steps = 1; looked > this.#end && !this.#isFull(looked) && !isCut; steps *= 2) {
      let floor = this.#end;
      for (const stage of stages) floor = await stage(floor, steps, () => this.#clock.monotonic() > deadline);
      looked = floor;
      isCut = this.#clock.monotonic() > deadline;
    }
    if (isCut && looked === this.#start) throw new DatabaseUnavailable('read_timeout', `${limitMs} ms`);
    const ids = this.#found.filter((id) => id >= looked);
    const shown = ids.slice(0, this.#limit);
    const isMore = ids.length > this.#limit || looked > this.#end;
    const isFull = this.#isFull(looked);
    return {
      deliveries: await this.#load(shown),
      next: isMore ? (isFull ? shown.at(-1)! : looked) : null,
      isCut: isMore && !isFull,
    };
  }

  /** Functions that look at a place down to `floor`, at most so many steps; each gives how far it came. */
  #stages(): Stage[] {
    const { status } = this.#filter;
    const batches = this.#inOrder(async (...asked) => {
      const step = await lookAtBatches(...asked);
      this.#wasInBatches ||= step.ids.length > 0;
      return step;
    });
    if (status === undefined) return [batches, this.#queue(), this.#history()];
    if (status === 'undelivered') return [this.#queue(), this.#inOrder(lookAtExhausted)];
    if (status === 'in_flight') return [batches, this.#queue()];
    if (status === 'pending') return [this.#queue()];
    return [status === 'exhausted' ? this.#inOrder(lookAtExhausted) : this.#history()];
  }

  /** The queue: all that the organization has in it at once where that is little, else in the order of the ids. */
  #queue(): Stage {
    const walk = this.#inOrder(lookAtQueue);
    let isShort: boolean | undefined;
    return async (floor, steps, isLate) => {
      // Not before all batches were looked at: what moves from them meanwhile would be missed.
      if (isShort === undefined && floor === this.#end) {
        const { size: rows } = this.#size;
        const endpoints = await this.#endpoints();
        const range = { before: this.#start, from: this.#end, rows };
        const isFew = endpoints.length * LOOK_UP_ROWS <= rows;
        const ids = isFew ? await this.#timed(() => lookAtShortQueue(this.#db, this.#filter, endpoints, range)) : null;
        isShort = ids !== null;
        this.#add(ids ?? []);
      }
      return isShort ? floor : walk(floor, steps, isLate);
    };
  }

  /** A place whose rows come in the order of their ids. */
  #inOrder(look: (db: Queryable, filter: DeliveryFilter, range: LogRange) => Promise<LogStep>): Stage {
    let looked = this.#start;
    return async (floor, steps, isLate) => {
      for (let left = steps; left > 0 && looked > floor && !this.#isFull(looked) && !isLate(); left--) {
        const range = { before: looked, from: floor, rows: this.#size.size };
        const step = await this.#timed(() => look(this.#db, this.#filter, range));
        this.#add(step.ids);
        looked = step.looked < range.rows ? floor : later(floor, step.last!);
      }
      return looked;
    };
  }

  /** The history: a part for each endpoint, read side by side, some days at a time. */
  #history(): Stage {
    let looked = this.#start;
    let oldest = FIRST_UUID;
    return async (floor, _steps, isLate) => {
      const endpoints = await this.#endpoints();
      if (oldest === FIRST_UUID) oldest = uuidFloor(await oldestHistory(this.#db));
      while (looked > floor && !this.#isFull(looked) && !isLate()) {
        const days = Math.max(1, Math.floor(this.#size.size / LOOK_UP_ROWS / Math.max(1, endpoints.length)));
        const from = looked <= oldest || endpoints.length === 0 ? floor : later(floor, this.#daysBefore(looked, days));
        looked = await this.#window(endpoints, looked, from <= oldest ? floor : from, days, isLate);
      }
      return looked;
    };
  }

  /** Reads all endpoints from `before` down to `from`, the newest first. Gives how far all of them were read. */
  async #window(endpoints: readonly string[], before: string, from: string, days: number, isLate: () => boolean): Promise<string> {
    const { filter, found, limit } = { filter: this.#filter, found: () => this.#found, limit: this.#limit };
    let streams: HistoryStream[] = endpoints.map((endpointId) => ({ endpointId, before }));
    for (;;) {
      // What is older than a full page is not wanted. One more than the page holds tells whether there is a next one.
      const floor = later(from, found()[limit] ?? FIRST_UUID);
      streams = streams.filter((stream) => stream.before > floor);
      if (streams.length === 0) return floor;
      streams.sort((a, b) => (a.before < b.before ? 1 : a.before > b.before ? -1 : 0));
      if (isLate()) return streams[0]!.before;
      const some = streams.slice(0, Math.max(1, Math.floor(this.#size.size / (LOOK_UP_ROWS * days))));
      const rows = Math.max(1, Math.floor(this.#size.size / some.length));
      const steps = await this.#timed(() => lookAtHistory(this.#db, filter, some, { from: floor, rows }));
      const unread = some.flatMap(({ endpointId }) => {
        const step = steps.get(endpointId);
        this.#add(step?.ids ?? []);
        return step === undefined || step.looked < rows ? [] : [{ endpointId, before: step.last! }];
      });
      streams = [...unread, ...streams.slice(some.length)];
    }
  }

  /** Whose deliveries there may be: looked up once. */
  async #endpoints(): Promise<readonly string[]> {
    const { endpointId, organizationId } = this.#filter;
    if (endpointId !== undefined) return [endpointId];
    return (this.#known ??= await knownEndpoints(this.#db, organizationId));
  }

  /** The first id of the day that is so many days before the one that ends at or holds this id. */
  #daysBefore(id: string, days: number): string {
    const time = Math.min(uuidTime(id), this.#clock.now() + DAY_MS);
    return uuidFloor((Math.floor((time - 1) / DAY_MS) - days + 1) * DAY_MS);
  }

  async #load(ids: readonly string[]): Promise<Delivery[]> {
    const deliveries: Delivery[] = [];
    for (let at = 0; at < ids.length; at += LIMITS.loadedDeliveries)
      deliveries.push(
        ...(await loadDeliveries(this.#db, this.#filter.organizationId, ids.slice(at, at + LIMITS.loadedDeliveries), this.#wasInBatches)),
      );
    return deliveries.filter((delivery) => stillMatches(delivery, this.#filter.status));
  }

  async #timed<T>(step: () => Promise<T>): Promise<T> {
    const began = this.#clock.monotonic();
    const result = await step();
    this.#size.took(this.#clock.monotonic() - began);
    return result;
  }

  #add(ids: readonly string[]): void {
    if (ids.length === 0) return;
    // Only a page is wanted, and one more to know that there is a next one.
    this.#found = [...new Set([...this.#found, ...ids])].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)).slice(0, this.#limit + 1);
  }

  /** Whether everything that the page needs is known: it was looked at from this id on. */
  #isFull(looked: string): boolean {
    const last = this.#found[this.#limit];
    return last !== undefined && last >= looked;
  }
}

type Stage = (floor: string, steps: number, isLate: () => boolean) => Promise<string>;

function later(a: string, b: string): string {
  return a > b ? a : b;
}

/** It may have moved on since it was found. */
function stillMatches({ attemptCount, status: now }: Delivery, asked: DeliveryFilter['status']): boolean {
  if (asked === undefined) return true;
  if (asked !== 'undelivered') return now === asked;
  return now === 'exhausted' || (now !== 'delivered' && attemptCount > (now === 'in_flight' ? 1 : 0));
}

/** The deliveries of a page for who needs all of it. Throws `read_timeout` when it was not filled in time. */
export function wholePage({ deliveries, isCut }: DeliveryPage): Delivery[] {
  if (isCut) throw new DatabaseUnavailable('read_timeout', `${LIMITS.readMs} ms`);
  return deliveries;
}
