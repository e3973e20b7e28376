/** Every bound of calls, campaigns and workflows, with its reason. */
export const CALL_LIMITS = {
  /** Characters of an agent's id, a campaign's name, a label and the like. */
  nameLength: 200,
  /** Characters of one value of metadata or notes, and of a description. */
  valueLength: 2_000,
  /** contracts/dialnexa.md 4: keys of notes, and columns of a file beside the number. */
  noteKeys: 15,
  /** Keys of a single call's metadata. */
  metadataKeys: 50,
  /** Characters of a transcript, and of a call's analysis as JSON. */
  transcriptLength: 200_000,
  /** Calls of one campaign at once: what it may ask for, and what it gets when it does not say (the vendor's smallest plan). */
  maxConcurrentCalls: 500,
  concurrentCalls: 5,
  /** Repeated dials of one lead that a campaign may ask for, and the longest wait between them: a week. */
  maxRetries: 20,
  retryIntervalMinutes: 10_080,
  /** Calls of one workflow at once; the contract has no setting for it. */
  workflowCalls: 100,
  /** contracts/dialnexa.md 4: a file of leads above 10 MB is refused. Leads in it: what one transaction inserts in seconds. */
  leadFileBytes: 10 * 1024 * 1024,
  leadFileRows: 100_000,
  /** Bytes of a workbook once it is unpacked: a small file can hold terabytes of nothing. */
  workbookBytes: 200 * 1024 * 1024,
  /** Cells of a workbook, also empty ones: as many leads as may be, with all their columns. */
  workbookCells: 2_000_000,
  /** Bad rows that an answer names. */
  namedRows: 20,
  /** Leads in one inserting statement. */
  insertLeads: 5_000,
  /** Nodes and edges of one workflow. */
  workflowNodes: 200,
  workflowEdges: 1_000,
  /** Conditions or branches of one node, and nested groups are not allowed. */
  conditions: 50,
  /** The longest wait of a time node: a year. */
  delayHours: 8_760,
  /** Steps of one lead: a loop in a graph ends here, and the lead fails. */
  steps: 500,
  /** Leads that one look at a campaign or a workflow moves, and steps that a lead takes in it: bounds a transaction. */
  leadsPerLook: 200,
  stepsPerLook: 20,
  /** How often a node looks for campaigns and workflows that it was not told of. */
  lookIntervalMs: 500,
  /** Calls that the dialler is given, and reports that it may send, in one request. */
  takenAtOnce: 500,
  reportsAtOnce: 500,
  /** A call that was handed out and not heard of is handed out again after this many seconds, unless the dialler asks for others. */
  takenSeconds: 60,
  minTakenSeconds: 5,
  maxTakenSeconds: 3_600,
  /**
   * A call that nobody begins to dial expires after 16 hours; one that was begun and is not heard of any more counts as failed after four. There
   * are two reports before the end, so every call ends within a day, before even the shortest retention drops it.
   */
  waitingMs: 57_600_000,
  silentMs: 14_400_000,
  /** How often a node looks for such calls, and how many it ends at once. */
  sweepIntervalMs: 5_000,
  sweepBatch: 200,
  /** Simulated calls that a node steps at once, and for how long they are its own. */
  simulatorBatch: 200,
  simulatorLeaseMs: 5_000,
  /** Workflows among which one look at those that wait for the application divides the room. */
  waitingWorkflows: 500,
  /** One request to the operator's application, how many a node has in flight, tries of one step, and the wait between them. */
  applicationTimeoutMs: 10_000,
  applicationsAtOnce: 32,
  applicationTries: 3,
  applicationRetryMs: 5_000,
} as const;
