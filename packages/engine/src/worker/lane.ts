import type { LeasedDelivery } from '../core/delivery.ts';
import { LIMITS } from '../core/limits.ts';
import type { Health } from './health.ts';
import type { SlotKind } from './slots.ts';
import type { Target } from './targets.ts';

/** How much a rate-limited endpoint may be behind its schedule and still catch up: makes up for timers that are late. */
const CATCH_UP_MS = 100;
/** A lane takes over no more than it can send in this time, so that leases do not run out in it. */
const HORIZON_MS = 20_000;
/** A failing one takes over less: what waits for it is better off in the database, where any node may take it. */
const FAILING_HORIZON_MS = 2_000;

/** One endpoint's leased deliveries on this node. First attempts and retries take turns. */
export class Lane {
  readonly id: string;
  health: Health;
  kind: SlotKind;
  inFlight = 0;
  target: Target | null = null;
  /** Known once the target was. */
  organizationId: string | null = null;
  loading = false;
  /** Set while a timer will wake the lane. */
  cancelTimer: (() => void) | null = null;
  /** On the monotonic clock: when an answer came last, or the first of the requests in flight was sent. */
  progressAt = 0;
  /** It was at least half full, so that more may be due for it. */
  mayWantMore = false;
  /** Rounds of attempts in a row that failed through a fault of ours. */
  ownFaults = 0;
  /** On the monotonic clock: nothing is sent before. */
  #heldUntil = 0;
  #first: LeasedDelivery[] = [];
  #retries: LeasedDelivery[] = [];
  #retryNext = false;

  constructor(id: string, health: Health, kind: SlotKind) {
    this.id = id;
    this.health = health;
    this.kind = kind;
  }

  get waiting(): number {
    return this.#first.length + this.#retries.length;
  }

  /** How many deliveries may wait here: what is sent soon, however fast or slow the endpoint answers. */
  capacity(nodes: number): number {
    const rate = this.target?.rateLimit ?? null;
    const limited = rate === null ? LIMITS.endpointWaiting : Math.ceil((rate * HORIZON_MS) / 1000 / nodes);
    return Math.min(LIMITS.endpointWaiting, limited, this.#affordable());
  }

  #affordable(): number {
    const { durationMs, limit } = this.health;
    const within = (ms: number) => Math.ceil((limit * ms) / Math.max(1, durationMs ?? 1));
    switch (this.kind) {
      case 'quick':
      case 'slow':
        return Math.max(LIMITS.failingWaiting, within(HORIZON_MS));
      case 'new':
        return LIMITS.doubtfulWaiting;
      case 'failing':
        if (durationMs === null) return LIMITS.failingWaiting;
        return Math.max(LIMITS.failingWaiting, Math.min(LIMITS.doubtfulWaiting, within(FAILING_HORIZON_MS)));
      case 'stalled':
        return LIMITS.failingWaiting;
      default:
        return this.kind satisfies never;
    }
  }

  add(delivery: LeasedDelivery): void {
    (delivery.attempt === 1 ? this.#first : this.#retries).push(delivery);
  }

  /** Takes back one that was not really sent: it is the next. */
  putBack(delivery: LeasedDelivery): void {
    (delivery.attempt === 1 ? this.#first : this.#retries).unshift(delivery);
  }

  take(): LeasedDelivery | undefined {
    const [preferred, other] = this.#retryNext ? [this.#retries, this.#first] : [this.#first, this.#retries];
    this.#retryNext = !this.#retryNext;
    return preferred.shift() ?? other.shift();
  }

  /** Gives up what waits, but for so many of each kind that are kept: the ones that came first. */
  clear(keep = 0): LeasedDelivery[] {
    return [...this.#first.splice(Math.ceil(keep / 2)), ...this.#retries.splice(Math.ceil(keep / 2))];
  }

  /** Gives up what cannot be sent and recorded in its lease any more: leases that end before this time. */
  clearEndingBefore(time: number): LeasedDelivery[] {
    const waiting = this.clear();
    for (const delivery of waiting) if (delivery.leaseEndsAt >= time) this.add(delivery);
    return waiting.filter((delivery) => delivery.leaseEndsAt < time);
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

  /** Nothing is sent for so long: the receiver asked for it, or we have trouble of our own. */
  hold(now: number, ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, now + Math.min(ms, LIMITS.holdMs));
  }
}
