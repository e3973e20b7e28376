/** Every bound of the dials, with its reason. */
export const DIAL_LIMITS = {
  /** Dials waiting for their group commit; beyond it diallers get 429. Seconds of full speed. */
  inboxDials: 20_000,
  /** Dials in one intake statement. */
  intakeBatch: 1_000,
  /** Dials that one cleaning transaction takes. */
  cleanBatch: 500,
  /** How often uncleaned dials are looked for that nobody announced: another node's, or from before a crash. */
  cleanIntervalMs: 500,
  /** Dial events in one webhook request, and how long the first one waits for others (contracts/outboundiq.md 1.4). */
  dialsPerBatch: 100,
  lingerMs: 1_000,
  /** Companies whose batches one look sends. */
  flushCompanies: 100,
  /** Characters of one text field of a dial. */
  fieldLength: 500,
  /** Dials on one page of GET /dials. */
  pageSize: 1_000,
  /** Pages of remembered dial ids that are looked through in a minute: 16 MB, about 150,000 ids. */
  sweepPages: 2_000,
  /** Rows of one company in a translation table. */
  translations: 10_000,
} as const;
