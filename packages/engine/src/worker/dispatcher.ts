import type { Clock } from '../core/clock.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { outcomeOf, type AttemptResult } from '../core/outcome.ts';
import type { Observer } from '../core/observer.ts';
import type { DeliveryResult } from '../store/record/result.ts';
import { Lane } from './lane.ts';
import { reportAttempt } from './report.ts';
import { buildRequest, type Sender } from './request.ts';
import type { Target, TargetCache } from './targets.ts';
import type { Transport } from './transport.ts';

/** When so few wait for an endpoint that had its fill, more are asked for: the claim is done before the lane is empty. */
const LOW_WATER = LIMITS.endpointWaiting / 2;

/** What the log keeps of a request: the time is the signed one. */
type SentRequest = Pick<DeliveryResult, 'startedAt' | 'endpointVersion' | 'signature'>;

export interface DispatcherOptions {
  readonly targets: TargetCache;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer | undefined;
  /** Nodes that send, this one among them: each has an equal share of a rate limit. */
  readonly nodes: () => number;
  readonly retryDelayScale: number;
  readonly random: () => number;
  /** Takes an attempt's result to the recorder. The delivery counts as held until `recorded` says otherwise. */
  readonly record: (delivery: LeasedDelivery, result: DeliveryResult) => void;
  /** A lane that was full has room again, or the node has. */
  readonly onRoom: () => void;
  /** Gives leases back that cannot be used in time. */
  readonly release: (deliveries: readonly LeasedDelivery[]) => void;
}

/**
 * Sends what this node has leased. Lanes take turns, and each endpoint, each organization and the node have a cap on
 * requests in flight, so that an endpoint that never answers holds up nobody but itself.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that may send now, in turn; a Set because it keeps order and forgets in constant time. */
  readonly #ready = new Set<Lane>();
  readonly #organizationInFlight = new Map<string, number>();
  /** Lanes that wait for their organization's cap. */
  readonly #parked = new Map<string, Set<Lane>>();
  #toLoad = new Set<Lane>();
  #inFlight = 0;
  #sentInTurn = 0;
  #held = 0;
  #stopping = false;
  #onIdle: (() => void) | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Leases held: waiting, in flight, or sent and not yet recorded. */
  get held(): number {
    return this.#held;
  }

  /** Leases that the node can still take. */
  get room(): number {
    return this.#stopping ? 0 : Math.max(0, LIMITS.nodeLeases - this.#held);
  }

  /** Endpoints that have as much waiting here as they may. */
  fullEndpoints(): string[] {
    const nodes = this.#options.nodes();
    const full: string[] = [];
    for (const lane of this.#lanes.values()) if (lane.isFull(nodes)) full.push(lane.id);
    return full;
  }

  /** Endpoints that failed lately on this node. */
  failingEndpoints(): string[] {
    return [];
  }

  /** The endpoints that deliveries wait for, as they are known here. */
  known(): { id: string; version: number }[] {
    const known: { id: string; version: number }[] = [];
    for (const { id, target, waiting } of this.#lanes.values())
      if (waiting > 0 && target !== null) known.push({ id, version: target.version });
    return known;
  }

  /** Takes over leased deliveries; returns at once. */
  accept(deliveries: readonly LeasedDelivery[]): void {
    if (this.#stopping) {
      this.#options.release(deliveries);
      return;
    }
    this.#held += deliveries.length;
    for (const delivery of deliveries) {
      const lane = this.#lane(delivery.endpointId);
      lane.add(delivery);
      if (lane.target === null || lane.target.version < delivery.endpointVersion) {
        lane.target = this.#options.targets.get(delivery.endpointId, delivery.endpointVersion) ?? null;
      }
      this.#wake(lane);
    }
    this.#pump();
  }

  /** Counts leases that are recorded without being sent. */
  hold(count: number): void {
    this.#held += count;
  }

  /** The results of so many leases are stored. */
  recorded(count: number): void {
    this.#held -= count;
    this.#options.onRoom();
    this.#settle();
  }

  /** Gives back what waits for an endpoint that was disabled or changed; requests in flight go on. */
  releaseEndpoint(id: string): void {
    this.#options.targets.forget(id);
    const lane = this.#lanes.get(id);
    if (lane === undefined) return;
    const waiting = lane.clear();
    lane.target = null;
    this.#held -= waiting.length;
    this.#options.release(waiting);
    this.#tidy(lane);
  }

  /** Sends nothing new, gives back what waits, and waits for the requests in flight, at most `drainMs`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const lane of Array.from(this.#lanes.values())) {
      lane.cancelTimer?.();
      lane.cancelTimer = null;
      this.releaseEndpoint(lane.id);
    }
    if (this.#inFlight === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const cancel = this.#options.clock.after(LIMITS.drainMs, resolve);
    await promise;
    cancel();
  }

  #lane(id: string): Lane {
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      lane = new Lane(id);
      this.#lanes.set(id, lane);
    }
    return lane;
  }

  #wake(lane: Lane): void {
    if (lane.waiting === 0 || lane.inFlight >= LIMITS.endpointInFlight || lane.loading || lane.cancelTimer !== null) return;
    if (lane.target === null) {
      lane.loading = true;
      if (this.#toLoad.size === 0) setImmediate(() => void this.#loadTargets());
      this.#toLoad.add(lane);
      return;
    }
    this.#ready.add(lane);
  }

  #park(lane: Lane, organizationId: string): void {
    const parked = this.#parked.get(organizationId);
    if (parked === undefined) this.#parked.set(organizationId, new Set([lane]));
    else parked.add(lane);
  }

  /**
   * Sends what may be sent, a little in each turn of the event loop, so that answers are read in between. The number
   * of connections in use then follows the receivers' latency and not the caps: few warm ones carry more than many.
   */
  #pump(): void {
    while (this.#inFlight < LIMITS.nodeInFlight && this.#ready.size > 0) {
      if (this.#sentInTurn >= LIMITS.sendsPerTurn) return;
      const lane = this.#ready.values().next().value!;
      this.#ready.delete(lane);
      if (lane.target === null || lane.waiting === 0) continue;
      const { organizationId } = lane.target;
      if ((this.#organizationInFlight.get(organizationId) ?? 0) >= LIMITS.organizationInFlight) {
        this.#park(lane, organizationId);
        continue;
      }
      const now = this.#options.clock.monotonic();
      const wait = lane.wait(now);
      if (wait > 0) {
        this.#delay(lane, wait);
        continue;
      }
      if (this.#sentInTurn === 0) setImmediate(() => this.#nextTurn());
      this.#sentInTurn += 1;
      this.#send(lane, lane.target, lane.take()!, now);
      if (lane.waiting === LOW_WATER) this.#options.onRoom();
      this.#wake(lane);
    }
  }

  #delay(lane: Lane, ms: number): void {
    lane.cancelTimer = this.#options.clock.after(Math.ceil(ms), () => {
      lane.cancelTimer = null;
      this.#wake(lane);
      this.#tidy(lane);
      this.#pump();
    });
  }

  #nextTurn(): void {
    this.#sentInTurn = 0;
    this.#pump();
  }

  #send(lane: Lane, target: Target, delivery: LeasedDelivery, now: number): void {
    const { clock, nodes, release, transport } = this.#options;
    const { sender } = target;
    // Another node has taken its batch over, and sends it.
    if (delivery.batch?.isLost) {
      this.#held -= 1;
      return;
    }
    // A dialect that this version does not know (a newer node's) and a lease that ends too soon: somebody else's work.
    if (sender === null || now + sender.dialect.timeoutMs + LIMITS.leaseMarginMs > delivery.leaseEndsAt) {
      this.#held -= 1;
      release([delivery]);
      return;
    }
    lane.spend(now, nodes());
    this.#count(lane, target.organizationId, 1);
    const { attempt, event, id: deliveryId } = delivery;
    const signedAt = clock.now();
    const request = buildRequest(sender, { event, deliveryId, attempt, now: signedAt, timeoutMs: sender.dialect.timeoutMs });
    const sent = { startedAt: signedAt, endpointVersion: target.version, signature: request.signature };
    void transport.post(request).then((result) => {
      this.#count(lane, target.organizationId, -1);
      this.#finish(lane, target, sender, delivery, sent, result);
      this.#wake(lane);
      this.#pump();
      this.#tidy(lane);
      this.#settle();
    });
  }

  #finish(lane: Lane, target: Target, { dialect }: Sender, delivery: LeasedDelivery, sent: SentRequest, result: AttemptResult): void {
    const { clock, random, record, retryDelayScale } = this.#options;
    const outcome = outcomeOf(dialect, delivery.attempt, result, retryDelayScale, random);
    if (outcome.kind === 'retry' && outcome.pauseMs > 0) lane.hold(clock.monotonic(), outcome.pauseMs);
    reportAttempt(this.#options, target, dialect.name, delivery, result, outcome.kind);
    record(delivery, {
      ...sent,
      outcome: outcome.kind,
      durationMs: result.durationMs,
      status: result.status,
      error: result.error,
      responseBody: result.responseBody,
      dueAt: outcome.kind === 'retry' ? clock.now() + outcome.delayMs : null,
      disableAfterFailures: dialect.disableAfterFailures,
      goneDisables: dialect.goneDisables,
    });
  }

  #count(lane: Lane, organizationId: string, change: 1 | -1): void {
    lane.inFlight += change;
    this.#inFlight += change;
    const inFlight = (this.#organizationInFlight.get(organizationId) ?? 0) + change;
    if (inFlight === 0) this.#organizationInFlight.delete(organizationId);
    else this.#organizationInFlight.set(organizationId, inFlight);
    if (change === -1) this.#unpark(organizationId);
  }

  /** One slot is free: the lane that waited longest gets its turn. Lanes that were emptied meanwhile are passed over. */
  #unpark(organizationId: string): void {
    const parked = this.#parked.get(organizationId);
    if (parked === undefined) return;
    for (const lane of parked) {
      parked.delete(lane);
      this.#wake(lane);
      if (this.#ready.has(lane)) break;
    }
    if (parked.size === 0) this.#parked.delete(organizationId);
  }

  async #loadTargets(): Promise<void> {
    const lanes = [...this.#toLoad];
    this.#toLoad = new Set();
    let targets: Map<string, Target>;
    try {
      targets = await this.#options.targets.load(lanes.map((lane) => lane.id));
    } catch (error) {
      // The deliveries keep waiting; those whose lease runs short are given back when their turn comes.
      this.#options.log.warn({ err: error }, 'endpoints could not be loaded, trying again');
      this.#options.clock.after(LIMITS.storeRetryMs, () => this.#loaded(lanes, null));
      return;
    }
    this.#loaded(lanes, targets);
  }

  /** Takes over what was loaded; null means that nothing was, and that each lane asks again. */
  #loaded(lanes: readonly Lane[], targets: ReadonlyMap<string, Target> | null): void {
    for (const lane of lanes) {
      lane.loading = false;
      lane.target = targets?.get(lane.id) ?? null;
      if (targets !== null && lane.target === null) {
        // The endpoint is deleted: whoever deleted it, or the sweep, ends its rows.
        this.#held -= lane.clear().length;
      }
      this.#wake(lane);
      this.#tidy(lane);
    }
    this.#pump();
  }

  #tidy(lane: Lane): void {
    if (lane.waiting > 0 || lane.inFlight > 0 || lane.loading || lane.cancelTimer !== null) return;
    // The time before which nothing is sent must not be forgotten: the lane stays until then.
    const wait = lane.wait(this.#options.clock.monotonic());
    if (wait > 0 && !this.#stopping) {
      this.#delay(lane, wait);
      return;
    }
    this.#lanes.delete(lane.id);
    this.#ready.delete(lane);
  }

  #settle(): void {
    if (this.#stopping && this.#inFlight === 0) this.#onIdle?.();
  }
}
