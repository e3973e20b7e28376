import type { Clock } from '../core/clock.ts';
import type { StoredEvent } from '../core/dialect.ts';
import { uuidv7 } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Observer } from '../core/observer.ts';
import { takeOverBatch } from '../store/batches.ts';
import { loadEvents } from '../store/claim.ts';
import type { Database, Queryable, Transaction } from '../store/database.ts';
import { publishEvents, type Published, type PublishOptions } from '../store/publish.ts';
import { isDataError } from '../store/trouble.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Agenda } from './agenda.ts';
import { FanOut } from './fan-out.ts';
import { Inbox } from './inbox.ts';
import { persistently } from './persistently.ts';
import type { Recorder } from './recorder.ts';

/** Publish statements at once on PostgreSQL: while one waits for the disk the next one is built. */
const PUBLISH_CONCURRENCY = 2;

/** How slowly a fan-out that was seen once is forgotten: of 100 a tenth is left after some twenty commits. */
const FORGETTING = 0.9;

export interface PublisherOptions {
  readonly agenda: Agenda;
  readonly database: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer | undefined;
  /** False: others send what is published here. */
  readonly delivers: boolean;
  readonly dispatcher: Dispatcher;
  /** Bytes of data that may wait for their commit. */
  readonly maxInboxBytes: number;
  readonly recorder: Recorder;
  /** Deliveries may wait for any node. */
  readonly onQueued: () => void;
}

/** The way of an event to the disk, and of its deliveries to whoever sends them. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #inbox: Inbox;
  readonly #fanOut: FanOut;
  #takingOver: Promise<void> = Promise.resolve();
  /** Deliveries that an event made lately. */
  #perEvent = 1;

  constructor(options: PublisherOptions) {
    const { agenda, clock, database, log, onQueued } = options;
    this.#options = options;
    this.#inbox = new Inbox({
      publish: (events) => this.#commit(events),
      concurrency: database.kind === 'postgres' ? PUBLISH_CONCURRENCY : 1,
      maxBytes: options.maxInboxBytes,
      monotonic: () => clock.monotonic(),
    });
    this.#fanOut = new FanOut({
      agenda,
      database,
      clock,
      log,
      placement: () => this.#placement(0),
      accept: (published) => this.#accept(published),
      onQueued,
    });
  }

  /** Events that wait for their group commit. */
  get waiting(): number {
    return this.#inbox.waiting;
  }

  start(): void {
    this.#fanOut.start();
  }

  /** Resolves when what was handed in is on disk or refused. */
  async stop(): Promise<void> {
    await this.#inbox.drained();
    await this.#fanOut.stop();
    await this.#takingOver;
  }

  /** In the caller's transaction; sending starts after its commit. */
  async publish(tx: Transaction, events: readonly StoredEvent[]): Promise<void> {
    const published = await this.#publish(tx, events, this.#placement(events.length));
    tx.afterCommit(() => this.#accept(published));
  }

  /** With the events of other callers in one commit. */
  submit(events: readonly StoredEvent[]): Promise<void> {
    return this.#inbox.add(events);
  }

  async #commit(events: readonly StoredEvent[]): Promise<void> {
    const { database, observer } = this.#options;
    const began = performance.now();
    const placement = this.#placement(events.length);
    try {
      this.#accept(await this.#publish(database.hot, events, placement));
    } catch (error) {
      if (isDataError(error)) throw error;
      // The answer may have been lost after the commit: then nobody would know of the batches before their time is up.
      this.#takeOver(placement.batchIds);
      if (!(await this.#isStored(events))) throw error;
    } finally {
      observer?.executed('publish', events.length, performance.now() - began);
    }
  }

  async #publish(db: Queryable, events: readonly StoredEvent[], placement: PublishOptions): Promise<Published> {
    const published = await publishEvents(db, events, placement);
    if (events.length > 0) this.#perEvent = Math.max(published.deliveries.length / events.length, this.#perEvent * FORGETTING);
    return published;
  }

  /** One statement stores all of them or none. While the database is away the answer is no: the caller is told to try again. */
  async #isStored([first]: readonly StoredEvent[]): Promise<boolean> {
    if (first === undefined) return false;
    return loadEvents(this.#options.database.hot, [first.id]).then(
      (found) => found.size > 0,
      () => false,
    );
  }

  /** Where the deliveries of so many events may go, as things are on this node now. */
  #placement(events: number): PublishOptions {
    const { clock, delivers, dispatcher, nodeId } = this.#options;
    const now = clock.now();
    const room = delivers ? dispatcher.room : 0;
    return {
      nodeId,
      now,
      monotonicNow: clock.monotonic(),
      room,
      fullEndpoints: dispatcher.fullEndpoints(),
      failingEndpoints: dispatcher.failingEndpoints(),
      batchIds: Array.from({ length: Math.ceil(room / LIMITS.batchDeliveries) }, () => uuidv7(now)),
      expected: Math.min(room, Math.ceil(events * this.#perEvent)),
    };
  }

  #accept({ deliveries, isFanningOut }: Published): void {
    const { dispatcher, recorder } = this.#options;
    recorder.open(deliveries);
    dispatcher.accept(deliveries);
    if (isFanningOut) this.#fanOut.wake();
  }

  #takeOver(batchIds: readonly string[]): void {
    const { clock, database, log, onQueued } = this.#options;
    const persistence = { clock, log, what: 'looking for batches of unknown outcome' };
    this.#takingOver = this.#takingOver.then(async () => {
      for (const id of batchIds) {
        const takeOver = () => database.transaction((tx) => takeOverBatch(tx, id, new Date(clock.now())));
        // In the end a failure is harmless: the batches are swept when their time is up.
        if ((await persistently(takeOver, persistence).catch(() => 0)) > 0) onQueued();
      }
    });
  }
}
