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
  /** On the monotonic clock. */
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface InboxOptions {
  /** Commits a batch. */
  readonly publish: (events: readonly StoredEvent[]) => Promise<void>;
  /** Commits at once. */
  readonly concurrency: number;
  /** Bytes of data that may wait. */
  readonly maxBytes: number;
  readonly monotonic: () => number;
}

/** Events that stand alone, on their way to the disk: concurrent callers share one commit. */
export class Inbox {
  readonly #batcher: Batcher<Submission>;
  readonly #publish: (events: readonly StoredEvent[]) => Promise<void>;
  readonly #maxBytes: number;
  readonly #waitingOf = new Map<string, number>();
  readonly #monotonic: () => number;
  #waiting = 0;
  /** Events of which no statement is under way. */
  #queued = 0;
  #lateSince: number | null = null;
  #bytes = 0;

  constructor({ concurrency, maxBytes, monotonic, publish }: InboxOptions) {
    this.#maxBytes = maxBytes;
    this.#publish = publish;
    this.#monotonic = monotonic;
    this.#batcher = new Batcher({
      write: (submissions) => this.#write(submissions),
      maxItems: LIMITS.publishBatch,
      concurrency,
      lingerMs: (writing) => (writing > 0 ? LIMITS.publishLingerMs : 0),
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
   * or too much of one of their organizations, or for too long. What one sends too much of leaves room for the others.
   */
  async add(events: readonly StoredEvent[]): Promise<void> {
    const bytes = events.reduce((sum, event) => sum + event.data.length, 0);
    // What has more bytes than an empty inbox may have is taken all the same: otherwise it could never be published.
    if (this.#waiting + events.length > LIMITS.inboxEvents || (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes))
      throw new EngineError('inbox_full', 'Too many events are waiting to be stored; try again in a second.');
    const share = this.#isLate() ? this.#waiting / this.#waitingOf.size : LIMITS.inboxEventsOfOne;
    for (const { organizationId } of events) {
      const own = this.#waitingOf.get(organizationId) ?? 0;
      if (own >= share || own + events.length > LIMITS.inboxEventsOfOne)
        throw new EngineError('inbox_full', 'Too many events of this organization are waiting to be stored; try again in a second.');
    }
    this.#count(events, 1);
    this.#bytes += bytes;
    this.#queued += events.length;
    try {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#batcher.add({ events, bytes, since: this.#monotonic(), resolve, reject });
      await promise;
    } finally {
      this.#count(events, -1);
      this.#bytes -= bytes;
    }
  }

  #isLate(): boolean {
    const { oldest } = this.#batcher;
    const now = this.#monotonic();
    const isLate = this.#queued > LIMITS.publishBatch && oldest !== undefined && now - oldest.since > LIMITS.lateMs;
    if (isLate) this.#lateSince ??= now;
    else this.#lateSince = null;
    return this.#lateSince !== null && now - this.#lateSince >= LIMITS.lateForMs;
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
    for (const { events } of submissions) this.#queued -= events.length;
    return writeDivided(submissions, (some) => this.#publish(some.flatMap(({ events }) => events)), {
      written: ({ resolve }) => resolve(),
      failed: ({ reject }, error) => reject(error),
    });
  }
}
