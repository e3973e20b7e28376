const MIB = 1024 * 1024;

/** Every bound of the list pipeline, with its reason. */
export const LIST_LIMITS = {
  /** contracts/optimaldial.md 3: a CSV above 100 MB is 413. */
  fileBytes: 100 * MIB,
  /** The same body as JSON: 250,000 contacts with a few fields each fit well. */
  jsonBytes: 64 * MIB,
  /** contracts/optimaldial.md 7.2: entries of `phone_numbers` or `contacts`. */
  jsonEntries: 250_000,
  /** contracts/optimaldial.md 7.2: fewer valid numbers are 422. */
  minValidNumbers: 100,
  /** Uploads that are under way on a node, lists and files of leads alike: received, waiting for a thread, or being read. Bounds disk and sockets. */
  uploadsAtOnce: 128,
  /** One organization's share of them: whoever sends slowly, or a lot, stops nobody else. */
  uploadsOfOrganization: 8,
  /** One text field of a multipart body. */
  fieldBytes: 1024,
  /** Characters of a file name that are kept. */
  filenameLength: 255,
  /** Columns of a list; more is a broken delimiter, not a list. */
  columns: 512,
  /** Characters of one row. A quote that never closes would otherwise swallow the file. */
  rowLength: MIB,
  /** Characters of a header line: the CSV parser garbles a longer one. */
  headerLength: 65_536,
  /** Characters of a phone number; anything longer is not one. */
  phoneLength: 64,
  /** Rows of a list that are shown before its columns are mapped, and characters of a cell in them. */
  previewRows: 10,
  previewLength: 200,
  /** A validation that takes longer was left behind by a process that died: 100 MB take seconds. */
  validationMs: 600_000,
  /** Numbers that are classified together: one database query or one request to a look-up service. */
  classifyBatch: 5_000,
  /**
   * How long a new list waits before it is processed, so that a caller who cancels at once is sure to come first
   * (contracts/optimaldial.md 7.2: a cancel is only possible before processing starts).
   */
  startDelayMs: 750,
  /** How often a node looks for lists that it was not told of. */
  claimIntervalMs: 1_000,
  /** Organizations whose turn a node remembers, so that one with many lists does not make the others' wait for all of them. */
  servedOrganizations: 1_000,
  /** How often one list may be started before it counts as failed: one that crashes its process must not do so for ever. */
  maxStarts: 100,
  /** While the database is away, a finished list is kept and its end tried again this often, so many times: five minutes. */
  storeTries: 300,
  storeRetryMs: 1_000,
  /** Validity of a download link: about an hour (contracts/optimaldial.md 7.2). */
  linkSeconds: 3_600,
  /** Characters of an error message that customers see. */
  errorLength: 500,
  /** Files that belong to no upload are removed after this time; a running upload takes far less. */
  orphanMs: 3_600_000,
  /** Folders that the database is asked about at once. */
  folderBatch: 1_000,
} as const;
