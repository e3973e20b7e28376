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
} as const;
