import pg from 'pg';

/** One statement. A name makes the server keep its plan: hot statements have one, and the name says the variant. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface Queryable {
  /** Runs one statement and gives its rows. */
  query<Row = Record<string, unknown>>(statement: Statement): Promise<Row[]>;
}

/** A transaction that the caller opened. What must not happen before the commit is handed to `afterCommit`. */
export interface Transaction extends Queryable {
  afterCommit(effect: () => void): void;
}

export interface DatabaseOptions {
  readonly connection: pg.PoolConfig;
  /** Connections at most. The embedded database has exactly one session. */
  readonly maxConnections: number;
  readonly kind: 'postgres' | 'embedded';
  /** Runs after the pool is closed, such as stopping the embedded server. */
  readonly onClose?: () => Promise<void>;
}

/** A statement that runs longer than this is a defect or a database in trouble, not work that is still wanted. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** How long a caller waits for a free connection before the database counts as overloaded. */
const CONNECT_TIMEOUT_MS = 10_000;

const types = { getTypeParser };

/** The one door to SQL, the same on PostgreSQL and on the embedded database. */
export class Database implements Queryable {
  readonly kind: 'postgres' | 'embedded';
  /** How many connections there are; a hot path may run this many statements at once, less one for everybody else. */
  readonly maxConnections: number;
  readonly #pool: pg.Pool;
  readonly #onClose: (() => Promise<void>) | undefined;

  constructor(options: DatabaseOptions) {
    this.kind = options.kind;
    this.maxConnections = options.maxConnections;
    this.#onClose = options.onClose;
    this.#pool = new pg.Pool({
      ...options.connection,
      max: options.maxConnections,
      connectionTimeoutMillis: options.kind === 'postgres' ? CONNECT_TIMEOUT_MS : 0,
      idleTimeoutMillis: 0,
      types,
      application_name: 'dialhook',
      // Statements are short and many: compiling a plan would take longer than running it.
      // The embedded server is one process with us and has no timeouts; PostgreSQL gets them as session settings.
      ...(options.kind === 'postgres' && {
        options: `-c statement_timeout=${STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=${STATEMENT_TIMEOUT_MS} -c plan_cache_mode=force_generic_plan -c jit=off`,
      }),
    });
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    this.#pool.on('error', () => {});
    // The same for one in use, where the pool does not listen: its statement rejects, and that is how we hear of it.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    // Not `pool.query`: that closes the connection after every failing statement, and with it all prepared plans.
    const client = await this.#pool.connect();
    try {
      return (await client.query(statement as pg.QueryConfig)).rows as Row[];
    } finally {
      client.release(); // the pool itself drops a connection that broke
    }
  }

  /**
   * Runs `work` in one transaction and commits; anything thrown rolls back. On the embedded database there is one
   * connection: `work` must use the transaction it is given and never wait for another query of the pool.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    const effects: (() => void)[] = [];
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const result = await work({
        query: async <Row>(statement: Statement) => (await client.query(statement as pg.QueryConfig)).rows as Row[],
        afterCommit: (effect) => void effects.push(effect),
      });
      await client.query('commit');
      for (const effect of effects) effect();
      return result;
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken = failure; // the connection cannot be trusted: the pool closes it
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Resolves when the database answers. */
  async ping(): Promise<void> {
    await this.query({ text: 'select 1' });
  }

  async close(): Promise<void> {
    await this.#pool.end();
    await this.#onClose?.();
  }
}

const INT8 = 20;

/** 64-bit integers are counts and sums here, all far below 2^53: numbers serve better than strings. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8 && format !== 'binary') return Number;
  return pg.types.getTypeParser(oid, format as 'text');
}

export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return sqlState(error) === '23505' && (constraint === undefined || (error as { constraint?: string }).constraint === constraint);
}

/** Whether the values were at fault (SQLSTATE classes 22 and 23), and not the connection or the server: trying again does not help. */
export function isDataError(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

/** Whether the database or the way to it was at fault, and not the statement: the same statement may succeed later. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || !/^[0-9A-Z]{5}$/.test(state) || /^(08|40|53|55|57)/.test(state) || state === '25006';
}

function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
