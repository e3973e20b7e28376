import type { Queryable } from '@dialhook/engine';

export interface KnownPassword {
  readonly userId: string;
  readonly hash: string | null;
}

/** The user whose address this is; null when it is nobody's. */
export async function findPassword(db: Queryable, email: string): Promise<KnownPassword | null> {
  const [row] = await db.query<KnownPassword>({
    // Some share an address from before it was one user's in every spelling: theirs is the exact one.
    text: `select id as "userId", password_hash as hash from users where lower(email) = lower($1)
            order by email = $1 desc, shares_email limit 1`,
    values: [email],
  });
  return row ?? null;
}

/** A user's password, whatever the address. With `lock`, nobody else changes the user before the transaction ends. */
export async function findPasswordOf(db: Queryable, userId: string, lock = false): Promise<string | null> {
  const [row] = await db.query<{ hash: string | null }>({
    text: `select password_hash as hash from users where id = $1 ${lock ? 'for update' : ''}`,
    values: [userId],
  });
  return row?.hash ?? null;
}

export async function updateUser(
  tx: Queryable,
  userId: string,
  change: { readonly name?: string | undefined; readonly passwordHash?: string | undefined },
): Promise<void> {
  await tx.query({
    text: 'update users set name = coalesce($2, name), password_hash = coalesce($3, password_hash) where id = $1',
    values: [userId, change.name ?? null, change.passwordHash ?? null],
  });
}

/** Notes the address that a user wants; null forgets it. */
export async function setPendingEmail(tx: Queryable, userId: string, email: string | null): Promise<void> {
  await tx.query({ text: 'update users set pending_email = $2 where id = $1', values: [userId, email] });
}

/** Null when the user waits for none. */
export async function findPendingEmail(db: Queryable, userId: string): Promise<string | null> {
  const [row] = await db.query<{ email: string | null }>({
    text: 'select pending_email as email from users where id = $1',
    values: [userId],
  });
  return row?.email ?? null;
}

/** The address counts from now on. False when the user does not wait for it any more. Throws a unique violation when it is another's. */
export async function confirmEmail(tx: Queryable, userId: string, email: string): Promise<boolean> {
  const rows = await tx.query({
    text: `update users set email = pending_email, pending_email = null, shares_email = shares_email and lower(pending_email) = lower(email)
            where id = $1 and pending_email = $2 returning 1`,
    values: [userId, email],
  });
  return rows.length === 1;
}

/**
 * Gives the first user of an installation the address at once: while nobody else has one, nothing can be learnt by
 * asking for it, and it can be taken from nobody. False when somebody has.
 */
export async function setFirstEmail(tx: Queryable, userId: string, email: string): Promise<boolean> {
  const rows = await tx.query({
    text: `update users set email = $2 where id = $1 and email is null
              and not exists (select from users other where other.email is not null or other.pending_email is not null) returning 1`,
    values: [userId, email],
  });
  return rows.length === 1;
}
