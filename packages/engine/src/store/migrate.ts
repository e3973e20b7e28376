import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './database.ts';
import { isUniqueViolation } from './trouble.ts';

/** A folder of numbered `.sql` files that belong together, such as the engine's tables. */
export interface MigrationSet {
  readonly name: string;
  readonly directory: string;
}

/** The database was migrated by a newer version of the code than this one. */
export class DatabaseTooNew extends Error {
  override readonly name = 'DatabaseTooNew';
  constructor(set: string, found: number, known: number) {
    super(
      `The database has ${set} migration ${found}, this version knows up to ${known}: it was used by a newer Dialhook. Upgrade this one, or restore a backup.`,
    );
  }
}

/** Any number that nobody else uses: "dialhook" on a phone's keys. */
const ADVISORY_LOCK = 34254665;
/** A migration that waits longer for its lock than this would stall everybody else behind it. */
const LOCK_TIMEOUT = '10s';
/** One statement of a migration: an index over a large table takes its time. */
const MIGRATION_MS = 3_600_000;

/** Brings the database up to date, forward only. Safe when several nodes start at once. Returns what was applied. */
export async function migrate(database: Database, sets: readonly MigrationSet[]): Promise<string[]> {
  await ensureTable(database);
  const applied: string[] = [];
  for (const set of sets) {
    const files = migrationFiles(set);
    const known = files.length;
    const found = await currentVersion(database, set.name);
    if (found > known) throw new DatabaseTooNew(set.name, found, known);
    for (const [index, file] of files.entries()) {
      const version = index + 1;
      if (version > found && (await apply(database, set, version, file))) applied.push(`${set.name}/${file}`);
    }
  }
  return applied;
}

async function ensureTable(database: Database): Promise<void> {
  const text = `create table if not exists migrations (
    set_name text not null,
    version int not null,
    applied_at timestamptz not null default now(),
    primary key (set_name, version)
  )`;
  // Two nodes may both find it missing: the loser's unique violation in the catalogue means that it is there now.
  await database.query({ text }).catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error;
  });
}

async function currentVersion(database: Database, set: string): Promise<number> {
  const [row] = await database.query<{ version: number }>({
    text: 'select coalesce(max(version), 0) as version from migrations where set_name = $1',
    values: [set],
  });
  return row?.version ?? 0;
}

/** The version's row goes in first: a node that lost the race fails on it and has done nothing. */
async function apply(database: Database, set: MigrationSet, version: number, file: string): Promise<boolean> {
  const sql = readFileSync(join(set.directory, file), 'utf8');
  try {
    await database.upkeep.transaction(async (tx) => {
      if (database.kind === 'postgres') {
        await tx.query({ text: `set local statement_timeout = ${MIGRATION_MS}` });
        await tx.query({ text: `set local lock_timeout = '${LOCK_TIMEOUT}'` });
        await tx.query({ text: 'select pg_advisory_xact_lock($1)', values: [ADVISORY_LOCK] });
      }
      await tx.query({ text: 'insert into migrations (set_name, version) values ($1, $2)', values: [set.name, version] });
      await tx.query({ text: sql });
    }, MIGRATION_MS);
    return true;
  } catch (error) {
    if (isUniqueViolation(error, 'migrations_pkey')) return false;
    throw error;
  }
}

/** The set's files in order; a gap or a stray file is a mistake of ours and stops the start. */
export function migrationFiles(set: MigrationSet): string[] {
  const files = readdirSync(set.directory)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  for (const [index, name] of files.entries()) {
    if (Number(name.slice(0, 4)) !== index + 1) throw new Error(`${set.name}: migration ${name} should be number ${index + 1}.`);
  }
  return files;
}
