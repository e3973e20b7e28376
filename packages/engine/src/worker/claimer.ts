import type { Clock } from '../core/clock.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { claimDeliveries, FIRST_UUID, type Claim } from '../store/claim.ts';
import type { Database } from '../store/database.ts';

export interface ClaimerOptions {
  readonly database: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly room: () => number;
  readonly fullEndpoints: () => string[];
  readonly accept: (deliveries: readonly LeasedDelivery[]) => void;
  readonly expire: (expired: Claim['expired']) => void;
}

/** Looks for due work: at a steady interval, sooner when this node knows of a retry, at once while there is more. */
export class Claimer {
  readonly #options: ClaimerOptions;
  #after = FIRST_UUID;
  #cancelTimer: (() => void) | null = null;
  #wakeAt = Infinity;
  #running: Promise<void> | null = null;
  #stopped = true;

  constructor(options: ClaimerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.wakeAt(this.#options.clock.now());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    await this.#running;
  }

  /** Makes sure that a claim happens at this time or before. */
  wakeAt(time: number): void {
    if (this.#stopped || time >= this.#wakeAt) return;
    this.#wakeAt = time;
    this.#cancelTimer?.();
    const delay = Math.max(0, time - this.#options.clock.now());
    this.#cancelTimer = this.#options.clock.after(delay, () => {
      this.#wakeAt = Infinity;
      if (this.#running === null) this.#running = this.#claim().finally(() => (this.#running = null));
    });
  }

  async #claim(): Promise<void> {
    const { accept, clock, database, expire, fullEndpoints, log, nodeId, room } = this.#options;
    let next = clock.now() + LIMITS.claimIntervalMs;
    const free = Math.min(room(), LIMITS.claimBatch);
    if (free > 0) {
      try {
        const now = clock.now();
        const claim = await claimDeliveries(database, {
          nodeId,
          now,
          leaseEndsAt: now + LIMITS.leaseMs,
          room: free,
          fullEndpoints: fullEndpoints(),
          after: this.#after,
        });
        this.#after = claim.next;
        if (claim.expired.length > 0) expire(claim.expired);
        accept(claim.deliveries);
        // More may be due beyond what was taken, or at endpoints that were not looked at.
        if (claim.deliveries.length > 0 || claim.next !== FIRST_UUID) next = clock.now();
      } catch (error) {
        log.warn({ err: error }, 'due deliveries could not be claimed');
      }
    }
    // While this ran, wakeAt may have set an earlier time: it is kept.
    this.#running = null;
    this.wakeAt(next);
  }
}
