import type { StoredEvent } from '../core/dialect.ts';
import { EngineError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { Batcher } from './batcher.ts';
import { writeDivided } from './divide.ts';

/** What an event counts at least, in bytes, so that the batch's bound on bytes also bounds the number of events. */
const MIN_EVENT_WEIGHT = LIMITS.publishBatchBytes / LIMITS.publishBatch;

interface Submission {
  readonly events: readonly StoredEvent[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Events that stand alone, on their way to the disk: concurrent callers share one commit. */
export class Inbox {
  readonly #batcher: Batcher<Submission>;
  readonly #publish: (events: readonly StoredEvent[]) => Promise<void>;
  readonly #maxBytes: number;
  readonly #waitingOf = new Map<string, number>();
  #waiting = 0;
  #bytes = 0;

  /** `publish` commits a batch, in so many statements at once; no more than `maxBytes` of data wait for it. */
  constructor(publish: (events: readonly StoredEvent[]) => Promise<void>, concurrency: number, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#publish = publish;
    this.#batcher = new Batcher({
      write: (submissions) => this.#write(submissions),
      maxItems: LIMITS.publishBatch,
      concurrency,
      weigh: ({ bytes, events }) => Math.max(bytes, events.length * MIN_EVENT_WEIGHT),
      maxWeight: LIMITS.publishBatchBytes,
    });
  }

  /** Events that wait for their commit. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Resolves when the events are on disk. Rejects with `inbox_full`, and then nothing of them is stored: when too much waits,
   * or too much of one of their organizations, which leaves room for the others.
   */
  async add(events: readonly StoredEvent[]): Promise<void> {
    const bytes = events.reduce((sum, event) => sum + event.data.length, 0);
    // What has more bytes than an empty inbox may have is taken all the same: otherwise it could never be published.
    if (this.#waiting + events.length > LIMITS.inboxEvents || (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes))
      throw new EngineError('inbox_full', 'Too many events are waiting to be stored; try again in a second.');
    for (const { organizationId } of events) {
      if ((this.#waitingOf.get(organizationId) ?? 0) + events.length > LIMITS.inboxEventsOfOne)
        throw new EngineError('inbox_full', 'Too many events of this organization are waiting to be stored; try again in a second.');
    }
    this.#count(events, 1);
    this.#bytes += bytes;
    try {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#batcher.add({ events, bytes, resolve, reject });
      await promise;
    } finally {
      this.#count(events, -1);
      this.#bytes -= bytes;
    }
  }

  #count(events: readonly StoredEvent[], sign: 1 | -1): void {
    this.#waiting += sign * events.length;
    for (const { organizationId } of events) {
      const waiting = (this.#waitingOf.get(organizationId) ?? 0) + sign;
      if (waiting === 0) this.#waitingOf.delete(organizationId);
      else this.#waitingOf.set(organizationId, waiting);
    }
  }

  drained(): Promise<void> {
    return this.#batcher.drained();
  }

  /** A submission is one caller's: its events are stored together or not at all, and nobody else's fail with them. */
  #write(submissions: Submission[]): Promise<void> {
    return writeDivided(submissions, (some) => this.#publish(some.flatMap(({ events }) => events)), {
      written: ({ resolve }) => resolve(),
      failed: ({ reject }, error) => reject(error),
    });
  }
}
