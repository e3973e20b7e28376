import { uuidv7, type Clock, type Database, type Transaction } from '@dialhook/engine';
import { AccountError, type Actor, type Role } from './model.ts';
import { SESSION_LIMITS } from './session-limits.ts';
import { lockOwner } from './store/organizations.ts';
import {
  countInvitationsLocked,
  deleteInvitation,
  deleteInvitationsFor,
  insertLink,
  listInvitations,
  renewInvitation,
  type Invitation,
} from './store/sign-in-links.ts';
import { newToken, tokenHash } from './tokens.ts';

export interface NewLink {
  readonly token: string;
  readonly expiresAt: Date;
}

/**
 * Links that let somebody join an organization, each for one e-mail address. An invitation lasts as long as its maker may
 * make it: it ends with the maker's removal or demotion. Throws `AccountError`.
 */
export class Invitations {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Open ones, newest first. */
  list(organizationId: string): Promise<Invitation[]> {
    return listInvitations(this.#database, organizationId, new Date(this.#clock.now()));
  }

  /** Makes a link for somebody, which is shown once; it replaces an open one for the same address. */
  async create(actor: Actor, organizationId: string, role: Role, email: string): Promise<NewLink> {
    const { expiresAt, now, token } = this.#fresh();
    await this.#database.transaction(async (tx) => {
      await lockOwner(tx, organizationId, actor);
      await deleteInvitationsFor(tx, organizationId, email);
      if ((await countInvitationsLocked(tx, organizationId, now)) >= SESSION_LIMITS.invitations)
        throw new AccountError('too_many_invitations', `At most ${SESSION_LIMITS.invitations} invitations may be open: revoke some first.`);
      await insertLink(tx, {
        id: uuidv7(now.getTime()),
        hash: tokenHash(token),
        userId: null,
        organizationId,
        role,
        email,
        madeBy: actor,
        byOperator: actor === null,
        now,
        expiresAt,
      });
    });
    return { token, expiresAt };
  }

  /** Another link for an open invitation, whose maker is from now on who asks; the old link ends. */
  async resend(actor: Actor, organizationId: string, id: string): Promise<NewLink> {
    const { expiresAt, now, token } = this.#fresh();
    const renewed = await this.#ownersWork(actor, organizationId, (tx) =>
      renewInvitation(tx, organizationId, id, { hash: tokenHash(token), madeBy: actor, now, expiresAt }),
    );
    if (renewed === null) throw unknownInvitation();
    return { token, expiresAt };
  }

  async revoke(actor: Actor, organizationId: string, id: string): Promise<void> {
    const isDeleted = await this.#ownersWork(actor, organizationId, (tx) => deleteInvitation(tx, organizationId, id));
    if (!isDeleted) throw unknownInvitation();
  }

  #ownersWork<T>(actor: Actor, organizationId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#database.transaction(async (tx) => {
      await lockOwner(tx, organizationId, actor);
      return work(tx);
    });
  }

  #fresh(): { token: string; now: Date; expiresAt: Date } {
    const now = this.#clock.now();
    return { token: newToken(), now: new Date(now), expiresAt: new Date(now + SESSION_LIMITS.inviteMs) };
  }
}

const unknownInvitation = () => new AccountError('unknown_invitation', 'The organization has no such open invitation.');
