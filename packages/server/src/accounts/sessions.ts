import { isUniqueViolation, uuidv7, type Clock, type Database, type Transaction } from '@dialhook/engine';
import { accountSubject, addressSubject, Guesses } from './guesses.ts';
import { HashQueue } from './hash-queue.ts';
import type { NewLink } from './invitations.ts';
import { AccountError } from './model.ts';
import { refuseWeak } from './password-rules.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import { Proofs, type ProofChallenge } from './proof.ts';
import { SESSION_LIMITS } from './session-limits.ts';
import { findOwnerWithoutPassword, insertMember, insertUser, listMembers } from './store/organizations.ts';
import {
  deleteSession,
  deleteSessions,
  findMembership,
  findSession,
  insertSession,
  isSession,
  listMemberships,
  sessionsOfMembers,
  sweepSessions,
  touchSession,
  type Membership,
  type SessionUser,
} from './store/sessions.ts';
import { deleteLinks, findLink, insertLink, takeLink, type SignInLink } from './store/sign-in-links.ts';
import { confirmEmail, findPassword, findPasswordOf, findPendingEmail, setFirstEmail, setPendingEmail, updateUser } from './store/users.ts';
import { newToken, tokenHash } from './tokens.ts';

/** Where a request comes from, for limits and for telling sessions apart. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string;
  /** The session that the browser has already: signing in again ends it. */
  readonly cookie?: string | undefined;
}

/** What somebody without an account gives who joins; somebody with one gives its password. */
export interface Joining {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

export interface Redeeming {
  /** Undefined: whoever has the browser's session. */
  readonly joining?: Joining | undefined;
  /** Whether the link may end the session of somebody else in this browser. */
  readonly replaces: boolean;
}

/** Signing in to the panel: links, passwords, sessions and memberships. Throws `AccountError`. */
export class Sessions {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #guesses: Guesses;
  readonly #proofs: Proofs;
  readonly #hashes: HashQueue;

  /** `proofKey` signs proofs of work; all nodes have the same. `hashesAtOnce`: see `SESSION_LIMITS`. */
  constructor(database: Database, clock: Clock, proofKey: Buffer, hashesAtOnce: number) {
    this.#hashes = new HashQueue(hashesAtOnce);
    this.#database = database;
    this.#clock = clock;
    this.#guesses = new Guesses(database, clock);
    this.#proofs = new Proofs(proofKey, clock);
  }

  /** What a stranger solves who is told `proof_needed`. */
  challenge(): ProofChallenge {
    return this.#proofs.challenge();
  }

  /**
   * Signs in with e-mail and password; gives the cookie's value. A guess is counted before anything is hashed, and taken
   * back when it was right. Whether the address is somebody's shows neither in the answer nor in the time that it takes.
   */
  async signIn(email: string, password: string, origin: Origin, proof?: string): Promise<string> {
    const asker = proof !== undefined && this.#proofs.use(proof) ? 'proven' : 'stranger';
    return this.#hashes.admit(asker, [accountSubject(email), addressSubject(origin.address)], async (inTurn) => {
      const takeBack = await this.#guesses.count(email, origin.address);
      const user = await findPassword(this.#database, email);
      if (!(await inTurn(() => verifyPassword(password, user?.hash ?? null)))) throw wrongCredentials();
      const cookie = await this.#begin(this.#database, user!.userId, origin, user!.hash);
      await takeBack();
      return cookie;
    });
  }

  /**
   * Makes a link that signs a member in, once. Without a user: the organization's first owner. With `confirmsEmail` it also
   * makes the address count that the member wants, and is to be sent there.
   */
  async createLink(organizationId: string, userId?: string, confirmsEmail = false): Promise<NewLink & { readonly email: string | null }> {
    const members = await listMembers(this.#database, organizationId);
    const member = userId === undefined ? members.find(({ role }) => role === 'owner') : members.find((one) => one.userId === userId);
    if (member === undefined) throw new AccountError('unknown_member', 'The organization has no such member.');
    const email = confirmsEmail ? await findPendingEmail(this.#database, member.userId) : null;
    if (confirmsEmail && email === null) throw new AccountError('no_new_email', 'The member has asked for no new e-mail address.');
    return { ...(await this.#link(member.userId, email)), email };
  }

  /** A link for somebody who has none to sign in with: the first owner that has no password yet; null when all have one. */
  async createFirstLink(): Promise<string | null> {
    const userId = await findOwnerWithoutPassword(this.#database);
    return userId === null ? null : (await this.#link(userId, null)).token;
  }

  /** What a link is for; null when it is used up or too old, or its maker may not make it any more. */
  link(token: string): Promise<SignInLink | null> {
    return findLink(this.#database, tokenHash(token), this.#now());
  }

  /**
   * Signs in with a link, once. An invitation is taken by the user with its address, who is signed in or gives the password,
   * or by somebody new, who chooses one.
   */
  async redeem(token: string, origin: Origin, { joining, replaces }: Redeeming): Promise<string> {
    const current = origin.cookie === undefined ? null : await this.find(origin.cookie);
    const link = await this.link(token);
    if (link === null) throw linkExpired();
    if (link.userId === null) return this.#join(token, link, origin, current, joining);
    if (current !== null && current.userId !== link.userId && !replaces)
      throw new AccountError('other_session', `${current.email ?? current.name} is signed in in this browser.`);
    return this.#database.transaction(async (tx) => {
      // Users before links, as a change of the password takes them: the other order would be a deadlock.
      await findPasswordOf(tx, link.userId!, true);
      const taken = await this.#take(tx, token);
      if (taken.email !== null && !(await confirmed(tx, link.userId!, taken.email))) throw linkExpired();
      return this.#begin(tx, link.userId!, origin);
    });
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

  /** Of these sessions those that are not over, of users who are members of the organization. */
  ofMembers(organizationId: string, sessionIds: readonly string[]): Promise<Set<string>> {
    const { idleMs, sessionMs } = SESSION_LIMITS;
    return sessionsOfMembers(this.#database, organizationId, sessionIds, this.#ago(idleMs), this.#ago(sessionMs));
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

  /** Ends every session of a user, and every link that would begin one. */
  async signOutEverywhere(userId: string): Promise<number> {
    return this.#database.transaction(async (tx) => {
      await deleteLinks(tx, userId);
      return deleteSessions(tx, userId, null);
    });
  }

  /**
   * Changes name, e-mail and password. A new password ends the other sessions and all sign-in links; the old one is needed
   * where there is one, and guessing it is counted as at the door. A new address is only noted: it counts when a link that
   * was sent there is opened, so that nobody learns here whether it is somebody's, or takes it first.
   */
  async changeUser(
    user: SessionUser,
    origin: Origin,
    change: {
      readonly name?: string | undefined;
      readonly email?: string | undefined;
      readonly password?: string | undefined;
      readonly currentPassword?: string | undefined;
    },
  ): Promise<void> {
    const { currentPassword, email, name, password } = change;
    const address = email ?? user.email ?? user.pendingEmail;
    if (password !== undefined) {
      if (address === null) throw new AccountError('email_needed', 'A password needs an e-mail address to sign in with.');
      refuseWeak(password, [address, user.email ?? '', name ?? user.name]);
    }
    if (password === undefined && email === undefined) return updateUser(this.#database, user.userId, { name });
    const account = user.email ?? user.userId;
    await this.#hashes.admit('known', [accountSubject(account)], async (inTurn) => {
      const known = user.hasPassword ? await findPasswordOf(this.#database, user.userId) : null;
      if (known !== null) {
        const takeBack = await this.#guesses.count(account, origin.address);
        if (!(await inTurn(() => verifyPassword(currentPassword ?? '', known))))
          throw new AccountError('wrong_credentials', 'The current password is wrong.');
        await takeBack();
      }
      const passwordHash = password === undefined ? undefined : await inTurn(() => hashPassword(password));
      await this.#database.transaction(async (tx) => {
        // Held until the end: of two changes with the same old password, and of a change and a sign-out, one comes first.
        if ((await findPasswordOf(tx, user.userId, true)) !== known || !(await isSession(tx, user.sessionId)))
          throw new AccountError('unauthenticated', 'The session or the password has changed meanwhile.');
        await updateUser(tx, user.userId, { name, passwordHash });
        if (email !== undefined) await noteEmail(tx, user, email);
        if (password === undefined) return;
        await deleteLinks(tx, user.userId);
        await deleteSessions(tx, user.userId, user.sessionId);
      });
    });
  }

  /** Removes what is over. */
  async sweep(): Promise<void> {
    const { failureWindowMs, idleMs, sessionMs } = SESSION_LIMITS;
    await sweepSessions(this.#database, this.#ago(idleMs), this.#ago(sessionMs), this.#ago(failureWindowMs), this.#now());
  }

  async #join(token: string, link: SignInLink, origin: Origin, current: SessionUser | null, joining: Joining | undefined): Promise<string> {
    const organizationId = link.organizationId!;
    if (joining === undefined) {
      if (current === null) throw new AccountError('link_needs_user', 'This is an invitation: e-mail, name and password are needed.');
      requireAddress(link, current.email);
      return this.#database.transaction((tx) => this.#enter(tx, token, { organizationId, userId: current.userId }, origin));
    }
    requireAddress(link, joining.email);
    const subjects = [accountSubject(joining.email), addressSubject(origin.address)];
    return this.#hashes.admit('known', subjects, async (inTurn) => {
      const known = await findPassword(this.#database, joining.email);
      if (known !== null) {
        const takeBack = await this.#guesses.count(joining.email, origin.address);
        if (!(await inTurn(() => verifyPassword(joining.password, known.hash)))) throw wrongCredentials();
        const cookie = await this.#database.transaction((tx) =>
          this.#enter(tx, token, { organizationId, userId: known.userId }, origin, known.hash),
        );
        await takeBack();
        return cookie;
      }
      refuseWeak(joining.password, [joining.email, joining.name]);
      const passwordHash = await inTurn(() => hashPassword(joining.password));
      return this.#database.transaction(async (tx) => {
        const id = uuidv7(this.#clock.now());
        await insertUser(tx, { id, email: joining.email, name: joining.name, now: this.#now() }).catch(hideTaken);
        await updateUser(tx, id, { passwordHash });
        return this.#enter(tx, token, { organizationId, userId: id }, origin, passwordHash);
      });
    });
  }

  /** Makes a user a member by an invitation, while whoever made it may still invite. */
  async #enter(
    tx: Transaction,
    token: string,
    { organizationId, userId }: Entrant,
    origin: Origin,
    passwordHash?: string | null,
  ): Promise<string> {
    // Members before links, as a removal takes them: the other order would be a deadlock.
    const members = await listMembers(tx, organizationId, true);
    const { byOperator, madeBy, role } = await this.#take(tx, token);
    if (!byOperator && !members.some((member) => member.userId === madeBy && member.role === 'owner')) throw linkExpired();
    if (members.some((member) => member.userId === userId)) throw new AccountError('already_member', 'You are a member already.');
    await insertMember(tx, { organizationId, userId, role: role!, now: this.#now() });
    return this.#begin(tx, userId, origin, passwordHash);
  }

  async #take(tx: Transaction, token: string): Promise<SignInLink> {
    const link = await takeLink(tx, tokenHash(token), this.#now());
    if (link === null) throw linkExpired();
    return link;
  }

  async #begin(db: Database | Transaction, userId: string, origin: Origin, passwordHash: string | null = null): Promise<string> {
    const cookie = newToken();
    const now = this.#clock.now();
    const userAgent = origin.userAgent.slice(0, MAX_USER_AGENT);
    const isBegun = await insertSession(db, {
      id: uuidv7(now),
      hash: tokenHash(cookie),
      userId,
      passwordHash,
      userAgent,
      now: new Date(now),
    });
    if (!isBegun) throw wrongCredentials();
    if (origin.cookie !== undefined) await deleteSession(db, tokenHash(origin.cookie));
    return cookie;
  }

  async #link(userId: string, email: string | null): Promise<NewLink> {
    const token = newToken();
    const now = this.#clock.now();
    const expiresAt = new Date(now + SESSION_LIMITS.linkMs);
    const link = { userId, organizationId: null, role: null, email, madeBy: null, byOperator: false };
    await insertLink(this.#database, { ...link, id: uuidv7(now), hash: tokenHash(token), now: new Date(now), expiresAt });
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

interface Entrant {
  readonly organizationId: string;
  readonly userId: string;
}

const linkExpired = () => new AccountError('link_expired', 'The link was used already, or it is too old.');
const wrongCredentials = () => new AccountError('wrong_credentials', 'E-mail or password is wrong.');

/** Somebody made an account with the address a moment ago: the answer is as for one that was there before. */
function hideTaken(error: unknown): never {
  throw error instanceof AccountError ? wrongCredentials() : error;
}

function requireAddress(link: SignInLink, email: string | null): void {
  if (link.email === null || link.email.toLowerCase() !== email?.toLowerCase())
    throw new AccountError('invitation_for_another', 'The invitation is for another e-mail address.');
}

async function noteEmail(tx: Transaction, user: SessionUser, email: string): Promise<void> {
  if (email === user.email) return setPendingEmail(tx, user.userId, null);
  if (user.email !== null || !(await setFirstEmail(tx, user.userId, email))) await setPendingEmail(tx, user.userId, email);
}

/** Only the holder of the mailbox opens the link, so that they may be told that the address is another account's. */
async function confirmed(tx: Transaction, userId: string, email: string): Promise<boolean> {
  try {
    return await confirmEmail(tx, userId, email);
  } catch (error) {
    if (isUniqueViolation(error)) throw new AccountError('email_taken', `A user with the e-mail ${email} exists already.`);
    throw error;
  }
}
