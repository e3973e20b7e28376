import type { Queryable } from '@dialhook/engine';
import { snapshot } from '../changes.ts';

export type Row = Readonly<Record<string, unknown>>;

/** By table and primary key, such as `uploads 0192…`: the whole row where one came, the columns that changed as they are now, null where it went. */
export type Changes = Readonly<Record<string, Row | null>>;

/**
 * Watches every row of every table, step by step. A test of a statement says exactly what it changes; every other row of the database is
 * its bystander, compared whole.
 */
export class RowWatch {
  readonly #db: Queryable;
  #rows: ReadonlyMap<string, Row>;

  private constructor(db: Queryable, rows: ReadonlyMap<string, Row>) {
    this.#db = db;
    this.#rows = rows;
  }

  static async start(db: Queryable): Promise<RowWatch> {
    return new RowWatch(db, await read(db));
  }

  /** What is different from the last look. Times are in ISO 8601, bytes in hexadecimal with `\x` in front. */
  async changes(): Promise<Changes> {
    const [before, now] = [this.#rows, await read(this.#db)];
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

async function read(db: Queryable): Promise<ReadonlyMap<string, Row>> {
  const plainRow = (row: Row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
  return new Map(Array.from(await snapshot(db), ([key, { row }]) => [key, plainRow(row)]));
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/;

function plain(value: unknown): unknown {
  return typeof value === 'string' && TIME.test(value) ? new Date(value).toISOString() : value;
}
