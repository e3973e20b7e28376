import pg from 'pg';
import type { Statement } from './database.ts';
import { DatabaseUnavailable, isLeavable } from './trouble.ts';

export interface SessionOptions {
  readonly connection: pg.ClientConfig;
  /** For the handshake, and for the settings after it. */
  readonly connectMs: number;
  /** Run once after connecting; not in the start packet, where poolers refuse them. Empty for none. */
  readonly settings: readonly string[];
  /** The server did not answer within a limit of ours: other connections to it may be as dead. */
  readonly onSilence: () => void;
}

/** The system looks after a quiet connection this often, so that a firewall between does not forget it. */
const KEEP_ALIVE_MS = 10_000;
/** For the goodbye to a server that may be gone. */
const GOODBYE_MS = 1_000;

/** One connection. Every wait has an end on our side: a host that vanished sends nothing, not even an error. */
export class Session {
  readonly #client: pg.Client;
  readonly #onSilence: () => void;
  #usable = true;
  /** Cancels the closing of a session that nobody needs. */
  idleTimer: NodeJS.Timeout | undefined;

  private constructor(options: SessionOptions) {
    const { connectMs, connection, onSilence } = options;
    this.#onSilence = onSilence;
    this.#client = new pg.Client({
      ...connection,
      application_name: 'dialhook',
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: { getTypeParser: getTypeParser as typeof pg.types.getTypeParser },
    });
    // A connection that breaks while nobody uses it would end the process; its next user hears of it.
    this.#client.on('error', () => (this.#usable = false));
    this.#client.on('end', () => (this.#usable = false));
  }

  /** Rejects with `DatabaseUnavailable`, whatever the reason: nobody can use a database that does not let us in. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    try {
      await session.#client.connect();
      for (const text of options.settings) await session.query({ text }, options.connectMs);
      if (options.settings.length > 0) await session.#refuseReadOnly(options.connectMs);
      return session;
    } catch (error) {
      session.destroy();
      if (error instanceof DatabaseUnavailable) throw error;
      throw new DatabaseUnavailable('database_unavailable', (error as Error).message, error);
    }
  }

  get usable(): boolean {
    return this.#usable;
  }

  /** Rejects with `DatabaseUnavailable` when there is no answer within the limit; the session is of no use then. */
  async query<Row>(statement: Statement, limitMs: number): Promise<Row[]> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.destroy(); // a client whose statement has no answer is stuck: nothing may follow on it
    }, limitMs);
    try {
      return (await this.#client.query(statement as pg.QueryConfig)).rows as Row[];
    } catch (error) {
      if (late) {
        this.#onSilence();
        throw new DatabaseUnavailable('database_unavailable', `no answer within ${limitMs} ms`, error);
      }
      if (isLeavable(error)) this.destroy();
      if (error instanceof pg.DatabaseError || this.#usable) throw error;
      throw new DatabaseUnavailable('database_unavailable', (error as Error).message, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes at once, without a word: what runs on it rejects. */
  destroy(): void {
    this.#usable = false;
    clearTimeout(this.idleTimer);
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  async close(): Promise<void> {
    clearTimeout(this.idleTimer);
    if (!this.#usable) return this.destroy();
    this.#usable = false;
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS);
    await this.#client.end().catch(() => {});
    clearTimeout(timer);
  }

  /** After a failover the old address may lead to a standby for a while. */
  async #refuseReadOnly(limitMs: number): Promise<void> {
    const [row] = await this.query<{ is_read_only: boolean }>(
      { text: `select current_setting('transaction_read_only')::boolean as is_read_only` },
      limitMs,
    );
    if (row?.is_read_only) throw new DatabaseUnavailable('database_unavailable', 'it is read-only, such as a standby');
  }
}

const INT8 = 20;

/** 64-bit integers are counts and sums here, all far below 2^53: numbers serve better than strings. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8 && format !== 'binary') return Number;
  return pg.types.getTypeParser(oid, format as 'text');
}
