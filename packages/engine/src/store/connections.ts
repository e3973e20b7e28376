import { SINGLE_LANES, type LaneSizes, type Queryable } from './database.ts';

/** What a PostgreSQL lets in. */
export interface ConnectionLimit {
  /** Connections for all who use it as this user, ours among them. */
  readonly available: number;
  /** `max_connections`. */
  readonly max: number;
  /** Of these, kept for superusers and for the role `pg_use_reserved_connections`. */
  readonly reserved: number;
}

/** Connections that one node has at most: each lane opens its own when they are needed. */
export function connectionsOfNode(sizes: LaneSizes): number {
  return [sizes, SINGLE_LANES].flatMap((lanes) => Object.values(lanes) as number[]).reduce((sum, size) => sum + size, 0);
}

/** Asks the server, also through a pooler; limits of the role and of the database count too. */
export async function connectionLimit(db: Queryable): Promise<ConnectionLimit> {
  // `reserved_connections` came with PostgreSQL 16; -1 is no limit.
  const [row] = await db.query<{ max: number; reserved: number; own: number | null }>({
    text: `select current_setting('max_connections')::int as max,
                  current_setting('superuser_reserved_connections')::int
                    + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
                  least((select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
                        (select nullif(datconnlimit, -1) from pg_database where datname = current_database())) as own`,
  });
  const { max, own, reserved } = row!;
  return { available: Math.min(max - reserved, own ?? Infinity), max, reserved };
}
