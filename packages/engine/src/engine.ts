import { measureBacklog, measureOrganization, type Backlog, type OrganizationBacklog } from './backlog.ts';
import { CorrectedClock, systemClock, type Clock } from './core/clock.ts';
import { DialectRegistry, type Dialect, type StoredEvent } from './core/dialect.ts';
import type { Delivery, LeasedDelivery } from './core/delivery.ts';
import type { AttemptError } from './core/errors.ts';
import { uuidv7 } from './core/ids.ts';
import { LIMITS } from './core/limits.ts';
import { silentLog, type Log } from './core/log.ts';
import type { Observer } from './core/observer.ts';
import type { Sealer } from './core/seal.ts';
import { DeliveryLog, wholePage, type DeliveryPage } from './delivery-log.ts';
import { Endpoints } from './endpoints.ts';
import { previewRequest, type RequestPreview } from './preview.ts';
import { Replays } from './replays.ts';
import { Retention } from './retention.ts';
import type { Claim } from './store/claim.ts';
import type { Database, Transaction } from './store/database.ts';
import { oldestHistory } from './store/endings.ts';
import { findDelivery, type DeliveryFilter, type LoggedAttempt } from './store/deliveries.ts';
import { NOTHING_SENT, type Result } from './store/record/result.ts';
import { Agenda } from './worker/agenda.ts';
import { Claimer } from './worker/claimer.ts';
import { Dispatcher } from './worker/dispatcher.ts';
import { Endings } from './worker/endings.ts';
import { NetworkGuard, type TargetOptions } from './worker/guard.ts';
import type { ProxyOptions } from './worker/outbound/proxy.ts';
import { Publisher } from './worker/publisher.ts';
import { Recorder } from './worker/recorder.ts';
import { TargetCache } from './worker/targets.ts';
import { Transport } from './worker/transport.ts';
import { Upkeep } from './worker/upkeep.ts';
import { Watcher } from './worker/watcher.ts';

export interface EngineOptions extends TargetOptions, ProxyOptions {
  readonly database: Database;
  readonly dialects: readonly Dialect[];
  readonly sealer: Sealer;
  readonly clock?: Clock | undefined;
  readonly log?: Log | undefined;
  /** Multiplies every retry delay. */
  readonly retryDelayScale?: number | undefined;
  /** False for a node that only accepts events and leaves the sending to others. */
  readonly deliver?: boolean | undefined;
  /** Endpoints that an organization may have; `LIMITS.organizationEndpoints` when absent. */
  readonly organizationEndpoints?: number | undefined;
  /** Bytes of events in memory, waiting to be stored or sent; `LIMITS.eventMemoryBytes` when absent. */
  readonly eventMemoryBytes?: number | undefined;
  /** Days that history is kept, at least as long as the longest retry schedule; `LIMITS.retentionDays` when absent. */
  readonly retentionDays?: number | undefined;
  /** Tables of the engine's owner with UUIDv7 keys, partitioned by them: their days are made and dropped with the engine's own. */
  readonly partitionedTables?: readonly string[] | undefined;
  readonly observer?: Observer | undefined;
  /** [0, 1), for jitter. */
  readonly random?: (() => number) | undefined;
  readonly onDeadNodes?: ((nodeIds: readonly string[]) => void) | undefined;
}

export interface NewEvent {
  readonly organizationId: string;
  readonly type: string;
  /** JSON text; it is sent byte for byte as it is here. */
  readonly data: string;
  /** Unix milliseconds; now when absent. */
  readonly occurredAt?: number | undefined;
}

/** Counters of one node at one moment. */
export interface EngineActivity {
  readonly inFlight: number;
  /** Leases held: waiting for a slot, in flight, or waiting to be recorded. */
  readonly held: number;
  /** Bytes of their events, see `eventBytes`. */
  readonly heldBytes: number;
  /** Events that wait for their group commit. */
  readonly inboxEvents: number;
  /** Nodes that send, as of the last heartbeat. */
  readonly nodes: number;
  /** Milliseconds since the last heartbeat; beyond `LIMITS.deadAfterMs` others take over this node's work. */
  readonly silentMs: number;
  /** How far the system's time is ahead of the database's, which is used. */
  readonly systemAheadMs: number;
  /** Unix milliseconds that the age of history is counted from: a clock that leaps makes nothing old. */
  readonly historyTime: number;
}

/** Durable delivery: what was published and committed reaches every subscribed endpoint at least once. */
export class Engine {
  /** This process's name in leases; a new one at every start. */
  readonly nodeId: string;
  readonly endpoints: Endpoints;
  readonly replays: Replays;
  readonly retention: Retention;
  readonly dialects: DialectRegistry;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #readClock: Clock; // whoever waits for a read waits in real time
  readonly #deliver: boolean;
  readonly #transport: Transport;
  readonly #publisher: Publisher;
  readonly #dispatcher: Dispatcher;
  readonly #recorder: Recorder;
  /** Looks for all kinds of work that nobody announced to this node; its owner may have more of them. */
  readonly agenda: Agenda;
  readonly #claimer: Claimer;
  readonly #upkeep: Upkeep;
  readonly #watcher: Watcher;
  readonly #endings: Endings;
  readonly #preview: (organizationId: string, deliveryId: string) => Promise<RequestPreview | null>;

  constructor(options: EngineOptions) {
    const { database, observer, sealer } = options;
    const clock = options.clock ?? new CorrectedClock();
    const log = options.log ?? silentLog;
    const guard = new NetworkGuard(options, log);
    const agenda = (this.agenda = new Agenda({ database, clock, log, aloneSince: () => this.#upkeep.pulse.aloneSince }));
    this.#database = database;
    this.#clock = clock;
    this.#readClock = { ...systemClock, now: () => clock.now() };
    this.#deliver = options.deliver ?? true;
    this.nodeId = uuidv7(clock.now());
    this.dialects = new DialectRegistry(options.dialects);
    const { eventMemoryBytes = LIMITS.eventMemoryBytes, retentionDays: days, retryDelayScale = 1 } = options;
    this.retention = new Retention({ database, dialects: options.dialects, log, retryDelayScale, days });
    this.#transport = new Transport(guard, () => clock.now(), options);
    this.#preview = (organizationId, deliveryId) =>
      previewRequest({ database, dialects: this.dialects, sealer, retryDelayScale, now: clock.now() }, organizationId, deliveryId);
    this.#dispatcher = new Dispatcher({
      targets: new TargetCache(database.hot, this.dialects, sealer, log),
      transport: this.#transport,
      clock,
      log,
      observer,
      nodes: () => this.#upkeep.pulse.nodes,
      isSilent: () => this.#upkeep.pulse.isSilent,
      retryDelayScale,
      random: options.random ?? Math.random,
      maxEventBytes: eventMemoryBytes * LIMITS.leasedShare,
      record: (delivery, result) => this.#recorder.add({ delivery, ...result }),
      onRoom: () => this.#claimer.roomAgain(),
      release: (deliveries, error) => this.#release(deliveries, error),
    });
    this.#recorder = new Recorder({
      database,
      nodeId: this.nodeId,
      clock,
      log,
      observer,
      onRecorded: (results) => this.#recorded(results),
      onDisabled: (ids) => {
        for (const id of ids) this.#dispatcher.releaseEndpoint(id);
        this.#endings.wake();
      },
      onMissing: () => this.#endings.wake(),
    });
    this.#claimer = new Claimer({
      agenda,
      database,
      nodeId: this.nodeId,
      clock,
      log,
      observer,
      room: () => this.#dispatcher.room,
      roomBytes: () => this.#dispatcher.intake.roomBytes,
      rooms: () => this.#dispatcher.intake.rooms(),
      release: (deliveries) => this.#release(deliveries),
      accept: (deliveries) => this.#dispatcher.accept(deliveries),
      expire: (expired) => this.#expire(expired),
    });
    const wake = () => this.#claimer.wakeAt(clock.now());
    this.#upkeep = new Upkeep({
      agenda,
      database,
      nodeId: this.nodeId,
      delivers: this.#deliver,
      retentionDays: this.retention.days,
      partitionedTables: options.partitionedTables ?? [],
      clock,
      log,
      onReleased: wake,
      onDeadNodes: (ids) => options.onDeadNodes?.(ids),
      sealer,
      onHeard: (isTakenOver) => {
        this.#dispatcher.goOn(isTakenOver);
        wake();
      },
    });
    this.#watcher = new Watcher({
      database,
      clock,
      log,
      known: () => this.#dispatcher.known(),
      onChanged: (id) => {
        this.#dispatcher.releaseEndpoint(id);
        this.#endings.wake();
      },
    });
    this.#publisher = new Publisher({
      agenda,
      database,
      nodeId: this.nodeId,
      clock,
      log,
      observer,
      delivers: this.#deliver,
      dispatcher: this.#dispatcher,
      recorder: this.#recorder,
      maxInboxBytes: eventMemoryBytes * LIMITS.inboxShare,
      onQueued: wake,
    });
    this.#endings = new Endings({
      database,
      dialects: this.dialects,
      clock,
      log,
      onHistoryFloor: (timeMs) => (this.#recorder.historyFloorMs = timeMs),
    });
    this.replays = new Replays({ agenda, database, clock, log, onQueued: wake });
    this.endpoints = new Endpoints({
      database,
      dialects: this.dialects,
      sealer,
      clock,
      guard,
      transport: this.#transport,
      onChange: (id) => {
        this.#dispatcher.releaseEndpoint(id);
        wake(); // what waited for it may be due
        this.#endings.wake(); // or never be sent
      },
      maxEndpoints: options.organizationEndpoints ?? LIMITS.organizationEndpoints,
    });
  }

  async start(): Promise<void> {
    await this.#upkeep.start();
    this.#recorder.historyFloorMs = await oldestHistory(this.#database);
    this.#endings.start();
    this.#publisher.start();
    this.agenda.start();
    if (!this.#deliver) return;
    this.#claimer.start();
    this.#watcher.start();
    this.replays.run();
  }

  /** Accepts nothing new, finishes what is in flight, gives the rest back and forgets the node. */
  async stop(): Promise<void> {
    const idle = this.#dispatcher.stop(); // from here on nothing new is sent, and what comes in is given back
    await this.agenda.stop();
    await this.#publisher.stop();
    await this.replays.stop();
    await this.#endings.stop();
    await this.#watcher.stop();
    await this.#claimer.stop();
    await idle;
    await this.#recorder.drained();
    await this.#upkeep.stop();
    await this.#transport.close();
  }

  /**
   * Publishes inside the caller's transaction: the events and the caller's change commit together or not at all.
   * Sending starts after the commit. Returns the events' ids.
   */
  async publish(tx: Transaction, events: readonly NewEvent[]): Promise<string[]> {
    const stored = this.#stored(events);
    await this.#publisher.publish(tx, stored);
    return stored.map((event) => event.id);
  }

  /**
   * Publishes events that stand alone. Concurrent callers share one commit; resolves when it is on disk. Rejects with
   * `inbox_full` while more is waiting than the limit; then nothing of it is stored.
   */
  async submit(events: readonly NewEvent[]): Promise<string[]> {
    const stored = this.#stored(events);
    await this.#publisher.submit(stored);
    return stored.map((event) => event.id);
  }

  /** A page of the delivery log of an organization, newest first. After `LIMITS.readMs` it ends, and says how far it came. */
  deliveryPage(filter: DeliveryFilter, limit: number): Promise<DeliveryPage> {
    return new DeliveryLog(this.#database.reads, this.#readClock, filter, limit).read(LIMITS.readMs);
  }

  /** The same for who needs all of the page: rejects with `read_timeout` when it could not be filled in time. */
  async deliveries(filter: DeliveryFilter, limit: number): Promise<Delivery[]> {
    return wholePage(await this.deliveryPage(filter, limit));
  }

  delivery(organizationId: string, id: string): Promise<{ delivery: Delivery; attempts: LoggedAttempt[] } | null> {
    return findDelivery(this.#database.reads, organizationId, id);
  }

  /** What this node is doing now. */
  get activity(): EngineActivity {
    const { held, inFlight, intake } = this.#dispatcher;
    return { ...this.#upkeep.activity, inFlight, held, heldBytes: intake.heldBytes, inboxEvents: this.#publisher.waiting };
  }

  /** What waits in the database, for every node. Reads the queue: not for the hot path. */
  backlog(): Promise<Backlog> {
    return measureBacklog(this.#database.reads, this.#readClock);
  }

  /** What of one organization waits; each endpoint is counted up to `LIMITS.countedDeliveries`. */
  backlogOf(organizationId: string): Promise<OrganizationBacklog> {
    return measureOrganization(this.#database.reads, this.#readClock, organizationId);
  }

  /** The bytes and headers of a delivery's last or coming attempt; null when it, its event or its endpoint is gone. */
  requestOf(organizationId: string, deliveryId: string): Promise<RequestPreview | null> {
    return this.#preview(organizationId, deliveryId);
  }

  #stored(events: readonly NewEvent[]): StoredEvent[] {
    const now = this.#clock.now();
    return events.map((event) => ({
      id: uuidv7(now),
      organizationId: event.organizationId,
      type: event.type,
      data: event.data,
      occurredAt: event.occurredAt ?? now,
      encoded: undefined,
    }));
  }

  #recorded(results: readonly Result[]): void {
    const held: LeasedDelivery[] = [];
    for (const { delivery, dueAt, outcome } of results) {
      if (outcome !== 'released') held.push(delivery);
      if (dueAt !== null) this.#claimer.wakeAt(dueAt);
    }
    this.#dispatcher.recorded(held);
  }

  /** Gives back what cannot be sent from here: any node may take it. `error` says why, for people to see. */
  #release(deliveries: readonly LeasedDelivery[], error: AttemptError | null = null): void {
    const dueAt = this.#clock.now();
    for (const delivery of deliveries) this.#recorder.add({ delivery, ...NOTHING_SENT, outcome: 'released', error, dueAt });
  }

  /** Their events were dropped by retention: there is nothing to send, and the log says so. */
  #expire(expired: Claim['expired']): void {
    this.#dispatcher.hold(expired);
    for (const delivery of expired) this.#recorder.add({ delivery, ...NOTHING_SENT, outcome: 'exhausted', error: 'event_expired' });
  }
}
