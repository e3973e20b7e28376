import type { Queryable } from '@dialhook/engine';

export interface StoredCall {
  readonly fingerprint: Buffer;
  /** Null while the call is being done. */
  readonly status: number | null;
  readonly sealedBody: Buffer | null;
}

/** Notes that a call begins. Null when it is ours to do: it is new, or whoever did it gave up before `abandonedBefore`. */
export async function beginCall(
  db: Queryable,
  key: string,
  fingerprint: Buffer,
  now: Date,
  abandonedBefore: Date,
): Promise<StoredCall | null> {
  const [mine] = await db.query({
    text: `insert into idempotency_keys as k (key, fingerprint, created_at) values ($1, $2, $3)
           on conflict (key) do update set created_at = $3
            where k.status is null and k.created_at < $4 and k.fingerprint = $2 returning key`,
    values: [key, fingerprint, now, abandonedBefore],
  });
  if (mine !== undefined) return null;
  const [row] = await db.query<{ fingerprint: Buffer; status: number | null; sealed_body: Buffer | null }>({
    text: 'select fingerprint, status, sealed_body from idempotency_keys where key = $1',
    values: [key],
  });
  return row ? { fingerprint: row.fingerprint, status: row.status, sealedBody: row.sealed_body } : null;
}

export async function finishCall(db: Queryable, key: string, status: number, sealedBody: Buffer): Promise<void> {
  await db.query({ text: 'update idempotency_keys set status = $2, sealed_body = $3 where key = $1', values: [key, status, sealedBody] });
}

/** Forgets a call that failed on our side: it may be done again with the same key. */
export async function forgetCall(db: Queryable, key: string): Promise<void> {
  await db.query({ text: 'delete from idempotency_keys where key = $1', values: [key] });
}

export async function sweepCalls(db: Queryable, before: Date): Promise<void> {
  await db.query({ text: 'delete from idempotency_keys where created_at < $1', values: [before] });
}
