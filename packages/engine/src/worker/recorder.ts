import type { Batch } from '../core/batch.ts';
import type { Clock } from '../core/clock.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import { uuidTime, uuidv7 } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Observer } from '../core/observer.ts';
import { explodeBatches } from '../store/batches.ts';
import type { Database } from '../store/database.ts';
import { isDataError, isUnavailable, isUniqueViolation } from '../store/trouble.ts';
import { recordBatched } from '../store/record/batched.ts';
import { recordDelivered } from '../store/record/delivered.ts';
import { dropDelivery, recordQueued } from '../store/record/queued.ts';
import type { Recorded, Result } from '../store/record/result.ts';
import { Batcher } from './batcher.ts';

export interface RecorderOptions {
  readonly database: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer | undefined;
  /** The results are stored, or given up on: the node no longer holds their deliveries. */
  readonly onRecorded: (results: readonly Result[]) => void;
  /** Endpoints that the engine has just disabled. */
  readonly onDisabled: (endpointIds: readonly string[]) => void;
  /** Endpoints that are deleted while deliveries for them are in the queue. */
  readonly onMissing: (endpointIds: readonly string[]) => void;
}

/** Asks for a look at the open batches, when there is no result to write. */
const TICK = Symbol('tick');

/**
 * Writes results in batches, and keeps the account of the node's open batches: one writer, so that what a statement says of a
 * batch is true when it runs. A database that is away for a while costs waiting, not results. A result that cannot be
 * stored never takes another with it.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #batcher: Batcher<Result | typeof TICK>;
  readonly #open = new Set<Batch>();
  #cancelTick: (() => void) | null = null;
  #stopping = false;
  /** Unix milliseconds: what was made before has no day in the history any more. */
  historyFloorMs = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#batcher = new Batcher({
      maxItems: LIMITS.recordBatch,
      concurrency: 1,
      lingerMs: () => LIMITS.recordLingerMs,
      write: (items) => this.#write(items),
    });
  }

  /** The batches of deliveries that were just published: they are taken apart when they are not finished in time. */
  open(deliveries: readonly LeasedDelivery[]): void {
    for (const { batch } of deliveries) if (batch !== null) this.#open.add(batch);
    this.#arm();
  }

  add(result: Result): void {
    this.#batcher.add(result);
  }

  /** Resolves when everything is stored, or given up on because the database is away. */
  async drained(): Promise<void> {
    this.#stopping = true;
    await this.#batcher.drained();
    this.#cancelTick?.();
  }

  async #write(items: (Result | typeof TICK)[]): Promise<void> {
    const { observer, onRecorded } = this.#options;
    const results = items.filter((item) => item !== TICK);
    const began = performance.now();
    if (results.length > 0) {
      await this.#store(results);
      observer?.executed('record', results.length, performance.now() - began);
      onRecorded(results);
    }
    await this.#explodeOld();
  }

  async #store(results: readonly Result[]): Promise<void> {
    const batched = results.filter(({ delivery: { batch } }) => batch !== null && !batch.isLost);
    const queued = results.filter(({ delivery: { batch } }) => batch === null);
    if (batched.length > 0) await this.#storeBatched(batched);
    if (queued.length > 0) await this.#storeQueued(queued);
  }

  /** What takes long gets rows of its own: other nodes and readers then see it as they see every other delivery. */
  async #explodeOld(): Promise<void> {
    const now = this.#options.clock.monotonic();
    const old: Batch[] = [];
    for (const batch of this.#open) {
      const ageMs = now - batch.openedAt;
      if (ageMs < LIMITS.batchAgeMs || old.length === LIMITS.explodedBatches) break; // in the order in which they were opened
      if (batch.open.size * 4 <= batch.size || ageMs >= LIMITS.busyBatchAgeMs) old.push(batch);
    }
    if (old.length > 0) await this.#explode(old);
    this.#arm();
  }

  async #explode(batches: readonly Batch[]): Promise<void> {
    const { clock, database, log, nodeId } = this.#options;
    const leaseEndsAt = clock.monotonic() + LIMITS.leaseMs;
    try {
      const ours = await this.#persist(() => explodeBatches(database.hot, nodeId, batches), 'giving slow deliveries rows of their own');
      for (const batch of batches) {
        for (const delivery of batch.open) {
          if (!ours.has(delivery.id)) continue; // stays in its lost batch
          batch.open.delete(delivery);
          delivery.batch = null;
          delivery.lease = 1;
          delivery.leaseEndsAt = leaseEndsAt;
        }
        this.#lose(batch);
      }
    } catch (error) {
      log.error({ err: error, batches: batches.length }, 'batches could not be taken apart; their deliveries are sent again');
      for (const batch of batches) this.#lose(batch);
    }
  }

  /** What succeeded is written by a statement that can do no more, unless its endpoint has failures to be counted with it. */
  async #storeBatched(results: readonly Result[]): Promise<void> {
    const failing = new Set<string>();
    for (const { delivery, outcome } of results) if (outcome !== 'delivered') failing.add(delivery.endpointId);
    if (failing.size === 0) return this.#storeDelivered(results);
    const delivered = results.filter(({ delivery }) => !failing.has(delivery.endpointId));
    if (delivered.length > 0) await this.#storeDelivered(delivered);
    await this.#storeMixed(results.filter(({ delivery }) => failing.has(delivery.endpointId)));
  }

  async #storeDelivered(results: readonly Result[]): Promise<void> {
    const { clock, database } = this.#options;
    const { closing, counts } = account(results);
    let lost: readonly string[];
    try {
      lost = await recordDelivered(database.hot, results, closing, clock.now());
    } catch (error) {
      if (isUnavailable(error) || isUniqueViolation(error)) return this.#storeMixed(results, true);
      return this.#divide(results, error);
    }
    if (lost.length === 0) return this.#settle(results, counts.keys());
    for (const batch of counts.keys()) if (lost.includes(batch.id)) this.#lose(batch);
    await this.#store(results.filter(({ delivery }) => !delivery.batch!.isLost));
  }

  /** `isRepeated`: an earlier try may have been committed although its answer was lost. */
  async #storeMixed(results: readonly Result[], isRepeated = false): Promise<void> {
    const { clock, database } = this.#options;
    const { closing, counts } = account(results);
    const record = async (): Promise<Recorded> => {
      for (let tried = 1; ; tried++) {
        try {
          return await recordBatched(database.hot, results, closing, clock.now(), isRepeated);
        } catch (error) {
          // An earlier try may be committed only now: then its rows were not seen, and are in the way. The next look sees them.
          if (tried === LIMITS.storeTries || !(isUnavailable(error) || isUniqueViolation(error))) throw error;
          if (isRepeated && isUnavailable(error)) throw error;
          isRepeated = true;
        }
      }
    };
    let recorded: Recorded;
    try {
      recorded = await this.#persist(record, 'storing results');
    } catch (error) {
      return this.#divide(results, error);
    }
    this.#settle(results, counts.keys());
    for (const batch of counts.keys()) if (recorded.lostBatches.includes(batch.id)) this.#lose(batch);
    this.#tell(recorded);
  }

  /** These have their results in the database, and need none any more. */
  #settle(results: readonly Result[], batches: Iterable<Batch>): void {
    for (const { delivery } of results) delivery.batch!.open.delete(delivery);
    for (const batch of batches) if (batch.open.size === 0) this.#open.delete(batch);
  }

  async #divide(results: readonly Result[], error: unknown): Promise<void> {
    const [first] = results;
    if (results.length > 1) await this.#inHalves(results);
    else if (first !== undefined) await this.#isolate(first, error);
  }

  /** The only one of a batch that cannot be stored goes on as a row of the queue, where it can be ended alone. */
  async #isolate(result: Result, error: unknown): Promise<void> {
    const { batch } = result.delivery;
    if (batch !== null) await this.#explode([batch]);
    if (result.delivery.batch === null) await this.#storeAlone(result, error);
  }

  async #storeQueued(results: readonly Result[]): Promise<void> {
    const { clock, database } = this.#options;
    try {
      const now = clock.now();
      const archiveIds = results.map(({ delivery: { id } }) => (uuidTime(id) < this.historyFloorMs ? uuidv7(now) : id));
      this.#tell(await this.#persist(() => recordQueued(database.hot, results, archiveIds, now), 'storing results'));
    } catch (error) {
      const [first] = results;
      if (results.length > 1) await this.#inHalves(results);
      else if (first !== undefined) await this.#storeAlone(first, error);
    }
  }

  /**
   * Ends a delivery whose result was refused: because the history of its day is gone, or because of the answer's text. It is
   * kept under a new id without that text; what was to be tried again is given up.
   */
  async #storeAlone(result: Result, error: unknown): Promise<void> {
    const { clock, database, log } = this.#options;
    const { delivery } = result;
    const now = clock.now();
    const ended: Result = {
      ...result,
      outcome: result.outcome === 'delivered' ? 'delivered' : 'exhausted',
      // One that had ended anyway, such as with its event, keeps its own reason.
      error: result.outcome === 'retry' ? 'result_unstorable' : result.error,
      responseBody: null,
      dueAt: null,
    };
    log.error(
      { err: error, delivery: delivery.id, endpoint: delivery.endpointId },
      'a result could not be stored as it is; its delivery ends',
    );
    try {
      this.#tell(await this.#persist(() => recordQueued(database.hot, [ended], [uuidv7(now)], now), 'storing a result'));
    } catch (failure) {
      log.error({ err: failure, delivery: delivery.id }, 'a delivery ended without a line in the log');
      if (isDataError(failure)) await this.#persist(() => dropDelivery(database.hot, delivery), 'ending a delivery').catch(() => {});
    }
  }

  async #inHalves(results: readonly Result[]): Promise<void> {
    const middle = results.length >> 1;
    await this.#store(results.slice(0, middle));
    await this.#store(results.slice(middle)); // an isolated culprit may have taken its batch apart meanwhile
  }

  /** Waits while the database is away, as long as it takes; a node that stops does not wait for ever. */
  async #persist<T>(work: () => Promise<T>, what: string): Promise<T> {
    const { clock, log } = this.#options;
    for (let tried = 1; ; tried++) {
      try {
        return await work();
      } catch (error) {
        if (!isUnavailable(error) || (this.#stopping && tried >= LIMITS.storeTries)) throw error;
        if (tried === 1 || tried % LIMITS.storeTries === 0) log.warn({ err: error, tries: tried }, `${what} failed, trying again`);
        await new Promise<void>((resolve) => clock.after(LIMITS.storeRetryMs, resolve));
      }
    }
  }

  #lose(batch: Batch): void {
    batch.isLost = true;
    this.#open.delete(batch);
  }

  #tell({ disabled, missing }: Recorded): void {
    if (disabled.length > 0) this.#options.onDisabled(disabled);
    if (missing.length > 0) this.#options.onMissing(missing);
  }

  /** Looks again when the oldest open batch comes of age. */
  #arm(): void {
    const [oldest] = this.#open;
    if (this.#cancelTick !== null || oldest === undefined) return;
    const { clock } = this.#options;
    const waitMs = Math.max(LIMITS.batchAgeMs / 4, oldest.openedAt + LIMITS.batchAgeMs - clock.monotonic());
    this.#cancelTick = clock.after(Math.ceil(waitMs), () => {
      this.#cancelTick = null;
      this.#batcher.add(TICK);
    });
  }
}

/** How many of the results each batch has, and the batches of which nothing is left with them. */
function account(results: readonly Result[]): { readonly counts: ReadonlyMap<Batch, number>; readonly closing: ReadonlySet<string> } {
  const counts = new Map<Batch, number>();
  for (const { delivery } of results) counts.set(delivery.batch!, (counts.get(delivery.batch!) ?? 0) + 1);
  const closing = new Set<string>();
  for (const [batch, count] of counts) if (batch.open.size === count) closing.add(batch.id);
  return { counts, closing };
}
