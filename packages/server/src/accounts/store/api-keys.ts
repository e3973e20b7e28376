import type { Queryable } from '@dialhook/engine';
import type { ApiKey, Caller, KeyKind, Plan } from '../model.ts';

interface Row {
  id: string;
  organization_id: string;
  user_id: string;
  kind: KeyKind;
  name: string;
  prefix: string;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  created_at: Date;
}

const COLUMNS = 'id, organization_id, user_id, kind, name, prefix, expires_at, last_used_at, revoked_at, created_at';

export async function insertApiKey(
  db: Queryable,
  key: Omit<ApiKey, 'lastUsedAt' | 'revokedAt'> & { readonly hash: Buffer },
): Promise<ApiKey> {
  const [row] = await db.query<Row>({
    text: `insert into api_keys (id, organization_id, user_id, kind, name, prefix, hash, expires_at, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${COLUMNS}`,
    values: [key.id, key.organizationId, key.userId, key.kind, key.name, key.prefix, key.hash, key.expiresAt, key.createdAt],
  });
  return toApiKey(row!);
}

/** Counts the keys that work while nobody else makes one for the organization: the lock ends with the transaction. */
export async function countApiKeysLocked(tx: Queryable, organizationId: string, now: Date): Promise<number> {
  await tx.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`api-keys:${organizationId}`] });
  const [row] = await tx.query<{ count: number }>({
    text: `select count(*) as count from api_keys
            where organization_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)`,
    values: [organizationId, now],
  });
  return row!.count;
}

/** Keys that are not revoked first, then the revoked ones, each newest first: what works is never beyond the end. */
export async function listApiKeys(db: Queryable, organizationId: string): Promise<ApiKey[]> {
  const rows = await db.query<Row>({
    text: `select ${COLUMNS} from api_keys where organization_id = $1 order by revoked_at is not null, id desc limit 1000`,
    values: [organizationId],
  });
  return rows.map(toApiKey);
}

export async function revokeApiKey(db: Queryable, organizationId: string, id: string, now: Date): Promise<ApiKey | null> {
  const [row] = await db.query<Row>({
    text: `update api_keys set revoked_at = coalesce(revoked_at, $3) where organization_id = $1 and id = $2 returning ${COLUMNS}`,
    values: [organizationId, id, now],
  });
  return row ? toApiKey(row) : null;
}

/** Holds a key that works until the transaction ends: its revocation waits. False for one that works no more. */
export async function lockApiKey(tx: Queryable, id: string): Promise<boolean> {
  const rows = await tx.query({ text: 'select 1 from api_keys where id = $1 and revoked_at is null for share', values: [id] });
  return rows.length === 1;
}

/**
 * Who a key belongs to, if it is valid now. Found by its hash, so no comparison of secrets takes place here. Notes
 * the use, but at most once a minute, so that reads do not become writes.
 */
export async function findCaller(db: Queryable, hash: Buffer, now: Date): Promise<Caller | null> {
  const [row] = await db.query<{ id: string; organization_id: string; user_id: string; kind: KeyKind; plan: Plan | null }>({
    name: 'find-caller',
    text: `with caller as (
             select k.id, k.organization_id, k.user_id, k.kind, k.last_used_at, o.plan
               from api_keys k join organizations o on o.id = k.organization_id
              where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
           ), noted as (
             update api_keys set last_used_at = $2
              where id = (select id from caller where last_used_at is null or last_used_at < $2::timestamptz - interval '1 minute')
           )
           select id, organization_id, user_id, kind, plan from caller`,
    values: [hash, now],
  });
  return row ? { keyId: row.id, organizationId: row.organization_id, userId: row.user_id, kind: row.kind, plan: row.plan } : null;
}

function toApiKey(row: Row): ApiKey {
  return {
    id: row.id,
    organizationId: row.organization_id,
    userId: row.user_id,
    kind: row.kind,
    name: row.name,
    prefix: row.prefix,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    createdAt: row.created_at,
  };
}
