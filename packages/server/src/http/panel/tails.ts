import type { ServerResponse } from 'node:http';
import { uuidFloor, uuidTime, type Clock, type Engine } from '@dialhook/engine';
import type { Sessions } from '../../accounts/sessions.ts';
import { HTTP_LIMITS } from '../limits.ts';
import { Problem } from '../operator/problems.ts';

/** Deliveries counted in one look: the reader sees "100 new" and reads them page by page. */
const MAX_NEW = 100;
/** How far a look goes back behind the one before: a delivery has its time before it is committed, and other nodes' clocks differ a little. */
const OVERLAP_MS = 3_000;

export interface Follower {
  readonly organizationId: string;
  readonly sessionId: string;
}

interface Tail extends Follower {
  readonly raw: ServerResponse;
  /** What was made before it was opened is not new to it. */
  readonly since: number;
  end(): void;
}

/**
 * The pages that follow their deliveries. A session has a few and an organization some tens, so that nobody takes all of a node's; a
 * session that opens one more loses its oldest, which is told so. However many follow an organization, it is looked at once. Each look
 * ends those whose session is over or whose user is no member any more.
 */
export class Tails {
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #sessions: Sessions;
  /** By organization, the oldest first. */
  readonly #open = new Map<string, Set<Tail>>();
  #count = 0;

  constructor(clock: Clock, engine: Engine, sessions: Sessions) {
    this.#clock = clock;
    this.#engine = engine;
    this.#sessions = sessions;
  }

  /** Makes room for one more of this session, or throws `streams_full`. */
  admit({ organizationId, sessionId }: Follower): void {
    const here = this.#open.get(organizationId) ?? new Set<Tail>();
    const isOrganizationFull = here.size >= HTTP_LIMITS.streamsOfOrganization;
    // Where the organization has no room, only the end of one of its own makes some.
    const own = (isOrganizationFull ? [...here] : [...this.#open.values()].flatMap((tails) => [...tails]))
      .filter((tail) => tail.sessionId === sessionId)
      .sort((a, b) => a.since - b.since);
    const isFull = isOrganizationFull || this.#count >= HTTP_LIMITS.streamsAtOnce;
    if (!isFull && own.length < HTTP_LIMITS.streamsOfSession) return;
    const oldest = own[0];
    if (oldest === undefined) throw new Problem('streams_full');
    oldest.raw.write('event: replaced\ndata: {}\n\n');
    oldest.end();
  }

  /** Writes to the answer until it is closed, its time is over, or the session opens more than it may. */
  follow(follower: Follower, raw: ServerResponse): void {
    const tails = this.#open.get(follower.organizationId) ?? new Set<Tail>();
    const cancelEnd = this.#clock.after(HTTP_LIMITS.streamMs, () => tail.end());
    const tail: Tail = {
      ...follower,
      raw,
      since: this.#clock.now(),
      end: () => {
        if (!tails.delete(tail)) return;
        this.#count -= 1;
        if (tails.size === 0) this.#open.delete(follower.organizationId);
        cancelEnd();
        raw.end();
      },
    };
    raw.on('close', tail.end);
    raw.on('error', tail.end);
    tails.add(tail);
    this.#count += 1;
    if (tails.size > 1) return; // somebody looks already
    this.#open.set(follower.organizationId, tails);
    void this.#look(follower.organizationId, tails, tail.since, new Set());
  }

  endAll(): void {
    for (const tails of this.#open.values()) for (const tail of tails) tail.end();
  }

  async #look(organizationId: string, tails: Set<Tail>, since: number, seen: ReadonlySet<string>): Promise<void> {
    const until = this.#clock.now();
    let next = since;
    let seenNext = seen;
    try {
      await this.#endStrangers(organizationId, tails);
      const rows = await this.#engine.deliveries({ organizationId, since: since - OVERLAP_MS, before: uuidFloor(until) }, MAX_NEW);
      next = until;
      seenNext = new Set(rows.map(({ id }) => id));
      for (const tail of tails) {
        const count = rows.filter(({ id }) => uuidTime(id) >= tail.since && !seen.has(id)).length;
        tail.raw.write(count > 0 ? `event: new\ndata: {"count":${count}}\n\n` : ': nothing\n\n');
      }
    } catch {
      for (const tail of tails) tail.raw.write(': the database is away\n\n');
    }
    if (tails.size === 0) return;
    this.#clock.after(HTTP_LIMITS.streamLookMs, () => tails.size > 0 && void this.#look(organizationId, tails, next, seenNext));
  }

  async #endStrangers(organizationId: string, tails: Set<Tail>): Promise<void> {
    const asked = [...tails];
    const members = await this.#sessions.ofMembers(organizationId, [...new Set(asked.map(({ sessionId }) => sessionId))]);
    for (const tail of asked) if (!members.has(tail.sessionId)) tail.end();
  }
}
