import type { Queryable } from '@dialhook/engine';
import type { Role } from '../model.ts';

/** What a link is for: it signs a user in, or lets somebody join an organization. */
export interface SignInLink {
  /** Whom it signs in; null for an invitation. */
  readonly userId: string | null;
  readonly organizationId: string | null;
  readonly role: Role | null;
  /** Of an invitation: for whom it is. Else the address that the user wants and proves by opening the link, or null. */
  readonly email: string | null;
  /** Of an invitation: the owner who made it; null when the operator did. */
  readonly madeBy: string | null;
  readonly byOperator: boolean;
}

export async function insertLink(
  db: Queryable,
  link: SignInLink & { readonly id: string; readonly hash: Buffer; readonly now: Date; readonly expiresAt: Date },
): Promise<void> {
  await db.query({
    text: `insert into sign_in_links (id, hash, user_id, organization_id, role, email, made_by, by_operator, created_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [
      link.id,
      link.hash,
      link.userId,
      link.organizationId,
      link.role,
      link.email,
      link.madeBy,
      link.byOperator,
      link.now,
      link.expiresAt,
    ],
  });
}

const LINK = 'user_id as "userId", organization_id as "organizationId", role, email, made_by as "madeBy", by_operator as "byOperator"';

/** What a link is for, without using it. */
export async function findLink(db: Queryable, hash: Buffer, now: Date): Promise<SignInLink | null> {
  const [row] = await db.query<SignInLink>({
    text: `select ${LINK} from sign_in_links where hash = $1 and expires_at > $2`,
    values: [hash, now],
  });
  return row ?? null;
}

/** Uses a link: of two that try, one gets it. */
export async function takeLink(tx: Queryable, hash: Buffer, now: Date): Promise<SignInLink | null> {
  const [row] = await tx.query<SignInLink>({
    text: `delete from sign_in_links where hash = $1 and expires_at > $2 returning ${LINK}`,
    values: [hash, now],
  });
  return row ?? null;
}

/** Ends every link that would sign this user in. */
export async function deleteLinks(tx: Queryable, userId: string): Promise<void> {
  await tx.query({ text: 'delete from sign_in_links where user_id = $1', values: [userId] });
}

export interface Invitation {
  readonly id: string;
  readonly email: string | null;
  readonly role: Role;
  /** The owner who made it; null when the operator did. */
  readonly madeBy: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Open ones, newest first. */
export async function listInvitations(db: Queryable, organizationId: string, now: Date): Promise<Invitation[]> {
  return db.query<Invitation>({
    text: `select id, email, role, made_by as "madeBy", created_at as "createdAt", expires_at as "expiresAt" from sign_in_links
            where organization_id = $1 and expires_at > $2 and (made_by is not null or by_operator) order by created_at desc, id`,
    values: [organizationId, now],
  });
}

/** Counts open invitations while nobody else makes one for the organization: the lock ends with the transaction. */
export async function countInvitationsLocked(tx: Queryable, organizationId: string, now: Date): Promise<number> {
  await tx.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`invitations:${organizationId}`] });
  const [row] = await tx.query<{ count: number }>({
    text: 'select count(*) as count from sign_in_links where organization_id = $1 and expires_at > $2',
    values: [organizationId, now],
  });
  return row!.count;
}

/** Another secret and another end for an open invitation: the old link is used up. Null when there is none with this id. */
export async function renewInvitation(
  tx: Queryable,
  organizationId: string,
  id: string,
  renewed: { readonly hash: Buffer; readonly madeBy: string | null; readonly now: Date; readonly expiresAt: Date },
): Promise<Invitation | null> {
  const [row] = await tx.query<Invitation>({
    text: `update sign_in_links set hash = $3, expires_at = $5, made_by = $6::uuid, by_operator = $6::uuid is null
            where organization_id = $1 and id = $2 and expires_at > $4
           returning id, email, role, made_by as "madeBy", created_at as "createdAt", expires_at as "expiresAt"`,
    values: [organizationId, id, renewed.hash, renewed.now, renewed.expiresAt, renewed.madeBy],
  });
  return row ?? null;
}

/** False when there is no open invitation with this id. */
export async function deleteInvitation(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const rows = await db.query({
    text: 'delete from sign_in_links where organization_id = $1 and id = $2 returning 1',
    values: [organizationId, id],
  });
  return rows.length === 1;
}

/** Ends the invitations that somebody made for an organization. */
export async function deleteInvitationsBy(tx: Queryable, organizationId: string, userId: string): Promise<void> {
  await tx.query({ text: 'delete from sign_in_links where organization_id = $1 and made_by = $2', values: [organizationId, userId] });
}

/** Ends those for one address: the next invitation replaces them. */
export async function deleteInvitationsFor(tx: Queryable, organizationId: string, email: string): Promise<void> {
  await tx.query({
    text: 'delete from sign_in_links where organization_id = $1 and lower(email) = lower($2)',
    values: [organizationId, email],
  });
}
