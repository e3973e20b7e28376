import type { Queryable } from '@dialhook/engine';

export type Row = Readonly<Record<string, unknown>>;

/** By table and primary key, such as `uploads 0192…`: the whole row where one came, the columns that changed as they are now, null where it went. */
export type Changes = Readonly<Record<string, Row | null>>;

/**
 * Watches every row of every table. A test of a statement says exactly what it changes; every other row of the database is its bystander,
 * compared whole.
 */
export class RowWatch {
  readonly #db: Queryable;
  readonly #text: string;
  #rows: ReadonlyMap<string, Row>;

  private constructor(db: Queryable, text: string, rows: ReadonlyMap<string, Row>) {
    this.#db = db;
    this.#text = text;
    this.#rows = rows;
  }

  static async start(db: Queryable): Promise<RowWatch> {
    const tables = await db.query<{ name: string; key: string[] }>({
      text: `select c.relname as name, array_agg(a.attname::text order by array_position(i.indkey::int[], a.attnum::int)) as key
               from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
               join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
              where c.relkind in ('r', 'p') and not c.relispartition and pg_table_is_visible(c.oid) and c.relname <> 'migrations'
                and c.relnamespace = 'public'::regnamespace
              group by c.oid, c.relname order by c.relname`,
    });
    const text = tables
      .map(({ key, name }) => `select '${name} ' || concat_ws(' ', ${key.join(', ')}) as key, to_jsonb(t) as row from ${name} t`)
      .join(' union all ');
    return new RowWatch(db, text, await read(db, text));
  }

  /** What is different from the last look. Times are in ISO 8601, bytes in hexadecimal with `\x` in front. */
  async changes(): Promise<Changes> {
    const [before, now] = [this.#rows, await read(this.#db, this.#text)];
    this.#rows = now;
    const changes: Record<string, Row | null> = {};
    for (const key of before.keys()) if (!now.has(key)) changes[key] = null;
    for (const [key, row] of now) {
      const old = before.get(key);
      const columns = Object.entries(row).filter(([column, value]) => JSON.stringify(value) !== JSON.stringify(old?.[column]));
      if (columns.length > 0) changes[key] = Object.fromEntries(columns);
    }
    return changes;
  }

  /** The rows of one table as they were at the last look. */
  of(table: string): Row[] {
    return [...this.#rows].filter(([key]) => key.startsWith(`${table} `)).map(([, row]) => row);
  }
}

async function read(db: Queryable, text: string): Promise<ReadonlyMap<string, Row>> {
  const rows = await db.query<{ key: string; row: Row }>({ text });
  return new Map(rows.map(({ key, row }) => [key, Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))]));
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/;

function plain(value: unknown): unknown {
  return typeof value === 'string' && TIME.test(value) ? new Date(value).toISOString() : value;
}
