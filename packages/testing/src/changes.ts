import type { Database, Queryable, Transaction } from '@dialhook/engine';

/** Every row of every table, by table and primary key. */
export type Snapshot = ReadonlyMap<string, { readonly table: string; readonly row: Readonly<Record<string, unknown>> }>;

/** What people call ids and times (ISO, as `toISOString` writes it), so that changes can be read. */
export type Names = ReadonlyMap<string, string>;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** Reads the whole database: for small ones that a test has made. */
export async function snapshot(db: Queryable): Promise<Snapshot> {
  const tables = await db.query<{ name: string; keys: string[] }>({
    text: `select c.relname::text as name, array_agg(a.attname::text order by k.place) as keys
             from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
            cross join lateral unnest(i.indkey) with ordinality as k (number, place)
             join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            group by c.relname order by 1`,
  });
  const rows = await db.query<{ name: string; row: Record<string, unknown> }>({
    text: tables.map(({ name }) => `select '${name}' as name, to_jsonb(t) as row from ${name} t`).join(' union all '),
  });
  const keys = new Map(tables.map((table) => [table.name, table.keys]));
  return new Map(rows.map(({ name, row }) => [[name, ...keys.get(name)!.map((key) => row[key])].join(' '), { table: name, row }]));
}

/**
 * What is different, a line for each row, in the order of the alphabet: `+ table name…` for a new row, with whatever in it has a
 * name, `- table name…` for one that is gone, and `~ table name…: column before→after` for a changed one.
 */
export function difference(before: Snapshot, after: Snapshot, names: Names): string[] {
  const lines: string[] = [];
  for (const [key, { row, table }] of after) {
    const old = before.get(key)?.row;
    if (old === undefined) {
      const known = Object.values(row).flatMap((value) => (typeof value === 'string' ? (names.get(value) ?? nameOfTime(value) ?? []) : []));
      lines.push(['+', table, ...known].join(' '));
      continue;
    }
    const changed = Object.keys(row).filter((column) => JSON.stringify(row[column]) !== JSON.stringify(old[column]));
    if (changed.length > 0)
      lines.push(`~ ${named(key)}: ${changed.map((column) => `${column} ${show(old[column])}→${show(row[column])}`).join(', ')}`);
  }
  for (const key of before.keys()) if (!after.has(key)) lines.push(`- ${named(key)}`);
  return lines.sort();

  function named(key: string): string {
    return key
      .split(' ')
      .map((part) => names.get(part) ?? part)
      .join(' ');
  }
  function show(value: unknown): string {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return TIME.test(text) ? (nameOfTime(text) ?? 'time') : (names.get(text) ?? text);
  }
  function nameOfTime(text: string): string | undefined {
    return TIME.test(text) ? names.get(new Date(text).toISOString()) : undefined;
  }
}

/**
 * Acts in a transaction, gives what that changed in the whole database, and undoes it: a world that was made once serves any
 * number of statements, and whatever is not meant is a bystander.
 */
export async function changesOf<T>(
  database: Database,
  names: Names,
  act: (tx: Transaction) => Promise<T>,
): Promise<{ readonly result: T; readonly changes: string[] }> {
  const undone = new Error('undone');
  let outcome: { result: T; changes: string[] } | undefined;
  await database
    .transaction(async (tx) => {
      const before = await snapshot(tx);
      const result = await act(tx);
      outcome = { result, changes: difference(before, await snapshot(tx), names) };
      throw undone;
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error;
    });
  return outcome!;
}
