import type { Clock } from '../core/clock.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Observer } from '../core/observer.ts';
import { claimDeliveries, DELIVERIES_DUE, type Claim } from '../store/claim.ts';
import { loadEventsWithin } from '../store/events.ts';
import type { Database, Queryable } from '../store/database.ts';
import type { ClaimRooms } from './intake.ts';
import type { Agenda } from './agenda.ts';
import type { Alarm } from './alarm.ts';
import { persistently } from './persistently.ts';

export interface ClaimerOptions {
  readonly agenda: Agenda;
  readonly database: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer | undefined;
  readonly room: () => number;
  /** Bytes of events that the node has memory for. */
  readonly roomBytes: () => number;
  readonly rooms: () => ClaimRooms;
  readonly accept: (deliveries: readonly LeasedDelivery[]) => void;
  /** Gives back what was claimed and cannot be taken. */
  readonly release: (deliveries: readonly LeasedDelivery[]) => void;
  readonly expire: (expired: Claim['expired']) => void;
}

/** Takes due work: when the agenda finds some, on time for what this node knows of, at once while there is more. */
export class Claimer {
  readonly #options: ClaimerOptions;
  readonly #alarm: Alarm;
  #after = FIRST_UUID;
  /** Where the claims that brought nothing began; null when the last one brought something. */
  #emptyFrom: string | null = null;
  /** The last claim could have taken more if there had been room. */
  #limited = false;
  /** Deliveries that one claim takes: fewer while events are so large that not all of them fit. */
  #size: number = LIMITS.claimBatch;

  constructor(options: ClaimerOptions) {
    this.#options = options;
    this.#alarm = options.agenda.alarm({ source: DELIVERIES_DUE, everyMs: LIMITS.claimIntervalMs, work: () => this.#claim() });
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  /** Something is due at this time. */
  wakeAt(time: number): void {
    this.#alarm.at(time);
  }

  /** There is room again, for what the last claim had to leave. */
  roomAgain(): void {
    if (!this.#limited || this.#options.room() === 0) return;
    this.#limited = false;
    this.#alarm.at(this.#options.clock.now());
  }

  async #claim(): Promise<boolean> {
    const { accept, clock, database, expire, log, nodeId, observer, release, room, roomBytes, rooms } = this.#options;
    const free = Math.min(room(), this.#size);
    const bytes = roomBytes() / 2; // a claim of large events leaves something for other endpoints' events
    const shares = rooms();
    this.#limited = free < LIMITS.claimBatch || shares.rooms.values().some((share) => share === 0);
    if (free === 0) return false;
    try {
      const now = clock.now();
      const options = {
        nodeId,
        now,
        leaseEndsAt: clock.monotonic() + LIMITS.leaseMs,
        room: free,
        ...shares,
        after: this.#after,
      };
      const began = performance.now();
      // Once claimed they are ours: giving up at the first failure would leave them alone until their leases end.
      const load = (db: Queryable, ids: readonly string[]) =>
        persistently(() => loadEventsWithin(db, ids, bytes), { clock, log, what: 'loading events' });
      const claim = await claimDeliveries(database.hot, options, load);
      observer?.executed('claim', claim.deliveries.length, performance.now() - began);
      this.#after = claim.next;
      this.#limited ||= claim.isLimited;
      if (claim.expired.length > 0) expire(claim.expired);
      accept(claim.deliveries);
      this.#size = Math.min(LIMITS.claimBatch, 2 * this.#size);
      if (claim.unfit.length > 0) {
        // The rest is claimed when there is memory again, and no more than what fitted now.
        release(claim.unfit);
        this.#size = Math.max(1, claim.deliveries.length);
        this.#limited = true;
        return false;
      }
      return this.#isMoreDue(claim, options.after);
    } catch (error) {
      log.warn({ err: error }, 'due deliveries could not be claimed');
      return false;
    }
  }

  /** More may be due beyond what was taken, and at endpoints that were not looked at: not when a whole round brought nothing. */
  #isMoreDue({ deliveries, next }: Claim, after: string): boolean {
    if (deliveries.length > 0) {
      this.#emptyFrom = null;
      return true;
    }
    this.#emptyFrom ??= after;
    if (next !== FIRST_UUID) return true;
    const isRound = this.#emptyFrom === FIRST_UUID;
    this.#emptyFrom = isRound ? null : FIRST_UUID;
    return !isRound;
  }
}
