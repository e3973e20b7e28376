import { uuidFloor } from '../core/ids.ts';
import type { Database, Queryable } from './database.ts';
import type { Lane } from './lane.ts';

const DAY_MS = 86_400_000;
/** Attaching takes a short lock; a writer that holds it longer is waited for at the next upkeep. */
const LOCK_TIMEOUT = '2s';
export const PARTITIONED = ['events', 'finished_deliveries', 'attempts'] as const;

/**
 * Makes the day partitions from yesterday (clocks differ between nodes) to `daysAhead` from now. A database may hold
 * several installations, each in a schema of its own: a table is the one that the search path leads to (`regclass`).
 */
export async function ensurePartitions(
  database: Database | Lane,
  now: number,
  daysAhead: number,
  tables: readonly string[] = PARTITIONED,
): Promise<void> {
  const wanted = new Map<string, { table: string; from: number }>();
  for (let day = -1; day <= daysAhead; day++) {
    const from = Math.floor(now / DAY_MS) * DAY_MS + day * DAY_MS;
    for (const table of tables) wanted.set(`${table}_${dayName(from)}`, { table, from });
  }
  const existing = await database.query<{ name: string }>({
    text: `select c.relname as name from pg_class c
            where c.relname = any ($1::text[]) and c.relnamespace = any (select p.relnamespace from pg_class p where p.oid = any ($2::regclass[]))`,
    values: [[...wanted.keys()], tables],
  });
  for (const { name } of existing) wanted.delete(name);
  for (const [name, { table, from }] of wanted) {
    await makePartition(database, name, table, from).catch((error: unknown) => ignoreDuplicate(error));
  }
}

/**
 * Makes the table first and attaches it then: `create table ... partition of` would wait for every reader and stop
 * every writer of the parent meanwhile; attaching an empty table with its indexes does neither.
 */
function makePartition(database: Database | Lane, name: string, table: string, from: number): Promise<void> {
  return database.transaction(async (tx) => {
    if (database.kind === 'postgres') await tx.query({ text: `set local lock_timeout = '${LOCK_TIMEOUT}'` });
    await tx.query({ text: `create table ${name} (like ${table} including all)` });
    await tx.query({
      text: `alter table ${table} attach partition ${name} for values from ('${uuidFloor(from)}') to ('${uuidFloor(from + DAY_MS)}')`,
    });
  });
}

/** Drops the partitions that hold nothing younger than `keepDays`. Detached first, so that nobody waits for the drop. */
export async function dropOldPartitions(
  database: Database | Lane,
  now: number,
  keepDays: number,
  tables: readonly string[] = PARTITIONED,
): Promise<string[]> {
  const oldest = dayName(Math.floor(now / DAY_MS) * DAY_MS - keepDays * DAY_MS);
  const rows = await database.query<{ name: string; parent: string; detaching: boolean }>({
    text: `select c.relname as name, p.relname as parent, i.inhdetachpending as detaching
             from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
            where p.oid = any ($1::regclass[])`,
    values: [tables],
  });
  const old = rows.filter(({ name }) => name.slice(-8) < oldest);
  for (const { detaching, name, parent } of old) {
    // An interrupted detaching, such as by a kill, has to be ended before anything else can be done.
    const how = detaching ? 'finalize' : database.kind === 'postgres' ? 'concurrently' : '';
    await database.query({ text: `alter table ${parent} detach partition ${name} ${how}` });
    await database.query({ text: `drop table if exists ${name}` });
  }
  await dropDetached(database, oldest, tables);
  return old.map(({ name }) => name);
}

/** Tables that a node detached and died before it could drop them. */
async function dropDetached(database: Database | Lane, oldest: string, tables: readonly string[]): Promise<void> {
  const rows = await database.query<{ name: string }>({
    text: `select relname as name from pg_class
            where relkind = 'r' and not relispartition and relname ~ ('^(' || $1 || ')_[0-9]{8}$')
              and relnamespace = any (select p.relnamespace from pg_class p where p.oid = any ($2::regclass[]))`,
    values: [tables.join('|'), tables],
  });
  for (const { name } of rows) if (name.slice(-8) < oldest) await database.query({ text: `drop table if exists ${name}` });
}

export async function setRetention(db: Queryable, organizationId: string, days: number | null): Promise<void> {
  if (days === null) await db.query({ text: 'delete from retentions where organization_id = $1', values: [organizationId] });
  else
    await db.query({
      text: `insert into retentions (organization_id, days) values ($1, $2)
             on conflict (organization_id) do update set days = excluded.days`,
      values: [organizationId, days],
    });
}

export async function findRetention(db: Queryable, organizationId: string): Promise<number | null> {
  const [row] = await db.query<{ days: number }>({
    text: 'select days from retentions where organization_id = $1',
    values: [organizationId],
  });
  return row?.days ?? null;
}

/**
 * Deletes the history of organizations that keep it for less time than the partitions are kept, in small statements.
 * Returns how many deliveries went.
 */
export async function trimOrganizations(db: Queryable, now: number, keepDays: number, batch: number): Promise<number> {
  const shorter = await db.query<{ organization_id: string; days: number }>({
    text: 'select organization_id, days from retentions where days < $1',
    values: [keepDays],
  });
  let deleted = 0;
  for (const { days, organization_id: organizationId } of shorter) {
    const values = [organizationId, uuidFloor(now - days * DAY_MS), batch];
    for (;;) {
      const rows = await db.query({ text: TRIM_DELIVERIES, values });
      deleted += rows.length;
      if (rows.length < batch) break;
    }
    while ((await db.query({ text: TRIM_EVENTS, values })).length === batch);
  }
  return deleted;
}

const TRIM_DELIVERIES = `
  with old as materialized (select id from finished_deliveries where organization_id = $1 and id < $2 limit $3),
       gone as (delete from attempts where delivery_id in (select id from old))
  delete from finished_deliveries where id in (select id from old) returning 1`;
/**
 * Not those that an unfinished delivery still needs: the queue is read once for all of a batch. What is in `batches` or is
 * fanned out was published a moment ago, far from any retention's end.
 */
const TRIM_EVENTS = `
  delete from events where id in (
    select e.id from events e where e.organization_id = $1 and e.id < $2
       and not exists (select from deliveries d where d.event_id = e.id) limit $3) returning 1`;

/** Deletes versions of endpoints that are older than everything that was sent to them. */
export async function trimVersions(db: Queryable, now: Date, keepDays: number): Promise<void> {
  await db.query({
    text: 'delete from endpoint_versions where superseded_at < $1',
    values: [new Date(now.getTime() - (keepDays + 1) * DAY_MS)],
  });
}

function dayName(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
}

/** Two nodes may make the same partition at once; the second finds it done. */
function ignoreDuplicate(error: unknown): void {
  const code = (error as { code?: string }).code;
  // The table, its row type, or a row in the catalogue.
  if (code !== '42P07' && code !== '42710' && code !== '23505') throw error;
}
