import type { Clock } from '../core/clock.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import type { AttemptError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { outcomeOf, type AttemptResult } from '../core/outcome.ts';
import type { Observer } from '../core/observer.ts';
import type { DeliveryResult } from '../store/record/result.ts';
import { attempt, type SentRequest } from './attempt.ts';
import { Intake } from './intake.ts';
import type { Lane } from './lane.ts';
import { Loader } from './loader.ts';
import { reportAttempt } from './report.ts';
import type { Sender } from './request.ts';
import { Scheduler } from './scheduler.ts';
import type { Target, TargetCache } from './targets.ts';
import type { Transport } from './transport.ts';

export interface DispatcherOptions {
  readonly targets: TargetCache;
  readonly transport: Pick<Transport, 'post'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer | undefined;
  /** Nodes that send, this one among them: each has an equal share of a rate limit. */
  readonly nodes: () => number;
  readonly retryDelayScale: number;
  readonly random: () => number;
  /** Bytes of events that may be held, see `eventBytes`. */
  readonly maxEventBytes: number;
  /** Takes an attempt's result to the recorder. The delivery counts as held until `recorded` says otherwise. */
  readonly record: (delivery: LeasedDelivery, result: DeliveryResult) => void;
  /** A lane that was full has room again, or the node has. */
  readonly onRoom: () => void;
  /** Gives leases back: what cannot be used in time, and what this node cannot send through no fault of the receiver. */
  readonly release: (deliveries: readonly LeasedDelivery[], error?: AttemptError) => void;
  readonly isSilent: () => boolean;
}

/**
 * Sends what this node has leased. Lanes take turns, and each endpoint, each organization and the node have a cap on
 * requests in flight, so that an endpoint that never answers holds up nobody but itself.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #scheduler: Scheduler;
  /** What may still be taken over. */
  readonly intake: Intake;
  readonly #loader: Loader;
  #sentInTurn = 0;
  #isWatching = false;
  #stopping = false;
  #onIdle: (() => void) | null = null;

  constructor(options: DispatcherOptions) {
    const { clock, log, nodes, targets } = options;
    const monotonic = () => clock.monotonic();
    this.#options = options;
    this.#scheduler = new Scheduler(monotonic);
    this.intake = new Intake({ scheduler: this.#scheduler, monotonic, nodes, maxBytes: options.maxEventBytes });
    this.#loader = new Loader({
      targets,
      clock,
      log,
      onLoaded: (lane, target) => this.#loaded(lane, target),
      onDone: () => this.#pump(),
    });
  }

  get inFlight(): number {
    return this.#scheduler.inFlight;
  }

  /** Leases held: waiting, in flight, or sent and not yet recorded. */
  get held(): number {
    return this.intake.held;
  }

  /** Leases that the node can still take. */
  get room(): number {
    return this.#stopping || this.#options.isSilent() ? 0 : this.intake.room;
  }

  /** Endpoints whose new deliveries are left in the queue: they have as much waiting here as they may, or are in trouble. */
  fullEndpoints(): string[] {
    return this.intake.full();
  }

  /** Endpoints that failed lately: their deliveries get rows of their own at once. */
  failingEndpoints(): string[] {
    return this.intake.failing();
  }

  /** The endpoints that deliveries wait for, as they are known here. */
  known(): { id: string; version: number }[] {
    const known: { id: string; version: number }[] = [];
    for (const { id, target, waiting } of this.#scheduler.lanes.values())
      if (waiting > 0 && target !== null) known.push({ id, version: target.version });
    return known;
  }

  /** Takes over leased deliveries; returns at once. */
  accept(deliveries: readonly LeasedDelivery[]): void {
    if (this.#stopping) {
      this.#options.release(deliveries);
      return;
    }
    this.intake.add(deliveries);
    const lanes = new Set<Lane>();
    for (const delivery of deliveries) {
      const lane = this.#scheduler.open(delivery.endpointId);
      lane.add(delivery);
      lanes.add(lane);
      if (lane.target === null || lane.target.version < delivery.endpointVersion) {
        lane.target = this.#options.targets.get(delivery.endpointId, delivery.endpointVersion) ?? null;
      }
    }
    for (const lane of lanes) {
      this.#giveBack(lane, this.intake.surplus(lane));
      lane.mayWantMore ||= this.intake.isHalfFull(lane);
      this.#wake(lane);
    }
    this.#pump();
  }

  /** Counts leases that are recorded without being sent. */
  hold(deliveries: readonly LeasedDelivery[]): void {
    this.intake.add(deliveries);
  }

  /** The results of these are stored. */
  recorded(deliveries: readonly LeasedDelivery[]): void {
    const wasShort = this.intake.isShort;
    this.intake.remove(deliveries);
    if (wasShort && !this.intake.isShort) this.#options.onRoom();
    this.#settle();
  }

  /** The node is heard again. What others took over meanwhile is forgotten; results of requests in flight are refused by their lease. */
  goOn(isTakenOver: boolean): void {
    for (const lane of isTakenOver ? Array.from(this.#scheduler.lanes.values()) : []) {
      this.intake.remove(lane.clear());
      this.#tidy(lane);
    }
    this.#pump();
  }

  /** Gives back what waits for an endpoint that was disabled or changed; requests in flight go on. */
  releaseEndpoint(id: string): void {
    this.#options.targets.forget(id);
    this.#scheduler.forget(id);
    const lane = this.#scheduler.lanes.get(id);
    if (lane === undefined) return;
    lane.target = null;
    this.#giveBack(lane, lane.waiting);
    this.#tidy(lane);
  }

  /** Sends nothing new, gives back what waits, and waits for the requests in flight, at most `drainMs`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const lane of Array.from(this.#scheduler.lanes.values())) {
      lane.cancelTimer?.();
      lane.cancelTimer = null;
      this.releaseEndpoint(lane.id);
    }
    if (this.inFlight === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const cancel = this.#options.clock.after(LIMITS.drainMs, resolve);
    await promise;
    cancel();
  }

  #wake(lane: Lane): void {
    if (lane.waiting === 0 || lane.loading || lane.cancelTimer !== null) return;
    if (lane.target === null) this.#loader.add(lane);
    else this.#scheduler.offer(lane);
  }

  /**
   * Sends what may be sent, a little in each turn of the event loop, so that answers are read in between. The number
   * of connections in use then follows the receivers' latency and not the caps: few warm ones carry more than many.
   */
  #pump(): void {
    if (this.#options.isSilent()) return; // `goOn` follows
    while (this.#sentInTurn < LIMITS.sendsPerTurn) {
      const lane = this.#scheduler.next();
      if (lane === null) return;
      const now = this.#options.clock.monotonic();
      const wait = lane.wait(now);
      if (wait > 0) {
        this.#delay(lane, wait);
        continue;
      }
      this.#sendNext(lane, lane.target!, now);
      if (lane.mayWantMore && !this.intake.isHalfFull(lane)) {
        lane.mayWantMore = false;
        this.#options.onRoom();
      }
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

  #sendNext(lane: Lane, target: Target, now: number): void {
    const { sender } = target;
    if (typeof sender === 'string') {
      // Somebody else's work: another node may know the dialect, or have the key. This one asks again later.
      this.#avoid(lane, sender === 'unknown_dialect' ? undefined : sender);
      return;
    }
    const delivery = lane.take()!;
    // Another node has taken its batch over, and sends it.
    if (delivery.batch?.isLost) {
      this.intake.remove([delivery]);
      return;
    }
    const neededUntil = now + sender.dialect.timeoutMs + LIMITS.leaseMarginMs;
    if (neededUntil > delivery.leaseEndsAt) {
      const late = [delivery, ...lane.clearEndingBefore(neededUntil)];
      this.intake.remove(late);
      this.#options.release(late);
      return;
    }
    if (this.#sentInTurn === 0) setImmediate(() => this.#nextTurn());
    this.#sentInTurn += 1;
    lane.spend(now, this.#options.nodes());
    this.#scheduler.began(lane, target.organizationId);
    this.#watch();
    void attempt(this.#options, sender, target.version, delivery).then(([sent, result]) => {
      this.#ended(lane, target, sender, delivery, sent, result);
    });
  }

  #nextTurn(): void {
    this.#sentInTurn = 0;
    this.#pump();
  }

  #ended(lane: Lane, target: Target, { dialect }: Sender, delivery: LeasedDelivery, sent: SentRequest, result: AttemptResult): void {
    const { clock, random, record, retryDelayScale } = this.#options;
    const now = clock.monotonic();
    if (result.ours === true && lane.health.timesAvoided < LIMITS.ownFaultRounds) {
      this.#scheduler.ended(lane);
      this.#tryAgain(lane, delivery, result);
    } else {
      lane.ownFaults = 0;
      lane.health.note(now, result, lane.inFlight >= lane.health.limitAt(now));
      this.#scheduler.ended(lane);
      const outcome = outcomeOf(dialect, delivery.attempt, result, retryDelayScale, random);
      if (outcome.kind === 'retry' && outcome.pauseMs > 0) lane.hold(now, outcome.pauseMs);
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
      this.#giveBack(lane, this.intake.surplus(lane));
    }
    this.#wake(lane);
    this.#pump();
    this.#tidy(lane);
    this.#settle();
  }

  /** A fault of ours uses up no attempt: it is made again in a moment, and after some rounds the queue has it back. */
  #tryAgain(lane: Lane, delivery: LeasedDelivery, { error }: AttemptResult): void {
    const now = this.#options.clock.monotonic();
    lane.putBack(delivery);
    if (this.#stopping) {
      this.#giveBack(lane, lane.waiting);
      return;
    }
    if (lane.wait(now) > 0) return; // one of those that were in flight together
    lane.hold(now, LIMITS.ownFaultMs * 2 ** lane.ownFaults);
    lane.ownFaults += 1;
    if (lane.ownFaults < LIMITS.ownFaultTries) return;
    this.#options.log.error({ endpoint: lane.id, error }, 'requests cannot be made from here; what waits for the endpoint goes back');
    lane.ownFaults = 0;
    this.#avoid(lane, error ?? undefined);
  }

  /** Leaves an endpoint to other nodes for a while. */
  #avoid(lane: Lane, error: AttemptError | undefined): void {
    lane.health.avoid(this.#options.clock.monotonic());
    this.#scheduler.review(lane);
    this.#giveBack(lane, lane.waiting, error);
    this.#tidy(lane);
  }

  /** Gives so many of those that wait back to the queue, the newest first. */
  #giveBack(lane: Lane, count: number, error?: AttemptError): void {
    if (count === 0) return;
    const deliveries = lane.clear(lane.waiting - count);
    this.intake.remove(deliveries);
    this.#options.release(deliveries, error);
  }

  /** Looks for endpoints that have stopped answering, as long as requests are in flight. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#options.clock.after(LIMITS.stallCheckMs, () => {
      this.#isWatching = false;
      for (const lane of this.#scheduler.findStalled()) this.#giveBack(lane, this.intake.surplus(lane));
      this.#pump();
      if (this.inFlight > 0) this.#watch();
    });
  }

  #loaded(lane: Lane, target: Target | 'gone' | null): void {
    if (target === 'gone') {
      // The endpoint is deleted: given back, its deliveries are ended with all others that wait for it.
      this.#giveBack(lane, lane.waiting);
    } else if (target !== null) {
      lane.target = target;
      lane.health.begin(this.#options.clock.monotonic(), target.past);
    }
    this.#wake(lane);
    this.#tidy(lane);
  }

  #tidy(lane: Lane): void {
    if (lane.waiting > 0 || lane.inFlight > 0 || lane.loading || lane.cancelTimer !== null) return;
    // The time before which nothing is sent must not be forgotten: the lane stays until then.
    const wait = lane.wait(this.#options.clock.monotonic());
    if (wait > 0 && !this.#stopping) this.#delay(lane, wait);
    else this.#scheduler.close(lane);
  }

  #settle(): void {
    if (this.#stopping && this.inFlight === 0) this.#onIdle?.();
  }
}
