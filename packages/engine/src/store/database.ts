import type pg from 'pg';
import { silentLog, type Log } from '../core/log.ts';
import { Lane, type LaneOptions } from './lane.ts';
import { SessionPool } from './pool.ts';
import { Session } from './session.ts';

/** One statement. A name makes the server keep its plan: hot statements have one, and the name says the variant. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Only asks whether there is work, and makes none: it does not count in `Database.uses`. */
  readonly isLook?: boolean;
}

export interface Queryable {
  /** Runs one statement and gives its rows. */
  query<Row = Record<string, unknown>>(statement: Statement): Promise<Row[]>;
}

/** A transaction that the caller opened. What must not happen before the commit is handed to `afterCommit`. */
export interface Transaction extends Queryable {
  afterCommit(effect: () => void): void;
}

/** How many connections each kind of work has, at most; they are opened when they are needed. */
export interface LaneSizes {
  readonly hot: number;
  readonly work: number;
  readonly reads: number;
}

export interface DatabaseOptions {
  readonly connection: pg.ClientConfig;
  readonly kind: 'postgres' | 'embedded';
  readonly sizes?: Partial<LaneSizes> | undefined;
  readonly log?: Log | undefined;
  /** Runs after the connections are closed, such as stopping the embedded server. */
  readonly onClose?: () => Promise<void>;
}

/** Unless the owner says otherwise; with `SINGLE_LANES` at most 13 for each node. */
export const LANE_SIZES: LaneSizes = { hot: 4, work: 4, reads: 2 };
/** Lanes of which each has one connection. */
export const SINGLE_LANES = { heartbeat: 1, search: 1, upkeep: 1 } as const;

type LaneName = 'heartbeat' | 'hot' | 'work' | 'reads' | 'search' | 'upkeep';

interface LaneRule extends LaneOptions {
  /** The server ends a statement after this time; we give up a little later, when not even that was answered. */
  readonly statementMs: number;
  /** Connections are closed when nobody needed them for so long. */
  readonly idleMs?: number;
}

/** How much later than the server we give up: its own answer, which keeps the connection, should come first. */
const GRACE_MS = 2_000;
const CONNECT_MS = 5_000;
const IDLE_MS = 10_000;
/** A transaction that is left open holds locks and keeps old rows alive. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** By urgency, which counts where they share one session. */
const RULES: Record<LaneName, LaneRule> = {
  // Two beats may fail before others ask themselves whether the node lives.
  heartbeat: { urgency: 0, waitMs: 3_000, statementMs: 3_000, limitMs: 3_000 + GRACE_MS },
  hot: { urgency: 0, waitMs: 10_000, statementMs: 10_000, limitMs: 10_000 + GRACE_MS },
  work: { urgency: 1, waitMs: 10_000, statementMs: 10_000, limitMs: 10_000 + GRACE_MS },
  reads: { urgency: 2, waitMs: 5_000, statementMs: 5_000, limitMs: 5_000 + GRACE_MS, isRead: true },
  search: { urgency: 3, waitMs: 5_000, statementMs: 5_000, limitMs: 5_000 + GRACE_MS, isRead: true, idleMs: IDLE_MS },
  // Detaching a partition waits for every transaction that began before.
  upkeep: { urgency: 3, waitMs: 60_000, statementMs: 60_000, limitMs: 60_000 + GRACE_MS, idleMs: IDLE_MS },
};
/** The embedded server is a thread of ours that cannot end a statement: giving up on it would only leave it running unseen. */
const EMBEDDED_MS = 600_000;
/** Until the one session is free; reads give up sooner. */
const EMBEDDED_WAIT_MS = 60_000;

/**
 * The one door to SQL, the same on PostgreSQL and on the embedded database. Each kind of work has connections of its
 * own, so that none starves another; on the embedded database, which has one session, the more urgent goes first.
 * What `database.query` and `database.transaction` do is `work`.
 */
export class Database implements Queryable {
  readonly kind: 'postgres' | 'embedded';
  /** Saying that the node lives. */
  readonly heartbeat: Lane;
  /** Publishing, claiming, recording. */
  readonly hot: Lane;
  /** Reads of the API that may be long: they end after five seconds, with `read_timeout`. */
  readonly reads: Lane;
  /** Searches through bodies: a few seconds of one connection. */
  readonly search: Lane;
  /** What nobody waits for: partitions, trimming, migrations. */
  readonly upkeep: Lane;
  readonly #work: Lane;
  readonly #pools: SessionPool[] = [];
  readonly #onClose: (() => Promise<void>) | undefined;

  constructor(options: DatabaseOptions) {
    const { connection, kind, log = silentLog, onClose, sizes } = options;
    this.kind = kind;
    this.#onClose = onClose;
    const counts = { ...LANE_SIZES, ...sizes, ...SINGLE_LANES };
    const open = (settings: readonly string[]) => () =>
      Session.open({ connection, connectMs: CONNECT_MS, settings, onSilence: () => this.#pools.forEach((pool) => pool.suspectAll()) });
    const shared = kind === 'embedded' ? this.#pool({ size: 1, open: open([]) }) : null;
    const lane = (name: LaneName) => {
      const { idleMs, statementMs, ...rule } = RULES[name];
      if (shared !== null) {
        const waitMs = rule.isRead ? rule.waitMs : EMBEDDED_WAIT_MS;
        return new Lane(kind, shared, { ...rule, waitMs, limitMs: EMBEDDED_MS }, log);
      }
      return new Lane(
        kind,
        this.#pool({ size: counts[name], open: open(sessionSettings(rule.isRead === true, statementMs)), idleMs }),
        rule,
        log,
      );
    };
    this.heartbeat = lane('heartbeat');
    this.hot = lane('hot');
    this.#work = lane('work');
    this.reads = lane('reads');
    this.search = lane('search');
    this.upkeep = lane('upkeep');
  }

  /** Grows with everything that may have made work, once it has ended. */
  get uses(): number {
    return this.hot.uses + this.#work.uses + this.upkeep.uses;
  }

  query<Row>(statement: Statement): Promise<Row[]> {
    return this.#work.query(statement);
  }

  /**
   * Runs `work` in one transaction and commits; anything thrown rolls back. On the embedded database there is one
   * connection: `work` must use the transaction it is given and never wait for another query.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#work.transaction(work);
  }

  /** Resolves when the database answers. */
  async ping(): Promise<void> {
    await this.query({ text: 'select 1', isLook: true });
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
    await this.#onClose?.();
  }

  #pool(options: ConstructorParameters<typeof SessionPool>[0]): SessionPool {
    const pool = new SessionPool(options);
    this.#pools.push(pool);
    return pool;
  }
}

/**
 * Statements are short and many: compiling a plan, or making a new one each time, would take longer than running it. Reads go
 * along an index and stop after some rows; a bitmap would be made of all of them first, however many there are.
 */
function sessionSettings(isRead: boolean, statementMs: number): string[] {
  return [
    `set statement_timeout = ${statementMs}; set idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS};
     set plan_cache_mode = force_generic_plan; set jit = off${isRead ? '; set enable_bitmapscan = off' : ''}`,
  ];
}
