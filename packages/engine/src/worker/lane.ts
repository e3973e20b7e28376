import type { LeasedDelivery } from '../core/delivery.ts';
import { LIMITS } from '../core/limits.ts';
import type { Target } from './targets.ts';

/** How much a rate-limited endpoint may be behind its schedule and still catch up: makes up for timers that are late. */
const CATCH_UP_MS = 100;
/** A rate-limited lane takes over no more than it can send in this time, so that leases do not run out in it. */
const RATE_HORIZON_MS = 20_000;

/** One endpoint's leased deliveries on this node. First attempts and retries take turns. */
export class Lane {
  readonly id: string;
  inFlight = 0;
  target: Target | null = null;
  loading = false;
  /** Set while a timer will wake the lane. */
  cancelTimer: (() => void) | null = null;
  /** On the monotonic clock: nothing is sent before. */
  #heldUntil = 0;
  #first: LeasedDelivery[] = [];
  #retries: LeasedDelivery[] = [];
  #retryNext = false;

  constructor(id: string) {
    this.id = id;
  }

  get waiting(): number {
    return this.#first.length + this.#retries.length;
  }

  /** Has as much as it may take over. */
  isFull(nodes: number): boolean {
    const rate = this.target?.rateLimit ?? null;
    const capacity = rate === null ? LIMITS.endpointWaiting : Math.ceil((rate * RATE_HORIZON_MS) / 1000 / nodes);
    return this.waiting >= Math.min(LIMITS.endpointWaiting, capacity);
  }

  add(delivery: LeasedDelivery): void {
    (delivery.attempt === 1 ? this.#first : this.#retries).push(delivery);
  }

  take(): LeasedDelivery | undefined {
    const [preferred, other] = this.#retryNext ? [this.#retries, this.#first] : [this.#first, this.#retries];
    this.#retryNext = !this.#retryNext;
    return preferred.shift() ?? other.shift();
  }

  /** Gives up everything that waits. */
  clear(): LeasedDelivery[] {
    const all = [...this.#first, ...this.#retries];
    this.#first = [];
    this.#retries = [];
    return all;
  }

  /** Milliseconds until something may be sent; 0 for now. */
  wait(now: number): number {
    return Math.max(0, this.#heldUntil - now);
  }

  /** Counts one request against the endpoint's rate limit, of which each of `nodes` has an equal share. */
  spend(now: number, nodes: number): void {
    const rate = this.target?.rateLimit ?? null;
    if (rate === null) return;
    const isLate = this.#heldUntil > now - CATCH_UP_MS;
    this.#heldUntil = (isLate ? this.#heldUntil : now) + (1000 * nodes) / rate;
  }

  /** The receiver asked for a pause. */
  hold(now: number, ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, now + Math.min(ms, LIMITS.holdMs));
  }
}
