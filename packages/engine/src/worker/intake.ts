import type { LeasedDelivery } from '../core/delivery.ts';
import { EventMemory } from '../core/event-memory.ts';
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
  /** Bytes of events that may be held. */
  readonly maxBytes: number;
}

/**
 * What this node may still take over. Leases are shared as slots are: endpoints without a history and those in trouble
 * may hold few, so that one that answers well always finds some.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #memory = new EventMemory();
  #held = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Leases held: waiting, in flight, or sent and not yet recorded. */
  get held(): number {
    return this.#held;
  }

  /** Leases that the node can still take: none without memory for their events. */
  get room(): number {
    return this.roomBytes === 0 ? 0 : Math.max(0, LIMITS.nodeLeases - this.#held);
  }

  /** Bytes of the events held, see `eventBytes`. */
  get heldBytes(): number {
    return this.#memory.bytes;
  }

  get roomBytes(): number {
    return Math.max(0, this.#options.maxBytes - this.#memory.bytes);
  }

  /** Too little is left for a whole claim. */
  get isShort(): boolean {
    return this.room < LIMITS.claimBatch || this.roomBytes < this.#options.maxBytes / 4;
  }

  add(deliveries: readonly LeasedDelivery[]): void {
    this.#held += deliveries.length;
    for (const delivery of deliveries) this.#memory.hold(delivery);
  }

  remove(deliveries: readonly LeasedDelivery[]): void {
    this.#held -= deliveries.length;
    for (const delivery of deliveries) this.#memory.drop(delivery);
  }

  /** How many deliveries may wait in this lane. */
  capacity(lane: Lane): number {
    const { nodes, scheduler } = this.#options;
    const share = LIMITS.nodeLeases / scheduler.lanes.size;
    const own = lane.capacity(nodes());
    if (this.#isDoubtful(lane)) return Math.min(own, Math.max(1, Math.floor(share * LIMITS.newShare)));
    return this.#isScarce(0.75) ? Math.min(own, Math.max(1, Math.floor(share))) : own;
  }

  /** So that more may be asked for before it is empty. */
  isHalfFull(lane: Lane): boolean {
    return 2 * lane.waiting >= this.capacity(lane);
  }

  /** How many of those that wait in this lane should go back to the queue. */
  surplus(lane: Lane): number {
    if (this.#isDoubtful(lane) && this.#doubtfulAreHeavy()) return lane.waiting;
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
      if (isInTrouble || lane.waiting >= this.capacity(lane) || this.#isHeavy(lane.id)) full.push(lane.id);
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
    const withoutDoubtful = this.#doubtfulAreHeavy();
    for (const lane of lanes.values()) {
      const none = lane.health.avoidedUntil > now || this.#isHeavy(lane.id) || (withoutDoubtful && this.#isDoubtful(lane));
      rooms.set(lane.id, none ? 0 : Math.max(0, this.capacity(lane) - lane.waiting));
    }
    for (const [id, { avoidedUntil }] of health.troubled(now))
      if (!lanes.has(id)) rooms.set(id, avoidedUntil > now || withoutDoubtful ? 0 : LIMITS.failingWaiting);
    if (withoutDoubtful) return { rooms, others: 0 };
    const share = (LIMITS.nodeLeases * LIMITS.newShare) / Math.max(1, lanes.size);
    return { rooms, others: Math.max(LIMITS.failingWaiting, Math.min(LIMITS.doubtfulWaiting, Math.floor(share))) };
  }

  #isDoubtful({ kind }: Lane): boolean {
    return kind === 'new' || kind === 'failing' || kind === 'stalled';
  }

  /** Large events of one endpoint take a quarter of the memory at most, and nothing of the last quarter. */
  #isHeavy(id: string): boolean {
    const bytes = this.#memory.large.get(id) ?? 0;
    return bytes > 0 && (bytes >= this.#options.maxBytes / 4 || this.#memory.bytes >= 0.75 * this.#options.maxBytes);
  }

  /** Endpoints without a history and those in trouble hold half of the memory together. */
  #doubtfulAreHeavy(): boolean {
    const half = this.#options.maxBytes / 2;
    if (this.#memory.bytes < half) return false;
    let bytes = 0;
    for (const [id, some] of this.#memory.large) {
      const lane = this.#options.scheduler.lanes.get(id);
      if (lane !== undefined && this.#isDoubtful(lane)) bytes += some;
    }
    return bytes >= half;
  }

  #isScarce(part: number): boolean {
    return this.#held > part * LIMITS.nodeLeases;
  }
}
