import type { Queryable } from '@dialhook/engine';
import type { Role } from '../model.ts';

export interface SessionUser {
  readonly sessionId: string;
  readonly userId: string;
  readonly email: string | null;
  /** The address that the user wants, until the link that was sent there is opened. */
  readonly pendingEmail: string | null;
  readonly name: string;
  readonly hasPassword: boolean;
  readonly lastSeenAt: Date;
}

/**
 * Begins a session. With `passwordHash`: only while that is the user's password, so that a change of it leaves no session
 * that the old one began. False when it was changed meanwhile.
 */
export async function insertSession(
  tx: Queryable,
  session: {
    readonly id: string;
    readonly hash: Buffer;
    readonly userId: string;
    readonly passwordHash: string | null;
    readonly userAgent: string;
    readonly now: Date;
  },
): Promise<boolean> {
  const rows = await tx.query({
    text: `insert into sessions (id, hash, user_id, user_agent, created_at, last_seen_at)
           select $1, $2, id, $4, $5, $5 from users where id = $3 and ($6::text is null or password_hash = $6) for share returning 1`,
    values: [session.id, session.hash, session.userId, session.userAgent, session.now, session.passwordHash],
  });
  return rows.length === 1;
}

/** Whose session it is, while it lasts. */
export async function findSession(db: Queryable, hash: Buffer, seenSince: Date, createdSince: Date): Promise<SessionUser | null> {
  const [row] = await db.query<SessionUser>({
    name: 'find-session',
    text: `select s.id as "sessionId", u.id as "userId", u.email, u.pending_email as "pendingEmail", u.name, u.password_hash is not null as "hasPassword", s.last_seen_at as "lastSeenAt"
             from sessions s join users u on u.id = s.user_id
            where s.hash = $1 and s.last_seen_at > $2 and s.created_at > $3`,
    values: [hash, seenSince, createdSince],
  });
  return row ?? null;
}

/** Of these sessions those that last, of users who are members of the organization. */
export async function sessionsOfMembers(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
  seenSince: Date,
  createdSince: Date,
): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>({
    name: 'sessions-of-members',
    text: `select s.id from sessions s join memberships m on m.user_id = s.user_id
            where m.organization_id = $1 and s.id = any ($2::uuid[]) and s.last_seen_at > $3 and s.created_at > $4`,
    values: [organizationId, ids, seenSince, createdSince],
  });
  return new Set(rows.map(({ id }) => id));
}

export async function touchSession(db: Queryable, id: string, now: Date): Promise<void> {
  await db.query({ name: 'touch-session', text: 'update sessions set last_seen_at = $2 where id = $1', values: [id, now] });
}

export async function deleteSession(db: Queryable, hash: Buffer): Promise<void> {
  await db.query({ text: 'delete from sessions where hash = $1', values: [hash] });
}

/** Whether a session is still there. */
export async function isSession(tx: Queryable, id: string): Promise<boolean> {
  return (await tx.query({ text: 'select 1 from sessions where id = $1', values: [id] })).length === 1;
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
