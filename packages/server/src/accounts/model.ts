export const PLANS = ['list_processing', 'spam_monitoring'] as const;
export type Plan = (typeof PLANS)[number];

export const ROLES = ['owner', 'member'] as const;
export type Role = (typeof ROLES)[number];

export const KEY_KINDS = ['optimaldial', 'outboundiq', 'dialnexa'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

export interface Organization {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  /** Null: no active subscription. */
  readonly plan: Plan | null;
  readonly credits: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Member {
  readonly userId: string;
  readonly email: string | null;
  /** The address that they want, until they open the link that was sent there. */
  readonly pendingEmail: string | null;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
}

/** A key as it may be shown: never the key itself. */
export interface ApiKey {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly kind: KeyKind;
  readonly name: string;
  /** The first characters, to tell keys apart. */
  readonly prefix: string;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
}

/** Who is calling, once a key was recognised. */
export interface Caller {
  readonly keyId: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly kind: KeyKind;
  readonly plan: Plan | null;
}

/** Who does something: a user of the panel by id, or the operator (null). */
export type Actor = string | null;

export type AccountErrorCode =
  | 'slug_taken'
  | 'email_taken'
  | 'unknown_organization'
  | 'unknown_member'
  | 'unknown_key'
  | 'not_an_owner' // only owners hold API keys
  | 'last_owner' // an organization keeps at least one owner
  | 'insufficient_credits'
  | 'wrong_credentials'
  | 'too_many_attempts'
  | 'link_expired'
  | 'link_needs_user' // an invitation was opened without saying who joins
  | 'already_member'
  | 'too_many_invitations'
  | 'email_needed' // a password without an e-mail could not be used
  | 'weak_password'
  | 'owners_only' // whoever asks is no owner any more
  | 'unknown_invitation'
  | 'invitation_for_another' // an invitation is for one e-mail address
  | 'other_session' // a link was opened where somebody else is signed in
  | 'no_new_email' // the user waits for no address
  | 'proof_needed' // many strangers sign in at once
  | 'too_many_keys'
  | 'unauthenticated'; // the session ended while the request was being done

export class AccountError extends Error {
  override readonly name = 'AccountError';
  readonly code: AccountErrorCode;
  constructor(code: AccountErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
