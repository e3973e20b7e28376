import { uuidv7, type Clock, type Database, type Queryable, type Transaction } from '@dialhook/engine';
import { hashKey, newKey } from './keys.ts';
import {
  AccountError,
  type Actor,
  type ApiKey,
  type Caller,
  type KeyKind,
  type Member,
  type Organization,
  type Plan,
  type Role,
} from './model.ts';
import { SESSION_LIMITS } from './session-limits.ts';
import { countApiKeysLocked, findCaller, insertApiKey, listApiKeys, lockApiKey, revokeApiKey } from './store/api-keys.ts';
import {
  changeCredits,
  countOrganizations,
  deleteMember,
  endOwnership,
  findOrganization,
  insertMember,
  insertOrganization,
  insertUser,
  listMembers,
  listOrganizations,
  lockOwner,
  organizationIds,
  organizationName,
  setRole,
  updateOrganization,
} from './store/organizations.ts';

/** Organizations, members, keys and credits; every rule about them is here. Throws `AccountError`. */
export class Accounts {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Makes an organization with its first owner, who holds the keys that the operator creates. */
  async createOrganization(input: {
    readonly slug: string;
    readonly name?: string | undefined;
    readonly plan?: Plan | null | undefined;
    readonly credits?: number | undefined;
    readonly ownerEmail?: string | undefined;
  }): Promise<Organization> {
    const now = this.#now();
    const id = this.#id();
    return this.#database.transaction(async (tx) => {
      const organization = await insertOrganization(tx, {
        id,
        slug: input.slug,
        name: input.name ?? input.slug,
        plan: input.plan === undefined ? 'list_processing' : input.plan,
        now,
      });
      const userId = this.#id();
      await insertUser(tx, { id: userId, email: input.ownerEmail ?? null, name: `${organization.name} owner`, now });
      await insertMember(tx, { organizationId: id, userId, role: 'owner', now });
      if (!input.credits) return organization;
      const credits = await changeCredits(tx, {
        id: this.#id(),
        organizationId: id,
        amount: input.credits,
        reason: 'opening balance',
        subjectId: null,
        now,
      });
      return { ...organization, credits };
    });
  }

  async organization(slug: string): Promise<Organization> {
    const organization = await findOrganization(this.#database, slug);
    if (organization === null) throw new AccountError('unknown_organization', `There is no organization with the slug ${slug}.`);
    return organization;
  }

  /** Null for an id that is no organization's. */
  async organizationName(id: string): Promise<string | null> {
    return organizationName(this.#database, id);
  }

  /** By slug, in alphabetical order after `after`. */
  organizations(after: string, limit: number): Promise<Organization[]> {
    return listOrganizations(this.#database, after, limit);
  }

  async isEmpty(): Promise<boolean> {
    return (await countOrganizations(this.#database)) === 0;
  }

  organizationIds(slugs: readonly string[]): Promise<Map<string, string>> {
    return organizationIds(this.#database, slugs);
  }

  async updateOrganization(
    slug: string,
    change: { readonly name?: string | undefined; readonly plan?: Plan | null | undefined },
  ): Promise<Organization> {
    const organization = await updateOrganization(this.#database, slug, change, this.#now());
    if (organization === null) throw new AccountError('unknown_organization', `There is no organization with the slug ${slug}.`);
    return organization;
  }

  /** Adds credits, or takes them when the amount is negative. Returns the new balance. */
  async adjustCredits(slug: string, amount: number, reason: string): Promise<number> {
    const { id: organizationId } = await this.organization(slug);
    return this.#database.transaction((tx) =>
      changeCredits(tx, { id: this.#id(), organizationId, amount, reason, subjectId: null, now: this.#now() }),
    );
  }

  async members(slug: string): Promise<Member[]> {
    return listMembers(this.#database, (await this.organization(slug)).id);
  }

  async addMember(
    slug: string,
    input: { readonly email: string; readonly name?: string | undefined; readonly role: Role },
  ): Promise<Member> {
    const { id: organizationId } = await this.organization(slug);
    const now = this.#now();
    const userId = this.#id();
    const name = input.name ?? input.email;
    await this.#database.transaction(async (tx) => {
      await insertUser(tx, { id: userId, email: input.email, name, now });
      await insertMember(tx, { organizationId, userId, role: input.role, now });
    });
    return { userId, email: input.email, pendingEmail: null, name, role: input.role, createdAt: now };
  }

  /** Removes a member; the keys and invitations that they made end at once. */
  async removeMember(actor: Actor, slug: string, userId: string): Promise<void> {
    await this.#changeMember(actor, slug, userId, async (tx, organizationId, { isLastOwner }) => {
      if (isLastOwner) throw new AccountError('last_owner', 'The last owner cannot be removed.');
      await deleteMember(tx, organizationId, userId, this.#now());
    });
  }

  /** Makes an owner of a member, or a member of an owner, whose keys and invitations end at once. */
  async changeRole(actor: Actor, slug: string, userId: string, role: Role): Promise<Member> {
    return this.#changeMember(actor, slug, userId, async (tx, organizationId, { isLastOwner, member }) => {
      if (member.role === role) return member;
      if (isLastOwner) throw new AccountError('last_owner', 'The last owner cannot become a member.');
      await setRole(tx, organizationId, userId, role);
      if (role !== 'owner') await endOwnership(tx, organizationId, userId, this.#now());
      return { ...member, role };
    });
  }

  /** Holds all members while one is changed: of two owners who remove each other, the second is no owner any more. */
  async #changeMember<T>(
    actor: Actor,
    slug: string,
    userId: string,
    work: (tx: Transaction, organizationId: string, found: { readonly member: Member; readonly isLastOwner: boolean }) => Promise<T>,
  ): Promise<T> {
    const { id: organizationId } = await this.organization(slug);
    return this.#database.transaction(async (tx) => {
      const members = await listMembers(tx, organizationId, true);
      const owners = members.filter(({ role }) => role === 'owner');
      if (actor !== null && !owners.some((owner) => owner.userId === actor))
        throw new AccountError('owners_only', 'Only an owner of the organization may do this.');
      const member = members.find((other) => other.userId === userId);
      if (member === undefined) throw new AccountError('unknown_member', 'The organization has no such member.');
      return work(tx, organizationId, { member, isLastOwner: member.role === 'owner' && owners.length === 1 });
    });
  }

  /**
   * Makes a key for an owner: the one named, or the organization's first. The key is in the reply and nowhere else. The
   * owner's place is held until the key is stored: the removal of an owner ends all keys, also one that is just being made.
   */
  async createKey(
    actor: Actor,
    slug: string,
    input: {
      readonly kind: KeyKind;
      readonly name?: string | undefined;
      readonly userId?: string | undefined;
      readonly expiresAt?: Date | undefined;
    },
  ): Promise<{ apiKey: ApiKey; key: string }> {
    const { id: organizationId } = await this.organization(slug);
    const { key, prefix, hash } = newKey(input.kind);
    const apiKey = await this.#database.transaction(async (tx) => {
      await lockOwner(tx, organizationId, actor);
      const members = await listMembers(tx, organizationId);
      const holder =
        input.userId === undefined ? members.find(({ role }) => role === 'owner') : members.find(({ userId }) => userId === input.userId);
      if (holder === undefined) throw new AccountError('unknown_member', 'The organization has no such member.');
      if (holder.role !== 'owner') throw new AccountError('not_an_owner', 'Only an owner can hold an API key.');
      await lockOwner(tx, organizationId, holder.userId);
      const now = this.#now();
      if ((await countApiKeysLocked(tx, organizationId, now)) >= SESSION_LIMITS.apiKeys)
        throw new AccountError('too_many_keys', `At most ${SESSION_LIMITS.apiKeys} keys may be in use: revoke some first.`);
      return insertApiKey(tx, {
        id: this.#id(),
        organizationId,
        userId: holder.userId,
        kind: input.kind,
        name: input.name ?? input.kind,
        prefix,
        hash,
        expiresAt: input.expiresAt ?? null,
        createdAt: now,
      });
    });
    return { apiKey, key };
  }

  /** Holds an owner's place until the transaction ends; throws `owners_only` when it has ended. */
  holdOwner(tx: Queryable, organizationId: string, actor: Actor): Promise<void> {
    return lockOwner(tx, organizationId, actor);
  }

  /** Holds a key until the transaction ends; throws what it is given when it has ended. */
  async holdKey(tx: Queryable, keyId: string, ended: () => Error): Promise<void> {
    if (!(await lockApiKey(tx, keyId))) throw ended();
  }

  async keys(slug: string): Promise<ApiKey[]> {
    return listApiKeys(this.#database, (await this.organization(slug)).id);
  }

  async revokeKey(actor: Actor, slug: string, id: string): Promise<ApiKey> {
    const { id: organizationId } = await this.organization(slug);
    const key = await this.#database.transaction(async (tx) => {
      await lockOwner(tx, organizationId, actor);
      return revokeApiKey(tx, organizationId, id, this.#now());
    });
    if (key === null) throw new AccountError('unknown_key', 'The organization has no such key.');
    return key;
  }

  /** Who a key belongs to; null for one that is unknown, revoked or expired. */
  caller(key: string): Promise<Caller | null> {
    return findCaller(this.#database, hashKey(key), this.#now());
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }

  #id(): string {
    return uuidv7(this.#clock.now());
  }
}
