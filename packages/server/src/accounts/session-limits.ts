/** Every bound of signing in, with its reason. */
export const SESSION_LIMITS = {
  /** A session ends when nobody used it for half a day, and after two weeks whatever happens. */
  idleMs: 12 * 3_600_000,
  sessionMs: 14 * 86_400_000,
  /** How exactly the last use of a session is noted. */
  touchMs: 60_000,
  /** A link that signs in works once, for a day; an invitation for a week. */
  linkMs: 86_400_000,
  inviteMs: 7 * 86_400_000,
  /** Open invitations of one organization. */
  invitations: 100,
  /** Characters of a password: long enough to resist guessing, short enough to hash. */
  minPasswordLength: 10,
  maxPasswordLength: 200,
  /** Passwords that a node hashes at once, 32 MB each, and that wait for it: about two seconds of work. */
  hashesAtOnce: 4,
  hashesWaiting: 64,
  /** Failed attempts for one e-mail address, and from one network address, before the rest of the window is refused. */
  failuresPerEmail: 10,
  failuresPerAddress: 50,
  failureWindowMs: 900_000,
} as const;
