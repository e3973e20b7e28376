import type { Queryable, Transaction } from '@dialhook/engine';

export interface WriteCounts {
  readonly key: number;
  readonly organization: number;
  /** When the oldest write that still counts leaves the window, for each; null when there is none. */
  readonly keyOldest: Date | null;
  readonly organizationOldest: Date | null;
}

/** Writes since `from`. Takes the organization's lock first, so that concurrent writes are counted one after the other. */
export async function countWrites(tx: Transaction, organizationId: string, keyId: string, from: Date): Promise<WriteCounts> {
  await tx.query({ name: 'lock-writes', text: 'select pg_advisory_xact_lock(hashtextextended($1, 1))', values: [organizationId] });
  const [row] = await tx.query<{ key: number; organization: number; key_oldest: Date | null; organization_oldest: Date | null }>({
    name: 'count-writes',
    text: `select count(*) filter (where api_key_id = $2) as key, count(*) as organization,
                  min(at) filter (where api_key_id = $2) as key_oldest, min(at) as organization_oldest
             from api_writes where organization_id = $1 and at > $3`,
    values: [organizationId, keyId, from],
  });
  return { key: row!.key, organization: row!.organization, keyOldest: row!.key_oldest, organizationOldest: row!.organization_oldest };
}

export async function insertWrite(tx: Transaction, organizationId: string, keyId: string, at: Date): Promise<void> {
  await tx.query({
    name: 'insert-write',
    text: 'insert into api_writes (organization_id, api_key_id, at) values ($1, $2, $3)',
    values: [organizationId, keyId, at],
  });
}

export async function sweepWrites(db: Queryable, before: Date): Promise<void> {
  await db.query({ text: 'delete from api_writes where at < $1', values: [before] });
}
