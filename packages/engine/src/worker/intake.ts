import { LIMITS } from '../core/limits.ts';
import type { Lane } from './lane.ts';
import type { Scheduler } from './scheduler.ts';

/** How many deliveries each endpoint may get in one claim. */
export interface ClaimRooms {
  /** The endpoints that this node has an opinion of; 0 for none. */
  readonly rooms: ReadonlyMap<string, number>;
  /** All the others. */
  readonly others: number;
}

export interface IntakeOptions {
  readonly scheduler: Scheduler;
  readonly monotonic: () => number;
  /** Nodes that send, this one among them. */
  readonly nodes: () => number;
}

/**
 * What this node may still take over. Leases are shared as slots are: endpoints without a history and those in trouble
 * may hold few, so that one that answers well always finds some.
 */
export class Intake {
  readonly #options: IntakeOptions;
  #held = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Leases held: waiting, in flight, or sent and not yet recorded. */
  get held(): number {
    return this.#held;
  }

  get room(): number {
    return Math.max(0, LIMITS.nodeLeases - this.#held);
  }

  add(count: number): void {
    this.#held += count;
  }

  remove(count: number): void {
    this.#held -= count;
  }

  /** How many deliveries may wait in this lane. */
  capacity(lane: Lane): number {
    const { nodes, scheduler } = this.#options;
    const share = LIMITS.nodeLeases / scheduler.lanes.size;
    const own = lane.capacity(nodes());
    if (lane.kind === 'new' || lane.kind === 'failing' || lane.kind === 'stalled')
      return Math.min(own, Math.max(1, Math.floor(share * LIMITS.newShare)));
    return this.#isScarce(0.75) ? Math.min(own, Math.max(1, Math.floor(share))) : own;
  }

  /** So that more may be asked for before it is empty. */
  isHalfFull(lane: Lane): boolean {
    return 2 * lane.waiting >= this.capacity(lane);
  }

  /** How many of those that wait in this lane should go back to the queue. */
  surplus(lane: Lane): number {
    const isInTrouble = lane.kind === 'failing' || (lane.kind !== 'quick' && lane.kind !== 'slow' && this.#isScarce(0.5));
    return isInTrouble ? Math.max(0, lane.waiting - this.capacity(lane)) : 0;
  }

  /** Endpoints whose new deliveries go to the queue: they have as much waiting here as they may, or are in trouble. */
  full(): string[] {
    const now = this.#options.monotonic();
    const { health, lanes } = this.#options.scheduler;
    const full: string[] = [];
    for (const lane of lanes.values()) {
      const isInTrouble = lane.kind === 'failing' || lane.kind === 'stalled' || lane.health.avoidedUntil > now;
      if (isInTrouble || lane.waiting >= this.capacity(lane)) full.push(lane.id);
    }
    for (const [id] of health.troubled(now)) if (!lanes.has(id)) full.push(id);
    return full;
  }

  /** Endpoints that failed since they last succeeded. */
  failing(): string[] {
    const failing: string[] = [];
    for (const { health, id } of this.#options.scheduler.lanes.values()) if (health.failedLately) failing.push(id);
    return failing;
  }

  /** What a claim may bring. */
  rooms(): ClaimRooms {
    const now = this.#options.monotonic();
    const { health, lanes } = this.#options.scheduler;
    const rooms = new Map<string, number>();
    for (const lane of lanes.values())
      rooms.set(lane.id, lane.health.avoidedUntil > now ? 0 : Math.max(0, this.capacity(lane) - lane.waiting));
    for (const [id, { avoidedUntil }] of health.troubled(now))
      if (!lanes.has(id)) rooms.set(id, avoidedUntil > now ? 0 : LIMITS.failingWaiting);
    const share = (LIMITS.nodeLeases * LIMITS.newShare) / Math.max(1, lanes.size);
    return { rooms, others: Math.max(LIMITS.failingWaiting, Math.min(LIMITS.doubtfulWaiting, Math.floor(share))) };
  }

  #isScarce(part: number): boolean {
    return this.#held > part * LIMITS.nodeLeases;
  }
}
