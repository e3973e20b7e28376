import { createHash, randomBytes } from 'node:crypto';
import { isUniqueViolation, uuidv7, type Clock, type Database } from '@dialhook/engine';
import { AccountError, type Role } from './model.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import { SESSION_LIMITS } from './session-limits.ts';
import { findOwnerWithoutPassword, insertMember, insertUser, listMembers } from './store/organizations.ts';
import {
  countFailures,
  deleteSession,
  deleteSessions,
  findLink,
  findMembership,
  findPassword,
  findSession,
  insertLink,
  insertSession,
  listInvitations,
  listMemberships,
  noteFailure,
  sweepSessions,
  takeLink,
  touchSession,
  updateUser,
  type Invitation,
  type Membership,
  type SessionUser,
  type SignInLink,
} from './store/sessions.ts';

/** Where a request comes from, for limits and for telling sessions apart. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string;
}

/** Signing in to the panel: links, passwords, sessions and memberships. Throws `AccountError`. */
export class Sessions {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Signs in with e-mail and password; gives the cookie's value. Attempts are counted and bounded. */
  async signIn(email: string, password: string, origin: Origin): Promise<string> {
    const now = this.#now();
    const subjects = [digest(`email ${email.toLowerCase()}`), digest(`address ${origin.address}`)];
    const failures = await countFailures(this.#database, subjects, this.#ago(SESSION_LIMITS.failureWindowMs));
    const [ofEmail, ofAddress] = subjects.map((subject) => failures.get(subject) ?? 0);
    if (ofEmail! >= SESSION_LIMITS.failuresPerEmail || ofAddress! >= SESSION_LIMITS.failuresPerAddress)
      throw new AccountError('too_many_attempts', 'Too many failed attempts. Try again in a quarter of an hour.');
    const user = await findPassword(this.#database, email);
    if (!(await verifyPassword(password, user?.hash ?? null))) {
      await noteFailure(this.#database, subjects, now);
      throw new AccountError('wrong_credentials', 'E-mail or password is wrong.');
    }
    return this.#begin(user!.userId, origin);
  }

  /** Makes a link that signs a user in, once. Without a user: the organization's first owner. */
  async createLink(organizationId: string, userId?: string): Promise<{ token: string; expiresAt: Date }> {
    const members = await listMembers(this.#database, organizationId);
    const member = userId === undefined ? members.find(({ role }) => role === 'owner') : members.find((one) => one.userId === userId);
    if (member === undefined) throw new AccountError('unknown_member', 'The organization has no such member.');
    return this.#link({ userId: member.userId, organizationId: null, role: null, email: null }, SESSION_LIMITS.linkMs);
  }

  /** A link for somebody who has none to sign in with: the first owner that has no password yet; null when all have one. */
  async createFirstLink(): Promise<string | null> {
    const userId = await findOwnerWithoutPassword(this.#database);
    if (userId === null) return null;
    return (await this.#link({ userId, organizationId: null, role: null, email: null }, SESSION_LIMITS.linkMs)).token;
  }

  /** Makes a link that lets whoever opens it join. */
  async invite(organizationId: string, role: Role, email: string | null): Promise<{ token: string; expiresAt: Date }> {
    if ((await this.invitations(organizationId)).length >= SESSION_LIMITS.invitations)
      throw new AccountError('too_many_invitations', `At most ${SESSION_LIMITS.invitations} invitations may be open.`);
    return this.#link({ userId: null, organizationId, role, email }, SESSION_LIMITS.inviteMs);
  }

  invitations(organizationId: string): Promise<Invitation[]> {
    return listInvitations(this.#database, organizationId, this.#now());
  }

  /** What a link is for; null when it is used up or too old. */
  link(token: string): Promise<SignInLink | null> {
    return findLink(this.#database, tokenHash(token), this.#now());
  }

  /** Signs in with a link. An invitation needs the new user's e-mail, name and password, or a session of a user who joins. */
  async redeem(
    token: string,
    origin: Origin,
    joining: { readonly userId: string } | { readonly email: string; readonly name: string; readonly password: string } | null,
  ): Promise<string> {
    // Before a password is hashed: that is work, and not for whoever makes a token up.
    if ((await this.link(token)) === null) throw linkExpired();
    const passwordHash = joining !== null && 'password' in joining ? await hashPassword(joining.password) : undefined;
    const now = this.#now();
    const userId = await this.#database.transaction(async (tx) => {
      const link = await takeLink(tx, tokenHash(token), now);
      if (link === null) throw linkExpired();
      if (link.userId !== null) return link.userId;
      if (joining === null) throw new AccountError('link_needs_user', 'This is an invitation: e-mail, name and password are needed.');
      const { organizationId, role } = link;
      let id: string;
      if ('userId' in joining) id = joining.userId;
      else {
        id = uuidv7(this.#clock.now());
        await insertUser(tx, { id, email: joining.email, name: joining.name, now });
        await updateUser(tx, id, { passwordHash });
      }
      const members = await listMembers(tx, organizationId!, true);
      if (members.some((member) => member.userId === id)) throw new AccountError('already_member', 'You are a member already.');
      await insertMember(tx, { organizationId: organizationId!, userId: id, role: role!, now });
      return id;
    });
    return this.#begin(userId, origin);
  }

  /** Who a cookie belongs to; null when the session is over. */
  async find(cookie: string): Promise<SessionUser | null> {
    const now = this.#now();
    const seenSince = this.#ago(SESSION_LIMITS.idleMs);
    const user = await findSession(this.#database, tokenHash(cookie), seenSince, this.#ago(SESSION_LIMITS.sessionMs));
    if (user !== null && now.getTime() - user.lastSeenAt.getTime() > SESSION_LIMITS.touchMs)
      await touchSession(this.#database, user.sessionId, now);
    return user;
  }

  memberships(userId: string): Promise<Membership[]> {
    return listMemberships(this.#database, userId);
  }

  /** Null when the user is no member of an organization with this slug. */
  membership(userId: string, slug: string): Promise<Membership | null> {
    return findMembership(this.#database, userId, slug);
  }

  async signOut(cookie: string): Promise<void> {
    await deleteSession(this.#database, tokenHash(cookie));
  }

  /** Ends every session of a user. */
  async signOutEverywhere(userId: string): Promise<number> {
    return deleteSessions(this.#database, userId, null);
  }

  /** Changes name, e-mail and password; a new password ends the other sessions. The old one is needed where there is one. */
  async changeUser(
    user: SessionUser,
    change: {
      readonly name?: string | undefined;
      readonly email?: string | undefined;
      readonly password?: string | undefined;
      readonly currentPassword?: string | undefined;
    },
  ): Promise<void> {
    const { currentPassword, email, name, password } = change;
    if (user.hasPassword && (password !== undefined || email !== undefined)) {
      const known = await findPassword(this.#database, user.email ?? '');
      if (!(await verifyPassword(currentPassword ?? '', known?.hash ?? null)))
        throw new AccountError('wrong_credentials', 'The current password is wrong.');
    }
    if (password !== undefined && email === undefined && user.email === null)
      throw new AccountError('email_needed', 'A password needs an e-mail address to sign in with.');
    const passwordHash = password === undefined ? undefined : await hashPassword(password);
    try {
      await updateUser(this.#database, user.userId, { name, email, passwordHash });
    } catch (error) {
      if (isUniqueViolation(error)) throw new AccountError('email_taken', `A user with the e-mail ${email} exists already.`);
      throw error;
    }
    if (password !== undefined) await deleteSessions(this.#database, user.userId, user.sessionId);
  }

  /** Removes what is over. */
  async sweep(): Promise<void> {
    const { failureWindowMs, idleMs, sessionMs } = SESSION_LIMITS;
    await sweepSessions(this.#database, this.#ago(idleMs), this.#ago(sessionMs), this.#ago(failureWindowMs), this.#now());
  }

  async #begin(userId: string, { userAgent }: Origin): Promise<string> {
    const cookie = newToken();
    const now = this.#clock.now();
    await insertSession(this.#database, {
      id: uuidv7(now),
      hash: tokenHash(cookie),
      userId,
      userAgent: userAgent.slice(0, MAX_USER_AGENT),
      now: new Date(now),
    });
    return cookie;
  }

  async #link(link: SignInLink, forMs: number): Promise<{ token: string; expiresAt: Date }> {
    const token = newToken();
    const now = this.#clock.now();
    const expiresAt = new Date(now + forMs);
    await insertLink(this.#database, { ...link, hash: tokenHash(token), now: new Date(now), expiresAt });
    return { token, expiresAt };
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }

  #ago(ms: number): Date {
    return new Date(this.#clock.now() - ms);
  }
}

/** Characters of a browser's name that are kept. */
const MAX_USER_AGENT = 300;

const linkExpired = () => new AccountError('link_expired', 'The link was used already, or it is too old.');

function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Tokens are random: one round of SHA-256 leaves nothing to guess. */
function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
