import { uuidFloor } from '../core/ids.ts';
import type { Database, Queryable } from './database.ts';
import { exhaustDeliveriesOf } from './endpoints.ts';

const DAY_MS = 86_400_000;
const PARTITIONED = ['events', 'finished_deliveries', 'attempts'] as const;

/** Makes the day partitions from yesterday (clocks differ between nodes) to `daysAhead` from now. */
export async function ensurePartitions(database: Database, now: number, daysAhead: number): Promise<void> {
  const wanted = new Map<string, { table: string; from: number }>();
  for (let day = -1; day <= daysAhead; day++) {
    const from = Math.floor(now / DAY_MS) * DAY_MS + day * DAY_MS;
    for (const table of PARTITIONED) wanted.set(`${table}_${dayName(from)}`, { table, from });
  }
  const existing = await database.query<{ name: string }>({
    text: `select c.relname as name from pg_class c where c.relname = any ($1::text[])`,
    values: [[...wanted.keys()]],
  });
  for (const { name } of existing) wanted.delete(name);
  for (const [name, { table, from }] of wanted) {
    await database
      .query({
        text: `create table if not exists ${name} partition of ${table} for values from ('${uuidFloor(from)}') to ('${uuidFloor(from + DAY_MS)}')`,
      })
      .catch((error: unknown) => ignoreDuplicate(error));
  }
}

/** Drops the partitions that hold nothing younger than `keepDays`. */
export async function dropOldPartitions(database: Database, now: number, keepDays: number): Promise<string[]> {
  const oldest = dayName(Math.floor(now / DAY_MS) * DAY_MS - keepDays * DAY_MS);
  const rows = await database.query<{ name: string }>({
    text: `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
            where p.relname = any ($1::text[])`,
    values: [PARTITIONED],
  });
  const old = rows.map((row) => row.name).filter((name) => name.slice(-8) < oldest);
  for (const name of old) await database.query({ text: `drop table if exists ${name}` });
  return old;
}

/** Ends deliveries that were published in the very moment in which their endpoint was deleted. */
export async function sweepOrphans(db: Queryable, now: Date): Promise<number> {
  const rows = await db.query<{ endpoint_id: string }>({
    text: `with recursive live as (
             (select endpoint_id from deliveries where leased_by is null order by endpoint_id limit 1)
             union all
             select (select d.endpoint_id from deliveries d where d.leased_by is null and d.endpoint_id > l.endpoint_id
                      order by d.endpoint_id limit 1)
               from live l where l.endpoint_id is not null
           )
           select endpoint_id from live where endpoint_id is not null and not exists (select from endpoints e where e.id = live.endpoint_id)`,
  });
  if (rows.length > 0)
    await exhaustDeliveriesOf(
      db,
      rows.map((row) => row.endpoint_id),
      now,
    );
  return rows.length;
}

function dayName(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
}

/** Two nodes may make the same partition at once; the second finds it done. */
function ignoreDuplicate(error: unknown): void {
  const code = (error as { code?: string }).code;
  if (code !== '42P07' && code !== '23505') throw error;
}
