import { Batcher, uuidv7, writeDivided, type Clock, type Database } from '@dialhook/engine';
import { DIAL_LIMITS } from './limits.ts';
import { insertDials, type NewDial } from './store/dials.ts';

/** More dials wait for their commit than may. */
export class IntakeFull extends Error {
  override readonly name = 'IntakeFull';
}

export interface IntakeOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Dials were stored. */
  readonly onStored: () => void;
}

interface Waiting extends NewDial {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Statements at once on PostgreSQL: while one waits for the disk the next one is built. */
const CONCURRENCY = 2;

/** Takes dials in: concurrent callers share one commit, and each is answered when its dial is on disk. */
export class DialIntake {
  readonly #options: IntakeOptions;
  readonly #batcher: Batcher<Waiting>;
  #waiting = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#batcher = new Batcher({
      write: (dials) => this.#write(dials),
      maxItems: DIAL_LIMITS.intakeBatch,
      concurrency: options.database.kind === 'postgres' ? CONCURRENCY : 1,
    });
  }

  /** Resolves when the dial is on disk. Rejects with `IntakeFull`, and then it is not stored. */
  async add(organizationId: string, raw: string, dialId: string | null): Promise<void> {
    if (this.#waiting >= DIAL_LIMITS.inboxDials) throw new IntakeFull('Too many dials are waiting to be stored');
    this.#waiting += 1;
    try {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#batcher.add({ id: uuidv7(this.#options.clock.now()), organizationId, dialId, raw, resolve, reject });
      await promise;
    } finally {
      this.#waiting -= 1;
    }
  }

  drained(): Promise<void> {
    return this.#batcher.drained();
  }

  async #write(dials: Waiting[]): Promise<void> {
    await writeDivided(dials, (some) => insertDials(this.#options.database.hot, some), {
      written: ({ resolve }) => resolve(),
      failed: ({ reject }, error) => reject(error),
    });
    this.#options.onStored();
  }
}
