import type { Clock } from '../core/clock.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Observer } from '../core/observer.ts';
import { claimDeliveries, loadEvents, type Claim } from '../store/claim.ts';
import type { Database, Queryable } from '../store/database.ts';
import type { ClaimRooms } from './intake.ts';
import { Alarm } from './alarm.ts';
import { persistently } from './persistently.ts';

export interface ClaimerOptions {
  readonly database: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer | undefined;
  readonly room: () => number;
  readonly rooms: () => ClaimRooms;
  readonly accept: (deliveries: readonly LeasedDelivery[]) => void;
  readonly expire: (expired: Claim['expired']) => void;
}

/** Looks for due work: at a steady interval, on time for what this node knows of, at once while there is more. */
export class Claimer {
  readonly #options: ClaimerOptions;
  readonly #alarm: Alarm;
  #after = FIRST_UUID;
  /** The last claim could have taken more if there had been room. */
  #limited = false;

  constructor(options: ClaimerOptions) {
    this.#options = options;
    this.#alarm = new Alarm({ clock: options.clock, intervalMs: LIMITS.claimIntervalMs, work: () => this.#claim() });
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
    const { accept, clock, database, expire, log, nodeId, observer, room, rooms } = this.#options;
    const free = Math.min(room(), LIMITS.claimBatch);
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
        persistently(() => loadEvents(db, ids), { clock, log, what: 'loading events' });
      const claim = await claimDeliveries(database.hot, options, load);
      observer?.executed('claim', claim.deliveries.length, performance.now() - began);
      this.#after = claim.next;
      this.#limited ||= claim.isLimited;
      if (claim.expired.length > 0) expire(claim.expired);
      accept(claim.deliveries);
      // More may be due beyond what was taken, or at endpoints that were not looked at: behind these, or before them.
      return claim.deliveries.length > 0 || claim.next !== FIRST_UUID || options.after !== FIRST_UUID;
    } catch (error) {
      log.warn({ err: error }, 'due deliveries could not be claimed');
      return false;
    }
  }
}
