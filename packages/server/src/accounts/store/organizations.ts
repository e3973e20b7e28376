import { isUniqueViolation, uuidFloor, type Queryable } from '@dialhook/engine';
import { AccountError, type Actor, type Member, type Organization, type Plan, type Role } from '../model.ts';
import { deleteInvitationsBy } from './sign-in-links.ts';

interface Row {
  id: string;
  slug: string;
  name: string;
  plan: Plan | null;
  credits: number;
  created_at: Date;
  updated_at: Date;
}

export interface NewOrganization {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: Plan | null;
  readonly now: Date;
}

/** Throws `slug_taken`. */
export async function insertOrganization(tx: Queryable, organization: NewOrganization): Promise<Organization> {
  try {
    const [row] = await tx.query<Row>({
      text: `insert into organizations (id, slug, name, plan, created_at, updated_at) values ($1, $2, $3, $4, $5, $5) returning *`,
      values: [organization.id, organization.slug, organization.name, organization.plan, organization.now],
    });
    return toOrganization(row!);
  } catch (error) {
    if (isUniqueViolation(error))
      throw new AccountError('slug_taken', `An organization with the slug ${organization.slug} exists already.`);
    throw error;
  }
}

export async function findOrganization(db: Queryable, slug: string): Promise<Organization | null> {
  const [row] = await db.query<Row>({ name: 'find-organization', text: 'select * from organizations where slug = $1', values: [slug] });
  return row ? toOrganization(row) : null;
}

/** Ids of organizations by slug; a slug that is missing in the result does not exist. */
export async function organizationIds(db: Queryable, slugs: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ slug: string; id: string }>({
    name: 'organization-ids',
    text: 'select slug, id from organizations where slug = any ($1::text[])',
    values: [slugs],
  });
  return new Map(rows.map((row) => [row.slug, row.id]));
}

export async function organizationSlugs(db: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ slug: string; id: string }>({
    name: 'organization-slugs',
    text: 'select slug, id from organizations where id = any ($1::uuid[])',
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, row.slug]));
}

export async function organizationName(db: Queryable, id: string): Promise<string | null> {
  const [row] = await db.query<{ name: string }>({ text: 'select name from organizations where id = $1', values: [id] });
  return row?.name ?? null;
}

/** By slug, after the one given. */
export async function listOrganizations(db: Queryable, after: string, limit: number): Promise<Organization[]> {
  const rows = await db.query<Row>({ text: 'select * from organizations where slug > $1 order by slug limit $2', values: [after, limit] });
  return rows.map(toOrganization);
}

export async function countOrganizations(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>({ text: 'select count(*) as count from organizations' });
  return row!.count;
}

export async function updateOrganization(
  db: Queryable,
  slug: string,
  change: { readonly name?: string | undefined; readonly plan?: Plan | null | undefined },
  now: Date,
): Promise<Organization | null> {
  const [row] = await db.query<Row>({
    text: `update organizations set name = coalesce($2, name), plan = case when $3 then $4 else plan end, updated_at = $5
            where slug = $1 returning *`,
    values: [slug, change.name ?? null, change.plan !== undefined, change.plan ?? null, now],
  });
  return row ? toOrganization(row) : null;
}

/**
 * Adds to a balance (or takes, when negative) and notes why. Throws `insufficient_credits` and changes nothing when it
 * would go below zero; concurrent callers queue on the row.
 */
export async function changeCredits(
  tx: Queryable,
  entry: {
    readonly id: string;
    readonly organizationId: string;
    readonly amount: number;
    readonly reason: string;
    readonly subjectId: string | null;
    readonly now: Date;
  },
): Promise<number> {
  const [row] = await tx.query<{ credits: number }>({
    text: `with changed as (
             update organizations set credits = credits + $3, updated_at = $6 where id = $2 and credits + $3 >= 0 returning credits
           ), noted as (
             insert into credit_entries (id, organization_id, amount, balance, reason, subject_id, created_at)
             select $1, $2, $3, credits, $4, $5, $6 from changed
           )
           select credits from changed`,
    values: [entry.id, entry.organizationId, entry.amount, entry.reason, entry.subjectId, entry.now],
  });
  if (!row) throw new AccountError('insufficient_credits', 'The organization has too few credits.');
  return row.credits;
}

/** Removes notes of changes before a time, the oldest first; balances stay as they are. Gives how many. */
export async function removeCreditEntries(db: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'remove-credit-entries',
    text: `delete from credit_entries where id = any (array(select id from credit_entries where id < $1 order by id limit $2 for update skip locked)) returning 1`,
    values: [uuidFloor(before.getTime()), limit],
  });
  return rows.length;
}

/** Throws `email_taken`. */
export async function insertUser(
  tx: Queryable,
  user: { readonly id: string; readonly email: string | null; readonly name: string; readonly now: Date },
): Promise<void> {
  try {
    await tx.query({
      text: 'insert into users (id, email, name, created_at) values ($1, $2, $3, $4)',
      values: [user.id, user.email, user.name, user.now],
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new AccountError('email_taken', `A user with the e-mail ${user.email} exists already.`);
    throw error;
  }
}

export async function insertMember(
  tx: Queryable,
  member: { readonly organizationId: string; readonly userId: string; readonly role: Role; readonly now: Date },
): Promise<void> {
  await tx.query({
    text: 'insert into memberships (organization_id, user_id, role, created_at) values ($1, $2, $3, $4)',
    values: [member.organizationId, member.userId, member.role, member.now],
  });
}

/** Oldest first; locked for the transaction when the caller is about to remove one. */
export async function listMembers(db: Queryable, organizationId: string, lock = false): Promise<Member[]> {
  const rows = await db.query<{
    user_id: string;
    email: string | null;
    pending_email: string | null;
    name: string;
    role: Role;
    created_at: Date;
  }>({
    text: `select m.user_id, u.email, u.pending_email, u.name, m.role, m.created_at from memberships m join users u on u.id = m.user_id
            where m.organization_id = $1 order by m.created_at, m.user_id ${lock ? 'for update of m' : ''}`,
    values: [organizationId],
  });
  return rows.map((row) => ({
    userId: row.user_id,
    email: row.email,
    pendingEmail: row.pending_email,
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
  }));
}

/**
 * Holds the place of an owner until the transaction ends, so that what only an owner may do and the end of that right
 * come one after the other. Throws `owners_only` for anybody else; the operator (null) may always.
 */
export async function lockOwner(tx: Queryable, organizationId: string, actor: Actor): Promise<void> {
  if (actor === null) return;
  const [row] = await tx.query<{ role: Role }>({
    text: 'select role from memberships where organization_id = $1 and user_id = $2 for share',
    values: [organizationId, actor],
  });
  if (row?.role !== 'owner') throw new AccountError('owners_only', 'Only an owner of the organization may do this.');
}

export async function setRole(tx: Queryable, organizationId: string, userId: string, role: Role): Promise<void> {
  await tx.query({
    text: 'update memberships set role = $3 where organization_id = $1 and user_id = $2',
    values: [organizationId, userId, role],
  });
}

/** Ends what a member has as an owner: the keys and the open invitations that they made in this organization. */
export async function endOwnership(tx: Queryable, organizationId: string, userId: string, now: Date): Promise<void> {
  await deleteInvitationsBy(tx, organizationId, userId);
  await tx.query({
    text: 'update api_keys set revoked_at = $3 where organization_id = $1 and user_id = $2 and revoked_at is null',
    values: [organizationId, userId, now],
  });
}

/** Removes a member and what they had as an owner. */
export async function deleteMember(tx: Queryable, organizationId: string, userId: string, now: Date): Promise<void> {
  await tx.query({ text: 'delete from memberships where organization_id = $1 and user_id = $2', values: [organizationId, userId] });
  await endOwnership(tx, organizationId, userId, now);
}

/** The owner of the oldest organization who cannot sign in by password yet. */
export async function findOwnerWithoutPassword(db: Queryable): Promise<string | null> {
  const [row] = await db.query<{ id: string }>({
    text: `select u.id from memberships m join users u on u.id = m.user_id
            where m.role = 'owner' and u.password_hash is null
              and not exists (select from users known where known.password_hash is not null)
            order by m.created_at limit 1`,
  });
  return row?.id ?? null;
}

function toOrganization(row: Row): Organization {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    plan: row.plan,
    credits: row.credits,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
