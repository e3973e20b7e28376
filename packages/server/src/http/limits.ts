/** Bounds of what clients may take of a node's connections, each with its reason. */
export const HTTP_LIMITS = {
  /** For the body of an ordinary call to arrive, and for the rest of one that was answered already. Uploads have their own. */
  bodyMs: 30_000,
  /** Beside that, a body that says its length has the time that it needs at this rate: 16 MiB of events over a slow line. */
  bodyBytesPerSecond: 32 * 1024,
  /** How often bodies that are late are looked for. */
  bodySweepMs: 1_000,
  /** An upload that brings no byte for this long ends; over each such time it must bring the next number of bytes a second. */
  uploadStallMs: 60_000,
  /** The least rate of an upload: a telephone modem's. */
  uploadBytesPerSecond: 4 * 1024,
  /** How exactly both are kept. */
  uploadCheckMs: 5_000,
  /** Pages of one session that follow the delivery log; one more ends the oldest. */
  streamsOfSession: 4,
  /** Of one organization, and of a node: bounds sockets. However many there are, each organization is looked at once. */
  streamsOfOrganization: 40,
  streamsAtOnce: 1_000,
  /** How often such a page hears whether something is new, and how long it stays: browsers come back by themselves. */
  streamLookMs: 750,
  streamMs: 300_000,
  /** While a process is replaced: how long its clients have to make another call, whose answer tells them to connect anew; how often that is looked at. */
  leaveMs: 5_000,
  leaveLookMs: 50,
} as const;
