import type { Clock } from './core/clock.ts';
import type { Delivery } from './core/delivery.ts';
import { EngineError } from './core/errors.ts';
import { uuidTime } from './core/ids.ts';
import { LIMITS } from './core/limits.ts';
import { StepSize } from './core/step-size.ts';
import { DeliveryLog } from './delivery-log.ts';
import type { Database } from './store/database.ts';
import type { DeliveryFilter } from './store/deliveries.ts';
import { findInEvents } from './store/search.ts';

export interface SearchFilter extends DeliveryFilter {
  /** The status of the last answer. */
  readonly responseStatus?: number | undefined;
  /** A delivery's or an event's id, or text in the event's data, such as a phone number. */
  readonly text?: string | undefined;
}

export interface SearchResult {
  /** Newest first. */
  readonly found: Delivery[];
  /** The last delivery that was looked at: what is older was not. Null when there is nothing older. */
  readonly lookedUntil: { readonly id: string; readonly createdAt: Date } | null;
}

/**
 * Searches the delivery log for what no index knows. It reads bodies, so it goes in small steps, on a connection of
 * its own, and ends after some time or bytes: the answer says how far it came, and the next call goes on from there. One at a time for each
 * organization, few for the node.
 */
export class Searches {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #searching = new Set<string>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Rejects with `search_busy` while the organization searches already, or the node does as much as it may. */
  async run(filter: SearchFilter, limit: number): Promise<SearchResult> {
    const { organizationId } = filter;
    if (this.#searching.has(organizationId)) throw new EngineError('search_busy', 'Another search of this organization is still going on.');
    if (this.#searching.size >= LIMITS.searches)
      throw new EngineError('search_busy', 'As many searches as this server may do are going on.');
    this.#searching.add(organizationId);
    try {
      return await this.#look(filter, limit);
    } finally {
      this.#searching.delete(organizationId);
    }
  }

  async #look({ responseStatus, text, ...filter }: SearchFilter, limit: number): Promise<SearchResult> {
    const deadline = this.#clock.monotonic() + LIMITS.searchMs;
    const { minSearchStepBytes: least, searchStepBytes: most, searchStepMs: stepMs } = LIMITS;
    const stepBytes = new StepSize({ first: least, least, most, stepMs });
    const found: Delivery[] = [];
    let bytesLeft: number = LIMITS.searchBytes;
    let lookedUntil: SearchResult['lookedUntil'] = null;
    for (;;) {
      const log = new DeliveryLog(
        this.#database.search,
        this.#clock,
        { ...filter, before: lookedUntil?.id ?? filter.before },
        LIMITS.searchStep,
      );
      const { deliveries, next } = await log.read(Math.max(0, deadline - this.#clock.monotonic()));
      let rest = deliveries;
      while (rest.length > 0) {
        const asked = rest.filter((one) => responseStatus === undefined || one.lastResponseStatus === responseStatus);
        const began = this.#clock.monotonic();
        const read = text === undefined ? null : await this.#read(asked, text, Math.min(bytesLeft, stepBytes.size));
        stepBytes.took(this.#clock.monotonic() - began);
        const from = rest;
        rest = [];
        for (const [index, delivery] of from.entries()) {
          const isAsked = responseStatus === undefined || delivery.lastResponseStatus === responseStatus;
          const seen = read?.get(delivery.eventId);
          if (isAsked && read !== null && seen === undefined) {
            rest = from.slice(index);
            break;
          }
          lookedUntil = delivery;
          if (isAsked && (read === null || seen?.isMatch || delivery.id === text || delivery.eventId === text)) found.push(delivery);
          if (found.length === limit) return { found, lookedUntil };
        }
        for (const { bytes } of read?.values() ?? []) bytesLeft -= bytes;
        if (rest.length > 0 && (bytesLeft <= 0 || this.#clock.monotonic() > deadline)) return { found, lookedUntil };
      }
      if (next === null) return { found, lookedUntil: null };
      lookedUntil = { id: next, createdAt: new Date(uuidTime(next)) };
      if (bytesLeft <= 0 || this.#clock.monotonic() > deadline) return { found, lookedUntil };
    }
  }

  #read(deliveries: readonly Delivery[], text: string, maxBytes: number): ReturnType<typeof findInEvents> {
    return findInEvents(this.#database.search, [...new Set(deliveries.map(({ eventId }) => eventId))], text, maxBytes);
  }
}
