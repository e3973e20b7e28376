import type { Database, Queryable, Transaction } from '@dialhook/engine';
import { DEFAULTS, NODE, WORLD_NOW } from './defaults.ts';
import { RowWatch, type Row } from './rows.ts';

const PARTITIONED = ['dials', 'calls', 'events', 'finished_deliveries', 'attempts'];

/** An organization and what belongs to it. */
interface Known {
  readonly organizationId: string;
  readonly slug: string;
  readonly owner: string;
  readonly member: string;
  /** The id of the row of each table that the world began with. */
  readonly first: Readonly<Record<string, string>>;
}

/** An organization with an owner, a member, and one row of every table. */
export interface Tenant extends Known {
  /** Adds a row like the one that there is, with the next id; gives the id. */
  add(table: string, row?: Row): Promise<string>;
}

function tenant(db: Queryable, ids: Ids, known: Known): Tenant {
  return {
    ...known,
    add: async (table, row = {}) => {
      const id = typeof row.id === 'string' ? row.id : ids.next();
      await insertRow(db, table, { ...DEFAULTS[table]!({ ...known, id }), ...row });
      return id;
    },
  };
}

/** Ids of one moment, each the neighbor of the one before. */
class Ids {
  #last = 0;

  next(time = WORLD_NOW): string {
    return idAt(time, ++this.#last);
  }
}

/** A UUIDv7 of a time, the n-th of its millisecond. */
export function idAt(time: number, n: number): string {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** What a test does its work in. */
export interface Trial {
  readonly tx: Transaction;
  readonly mine: Tenant;
  readonly other: Tenant;
  readonly rows: RowWatch;
}

/**
 * Two organizations with one of everything: the same times, names, types and lease numbers, and ids next to each other. A statement that
 * misses one of its conditions changes or gives something of the neighbor.
 */
export class World {
  readonly #database: Database;
  readonly #ids: Ids;
  readonly #tenants: readonly [mine: Known, other: Known];

  private constructor(database: Database, ids: Ids, tenants: readonly [Known, Known]) {
    this.#database = database;
    this.#ids = ids;
    this.#tenants = tenants;
  }

  static async make(database: Database): Promise<World> {
    const ids = new Ids();
    return database.transaction(async (tx) => {
      for (const table of PARTITIONED) await tx.query({ text: `create table ${table}_all partition of ${table} default` });
      const time = new Date(WORLD_NOW);
      await insertRow(tx, 'nodes', { id: NODE, started_at: time, heartbeat_at: time });
      const tenants = [await begin(tx, ids, 'mine'), await begin(tx, ids, 'other')] as const;
      // Table by table, so that neighbors in a table are of two organizations.
      for (const table of Object.keys(DEFAULTS)) for (const known of tenants) known.first[table] = await tenant(tx, ids, known).add(table);
      return new World(database, ids, tenants);
    });
  }

  /** The two organizations, for tests that commit what they do. */
  get tenants(): [mine: Tenant, other: Tenant] {
    return this.#tenantsOf(this.#database);
  }

  /** Runs a test in one transaction and takes everything back afterwards: the next one has the same world. */
  async trial(work: (trial: Trial) => Promise<void>): Promise<void> {
    const undo = new Error('The test is over.');
    await this.#database
      .transaction(async (tx) => {
        const [mine, other] = this.#tenantsOf(tx);
        await work({ tx, mine, other, rows: await RowWatch.start(tx) });
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
  }

  #tenantsOf(db: Queryable): [Tenant, Tenant] {
    return this.#tenants.map((known) => tenant(db, this.#ids, known)) as [Tenant, Tenant];
  }
}

async function begin(tx: Queryable, ids: Ids, slug: string): Promise<Known & { readonly first: Record<string, string> }> {
  const time = new Date(WORLD_NOW);
  const [organizationId, owner, member] = [ids.next(), ids.next(), ids.next()];
  const times = { created_at: time, updated_at: time };
  await insertRow(tx, 'organizations', { id: organizationId, slug, name: 'Acme', plan: 'list_processing', credits: 100, ...times });
  for (const [id, role] of [
    [owner, 'owner'],
    [member, 'member'],
  ] as const) {
    await insertRow(tx, 'users', { id, email: `${role}@${slug}.example`, name: 'Ana', password_hash: 'hash', created_at: time });
    await insertRow(tx, 'memberships', { organization_id: organizationId, user_id: id, role, created_at: time });
  }
  return { organizationId, slug, owner, member, first: {} };
}

/** Inserts one row as it is. */
export async function insertRow(db: Queryable, table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  await db.query({
    text: `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, n) => `$${n + 1}`).join(', ')})`,
    values: Object.values(row),
  });
}
