import { LIMITS } from '../core/limits.ts';
import { HealthBook, type HealthKind } from './health.ts';
import { Lane } from './lane.ts';
import { nodeAdmits, organizationAdmits, SHARES, SlotCount, type SlotKind } from './slots.ts';
import { Turns } from './turns.ts';

const KINDS: readonly HealthKind[] = ['quick', 'slow', 'new', 'failing'];
/** While fewer slots than this part are free, nobody goes beyond an equal share of all. */
const SCARCE = 0.25;
const NONE = new SlotCount();

/** Decides whose turn it is to send: what is known of each endpoint, who waits, and which slots are in use. */
export class Scheduler {
  readonly #monotonic: () => number;
  readonly #lanes = new Map<string, Lane>();
  readonly #health = new HealthBook();
  readonly #ready = new Turns();
  readonly #node = new SlotCount();
  readonly #organizations = new Map<string, SlotCount>();
  /** Lanes that wait for a slot of their organization. */
  readonly #parked = new Map<string, Turns>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get inFlight(): number {
    return this.#node.total;
  }

  get lanes(): ReadonlyMap<string, Lane> {
    return this.#lanes;
  }

  /** What is remembered of endpoints, whether they have a lane or not. */
  get health(): HealthBook {
    return this.#health;
  }

  /** The endpoint's lane; made when there is none. */
  open(id: string): Lane {
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      const health = this.#health.of(id);
      lane = new Lane(id, health, health.kind(this.#monotonic()));
      this.#lanes.set(id, lane);
    }
    return lane;
  }

  close(lane: Lane): void {
    this.#withdraw(lane);
    this.#lanes.delete(lane.id);
  }

  /** The endpoint was changed: what was known of it is void. */
  forget(id: string): void {
    this.#health.forget(id);
    const lane = this.#lanes.get(id);
    if (lane === undefined) return;
    lane.health = this.#health.of(id);
    this.classify(lane);
  }

  /** The lane wants to send, if it may have another request in flight. */
  offer(lane: Lane): void {
    this.classify(lane);
    if (lane.waiting === 0 || lane.target === null || lane.kind === 'stalled') return;
    if (lane.inFlight < lane.health.limitAt(this.#monotonic())) this.#ready.add(lane);
  }

  /** The lane whose turn it is, if there is a slot for it. */
  next(): Lane | null {
    for (;;) {
      const lane = this.#ready.take(
        (kind) => nodeAdmits(this.#node, kind),
        (one) => this.#mayGo(one),
      );
      if (lane === null) return null;
      if (lane.waiting === 0 || lane.target === null) continue;
      const { organizationId } = lane.target;
      if (this.#admits(organizationId, lane.kind)) return lane;
      this.#park(lane, organizationId);
    }
  }

  /** Something has happened to the endpoint: notes whether it is in trouble. */
  review(lane: Lane): void {
    this.#health.review(lane.id, lane.health, this.#monotonic());
    this.classify(lane);
  }

  /** A request goes out. */
  began(lane: Lane, organizationId: string): void {
    if (lane.inFlight === 0) lane.progressAt = this.#monotonic();
    lane.inFlight += 1;
    lane.organizationId = organizationId;
    this.#count(lane, 1);
    this.#unpark(organizationId); // there may be a slot for another one
  }

  /** A request came back, for better or worse. */
  ended(lane: Lane): void {
    this.#count(lane, -1);
    lane.inFlight -= 1;
    lane.progressAt = this.#monotonic();
    this.review(lane);
    this.#unpark(lane.organizationId!);
  }

  /** Looks for endpoints that have stopped answering; gives the lanes that have just become stalled. */
  findStalled(): Lane[] {
    const found: Lane[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.inFlight === 0 || lane.kind === 'stalled' || lane.kind === 'failing') continue;
      this.classify(lane);
      if (this.#kindOf(lane) === 'stalled') found.push(lane);
    }
    return found;
  }

  /** Brings the lane's kind up to date, and the counts with it. */
  classify(lane: Lane): void {
    const kind = this.#kindOf(lane);
    if (kind === lane.kind) return;
    const waited = this.#withdraw(lane);
    if (lane.inFlight > 0) this.#count(lane, -lane.inFlight);
    lane.kind = kind;
    if (lane.inFlight > 0) this.#count(lane, lane.inFlight);
    if (waited) this.offer(lane);
    if (lane.inFlight > 0) this.#unpark(lane.organizationId!);
  }

  #kindOf(lane: Lane): SlotKind {
    const now = this.#monotonic();
    const kind = lane.health.kind(now);
    const isStalled = lane.inFlight > 0 && kind !== 'failing' && now - lane.progressAt > lane.health.stalledAfterMs;
    return isStalled ? 'stalled' : kind;
  }

  /** When slots are scarce, a lane that has its equal share waits for those that have less; the last ones are for those that have none. */
  #mayGo(lane: Lane): boolean {
    if (this.#node.total >= LIMITS.doubtfulShare * LIMITS.nodeInFlight) return lane.inFlight === 0;
    const slots = SHARES[lane.kind] * LIMITS.nodeInFlight;
    const isScarce = this.#node.total >= (1 - SCARCE) * LIMITS.nodeInFlight || this.#node.of(lane.kind) >= (1 - SCARCE) * slots;
    return !isScarce || lane.inFlight < Math.max(1, Math.floor(slots / this.#lanes.size));
  }

  #admits(organizationId: string, kind: SlotKind): boolean {
    return organizationAdmits(this.#organizations.get(organizationId) ?? NONE, kind);
  }

  #count(lane: Lane, change: number): void {
    this.#node.add(lane.kind, change);
    const id = lane.organizationId!;
    let organization = this.#organizations.get(id);
    if (organization === undefined) {
      organization = new SlotCount();
      this.#organizations.set(id, organization);
    }
    organization.add(lane.kind, change);
    if (organization.total === 0) this.#organizations.delete(id);
  }

  #park(lane: Lane, organizationId: string): void {
    let parked = this.#parked.get(organizationId);
    if (parked === undefined) {
      parked = new Turns();
      this.#parked.set(organizationId, parked);
    }
    lane.organizationId = organizationId;
    parked.add(lane);
  }

  /** Something of the organization has changed: of each kind that has a slot again, the lane that waited longest goes on. */
  #unpark(organizationId: string): void {
    const parked = this.#parked.get(organizationId);
    if (parked === undefined) return;
    for (const kind of KINDS) {
      if (!this.#admits(organizationId, kind)) continue;
      for (let lane = parked.takeFirst(kind); lane !== null; lane = parked.takeFirst(kind)) {
        this.offer(lane);
        if (this.#ready.has(lane)) break; // those that were emptied meanwhile are passed over
      }
    }
    if (parked.size === 0) this.#parked.delete(organizationId);
  }

  /** Takes the lane out of whatever it waits in; says whether it waited. */
  #withdraw(lane: Lane): boolean {
    const wasReady = this.#ready.delete(lane);
    const parked = lane.organizationId === null ? undefined : this.#parked.get(lane.organizationId);
    const wasParked = parked?.delete(lane) ?? false;
    return wasReady || wasParked;
  }
}
