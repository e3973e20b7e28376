import type { Queryable } from '@dialhook/engine';
import type { Campaign, Dispo } from '../model.ts';

/** A table of a company: which columns it has, the key first. Names are ours, never a caller's. */
export interface TranslationTable {
  readonly table: 'dial_campaigns' | 'dial_dispos' | 'dial_anis';
  readonly columns: readonly [key: string, ...others: string[]];
}

type Values = Readonly<Record<string, unknown>>;

/** False when the key exists already. */
export async function insertRow(
  db: Queryable,
  { columns, table }: TranslationTable,
  organizationId: string,
  row: Values,
): Promise<boolean> {
  const rows = await db.query({
    text: `insert into ${table} (organization_id, ${columns.join(', ')}) values ($1, ${columns.map((_, n) => `$${n + 2}`).join(', ')})
           on conflict do nothing returning 1`,
    values: [organizationId, ...columns.map((column) => row[column] ?? null)],
  });
  return rows.length === 1;
}

/** Changes what is given; null when there is no such row. */
export async function updateRow(
  db: Queryable,
  { columns, table }: TranslationTable,
  organizationId: string,
  row: Values,
): Promise<Values | null> {
  const [key, ...others] = columns;
  const changed = others.filter((column) => row[column] !== undefined);
  const sets = changed.map((column, n) => `${column} = $${n + 3}`);
  const [updated] = await db.query<Values>({
    text: `update ${table} set ${sets.length > 0 ? sets.join(', ') : `${key} = ${key}`} where organization_id = $1 and ${key} = $2 returning ${columns.join(', ')}`,
    values: [organizationId, row[key], ...changed.map((column) => row[column])],
  });
  return updated ?? null;
}

export async function findRow(
  db: Queryable,
  { columns, table }: TranslationTable,
  organizationId: string,
  key: string,
): Promise<Values | null> {
  const [row] = await db.query<Values>({
    text: `select ${columns.join(', ')} from ${table} where organization_id = $1 and ${columns[0]} = $2`,
    values: [organizationId, key],
  });
  return row ?? null;
}

export async function deleteRow(
  db: Queryable,
  { columns, table }: TranslationTable,
  organizationId: string,
  key: string,
): Promise<boolean> {
  const rows = await db.query({
    text: `delete from ${table} where organization_id = $1 and ${columns[0]} = $2 returning 1`,
    values: [organizationId, key],
  });
  return rows.length === 1;
}

/** By key, after the one given. */
export async function listRows(
  db: Queryable,
  { columns, table }: TranslationTable,
  organizationId: string,
  after: string,
  limit: number,
): Promise<Values[]> {
  return db.query<Values>({
    text: `select ${columns.join(', ')} from ${table} where organization_id = $1 and ${columns[0]} > $2 order by ${columns[0]} limit $3`,
    values: [organizationId, after, limit],
  });
}

/** Counts a company's rows while nobody else adds one: the lock ends with the transaction. */
export async function countRowsLocked(tx: Queryable, { table }: TranslationTable, organizationId: string): Promise<number> {
  await tx.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`${table}:${organizationId}`] });
  const [row] = await tx.query<{ count: number }>({
    text: `select count(*) as count from ${table} where organization_id = $1`,
    values: [organizationId],
  });
  return row!.count;
}

/** The campaigns that some dials name, by company. */
export async function findCampaigns(
  db: Queryable,
  organizationIds: readonly string[],
  ids: readonly string[],
): Promise<(Campaign & { organizationId: string })[]> {
  return db.query<Campaign & { organizationId: string }>({
    name: 'find-campaigns',
    text: `select organization_id as "organizationId", id, name, type, inbound_pool_id from dial_campaigns
            where organization_id = any ($1::uuid[]) and id = any ($2::text[])`,
    values: [organizationIds, ids],
  });
}

/** The dispositions that some dials name by name or id, by company. */
export async function findDispos(
  db: Queryable,
  organizationIds: readonly string[],
  names: readonly string[],
): Promise<(Dispo & { organizationId: string })[]> {
  return db.query<Dispo & { organizationId: string }>({
    name: 'find-dispos',
    text: `select organization_id as "organizationId", id, name, type, contact, success from dial_dispos
            where organization_id = any ($1::uuid[]) and (name = any ($2::text[]) or id = any ($2::text[])) order by id`,
    values: [organizationIds, names],
  });
}
