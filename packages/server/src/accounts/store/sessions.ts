import type { Queryable } from '@dialhook/engine';
import type { Role } from '../model.ts';

export interface SessionUser {
  readonly sessionId: string;
  readonly userId: string;
  readonly email: string | null;
  readonly name: string;
  readonly hasPassword: boolean;
  readonly lastSeenAt: Date;
}

export async function insertSession(
  tx: Queryable,
  session: { readonly id: string; readonly hash: Buffer; readonly userId: string; readonly userAgent: string; readonly now: Date },
): Promise<void> {
  await tx.query({
    text: 'insert into sessions (id, hash, user_id, user_agent, created_at, last_seen_at) values ($1, $2, $3, $4, $5, $5)',
    values: [session.id, session.hash, session.userId, session.userAgent, session.now],
  });
}

/** Whose session it is, while it lasts. */
export async function findSession(db: Queryable, hash: Buffer, seenSince: Date, createdSince: Date): Promise<SessionUser | null> {
  const [row] = await db.query<SessionUser>({
    name: 'find-session',
    text: `select s.id as "sessionId", u.id as "userId", u.email, u.name, u.password_hash is not null as "hasPassword", s.last_seen_at as "lastSeenAt"
             from sessions s join users u on u.id = s.user_id
            where s.hash = $1 and s.last_seen_at > $2 and s.created_at > $3`,
    values: [hash, seenSince, createdSince],
  });
  return row ?? null;
}

export async function touchSession(db: Queryable, id: string, now: Date): Promise<void> {
  await db.query({ name: 'touch-session', text: 'update sessions set last_seen_at = $2 where id = $1', values: [id, now] });
}

export async function deleteSession(db: Queryable, hash: Buffer): Promise<void> {
  await db.query({ text: 'delete from sessions where hash = $1', values: [hash] });
}

/** All of a user's, or all but one. Gives how many. */
export async function deleteSessions(db: Queryable, userId: string, except: string | null): Promise<number> {
  const rows = await db.query({
    text: 'delete from sessions where user_id = $1 and ($2::uuid is null or id <> $2) returning 1',
    values: [userId, except],
  });
  return rows.length;
}

export async function sweepSessions(db: Queryable, seenBefore: Date, createdBefore: Date, failedBefore: Date, now: Date): Promise<void> {
  await db.query({ text: 'delete from sessions where last_seen_at <= $1 or created_at <= $2', values: [seenBefore, createdBefore] });
  await db.query({ text: 'delete from sign_in_failures where at <= $1', values: [failedBefore] });
  await db.query({ text: 'delete from sign_in_links where expires_at <= $1', values: [now] });
}

export interface Membership {
  readonly organizationId: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: 'list_processing' | 'spam_monitoring' | null;
  readonly credits: number;
  readonly role: Role;
}

export async function listMemberships(db: Queryable, userId: string): Promise<Membership[]> {
  return db.query<Membership>({
    name: 'list-memberships',
    text: `select o.id as "organizationId", o.slug, o.name, o.plan, o.credits, m.role
             from memberships m join organizations o on o.id = m.organization_id where m.user_id = $1 order by o.name, o.slug`,
    values: [userId],
  });
}

export async function findMembership(db: Queryable, userId: string, slug: string): Promise<Membership | null> {
  const [row] = await db.query<Membership>({
    name: 'find-membership',
    text: `select o.id as "organizationId", o.slug, o.name, o.plan, o.credits, m.role
             from memberships m join organizations o on o.id = m.organization_id where m.user_id = $1 and o.slug = $2`,
    values: [userId, slug],
  });
  return row ?? null;
}

export async function findPassword(db: Queryable, email: string): Promise<{ userId: string; hash: string | null } | null> {
  const [row] = await db.query<{ userId: string; hash: string | null }>({
    // Some share an address from before it was one user's in every spelling: theirs is the exact one.
    text: `select id as "userId", password_hash as hash from users where lower(email) = lower($1)
            order by email = $1 desc, shares_email limit 1`,
    values: [email],
  });
  return row ?? null;
}

export async function updateUser(
  db: Queryable,
  userId: string,
  change: { readonly email?: string | undefined; readonly name?: string | undefined; readonly passwordHash?: string | undefined },
): Promise<void> {
  await db.query({
    text: `update users set email = coalesce($2, email), name = coalesce($3, name), password_hash = coalesce($4, password_hash),
             shares_email = shares_email and lower(coalesce($2, email)) = lower(email) where id = $1`,
    values: [userId, change.email ?? null, change.name ?? null, change.passwordHash ?? null],
  });
}

export interface SignInLink {
  readonly userId: string | null;
  readonly organizationId: string | null;
  readonly role: Role | null;
  readonly email: string | null;
}

export async function insertLink(
  db: Queryable,
  link: SignInLink & { readonly hash: Buffer; readonly now: Date; readonly expiresAt: Date },
): Promise<void> {
  await db.query({
    text: `insert into sign_in_links (hash, user_id, organization_id, role, email, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [link.hash, link.userId, link.organizationId, link.role, link.email, link.now, link.expiresAt],
  });
}

const LINK = 'user_id as "userId", organization_id as "organizationId", role, email';

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

export interface Invitation {
  readonly email: string | null;
  readonly role: Role;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export async function listInvitations(db: Queryable, organizationId: string, now: Date): Promise<Invitation[]> {
  return db.query<Invitation>({
    text: `select email, role, created_at as "createdAt", expires_at as "expiresAt" from sign_in_links
            where organization_id = $1 and expires_at > $2 order by created_at desc`,
    values: [organizationId, now],
  });
}

export async function noteFailure(db: Queryable, subjects: readonly string[], now: Date): Promise<void> {
  await db.query({ text: 'insert into sign_in_failures (subject, at) select unnest($1::text[]), $2', values: [subjects, now] });
}

/** Failures of each subject since a time. */
export async function countFailures(db: Queryable, subjects: readonly string[], since: Date): Promise<Map<string, number>> {
  const rows = await db.query<{ subject: string; count: number }>({
    text: 'select subject, count(*) as count from sign_in_failures where subject = any ($1::text[]) and at > $2 group by subject',
    values: [subjects, since],
  });
  return new Map(rows.map(({ count, subject }) => [subject, count]));
}
