import type { Log } from '../core/log.ts';
import type { Queryable, Statement, Transaction } from './database.ts';
import type { SessionPool } from './pool.ts';
import type { Session } from './session.ts';
import { DatabaseUnavailable, isTimeLimit } from './trouble.ts';

export interface LaneOptions {
  /** Lower goes first, where lanes share one session. */
  readonly urgency: number;
  /** How long a caller waits for a free connection. */
  readonly waitMs: number;
  /** For one statement, `begin` and `commit` among them. */
  readonly limitMs: number;
  /** Too late is `read_timeout`: the caller asked for much, and the database is well. */
  readonly isRead?: boolean;
}

/** A rollback frees what others wait for; when it is not answered at once, the connection goes. */
const ROLLBACK_MS = 2_000;

/** One kind of work with its connections and its patience. */
export class Lane implements Queryable {
  readonly kind: 'postgres' | 'embedded';
  readonly #pool: SessionPool;
  readonly #options: LaneOptions;
  readonly #log: Log;
  /** Queries and transactions that have ended so far and may have made work. */
  uses = 0;

  constructor(kind: 'postgres' | 'embedded', pool: SessionPool, options: LaneOptions, log: Log) {
    this.kind = kind;
    this.#pool = pool;
    this.#options = options;
    this.#log = log;
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    const session = await this.#take();
    try {
      return await this.#run<Row>(session, statement);
    } finally {
      if (statement.isLook !== true) this.uses += 1;
      this.#pool.give(session);
    }
  }

  /** As `Database.transaction`. `limitMs`: for each statement, where the lane's own limit is too short. */
  async transaction<T>(work: (tx: Transaction) => Promise<T>, limitMs?: number): Promise<T> {
    const session = await this.#take();
    const effects: (() => void)[] = [];
    const run = <Row>(statement: Statement) => this.#run<Row>(session, statement, limitMs);
    let result: T;
    try {
      await run({ text: 'begin' });
      result = await work({ query: run, afterCommit: (effect) => void effects.push(effect) });
      // When its answer is lost the outcome is unknown: nobody here tries again by himself.
      await run({ text: 'commit' });
    } catch (error) {
      await session.query({ text: 'rollback' }, ROLLBACK_MS).catch(() => session.destroy()); // it cannot be trusted any more
      throw error;
    } finally {
      this.uses += 1;
      this.#pool.give(session);
    }
    for (const effect of effects) this.#perform(effect);
    return result;
  }

  async #run<Row>(session: Session, statement: Statement, limitMs = this.#options.limitMs): Promise<Row[]> {
    try {
      return await session.query<Row>(statement, limitMs);
    } catch (error) {
      if (this.#options.isRead && isTimeLimit(error)) throw this.#late(error);
      throw error;
    }
  }

  #take(): Promise<Session> {
    const { urgency, waitMs } = this.#options;
    return this.#pool.take(urgency, waitMs, () => this.#late());
  }

  #late(cause?: unknown): DatabaseUnavailable {
    const { isRead = false, waitMs } = this.#options;
    if (isRead) return new DatabaseUnavailable('read_timeout', `${waitMs / 1000} seconds`, cause);
    return new DatabaseUnavailable('database_unavailable', `no connection was free within ${waitMs} ms`, cause);
  }

  /** The commit stands, whatever becomes of its effects: one that throws concerns neither the caller nor the others. */
  #perform(effect: () => void): void {
    try {
      effect();
    } catch (error) {
      this.#log.error({ err: error }, 'what follows a commit failed; the commit stands');
    }
  }
}
