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
  /** Open invitations of one organization; more are made when some were revoked. */
  invitations: 100,
  /** API keys of one organization that are in use. */
  apiKeys: 200,
  /** How long a node trusts a dialler's key without asking the database: thousands of dials a second come with one key, and a revoked one ends within a second on every node. */
  keyTrustMs: 500,
  /** Characters of a password: long enough to resist guessing, short enough to hash. */
  minPasswordLength: 10,
  maxPasswordLength: 200,
  /** Passwords that a node hashes at once, 32 MB each. */
  hashesAtOnce: 4,
  /** Sign-ins with a proof of work, and requests of people with a session or a link, that are under way at once: about two seconds of work each. */
  hashesPending: 64,
  /** Sign-ins without a proof that are under way at once; a stranger beyond these proves first. */
  hashesOfStrangers: 8,
  /** The same for one account and for one network address. */
  hashesPerSubject: 2,
  /** A proof of work: zero bits to find (33,000 tries, a quarter of a second in a browser), and how long a challenge is good. */
  proofBits: 15,
  proofMs: 120_000,
  /** Failed attempts for one e-mail address, and from one network address, before the rest of the window is refused. */
  failuresPerEmail: 10,
  failuresPerAddress: 50,
  failureWindowMs: 900_000,
} as const;
