import { strict as assert } from 'node:assert';

/** Every bound of the engine, with its reason. Relations between them are asserted below, at load. */
export const LIMITS = {
  /** Events waiting for their group commit; beyond it publishers get `inbox_full`. A few seconds of full speed. */
  inboxEvents: 20_000,
  /** Of these, events of one organization: one that floods slows itself, and the others find room. */
  inboxEventsOfOne: 10_000,
  /**
   * Publishing is late when more than a full statement waits and the oldest of it waits for so long; when it has been late for
   * the second, organizations with more than their share of what waits are refused. One stall of a disk refuses nobody.
   */
  lateMs: 250,
  lateForMs: 100,
  /** How long an event waits for others while a statement is under way: a small one costs a fifth more for each event. */
  publishLingerMs: 3,
  /** Events in one publish statement: large enough to amortise the commit, small enough to plan and log. */
  publishBatch: 1_000,
  /** Bytes of event data in one publish statement, so that a thousand large events do not make one huge message. */
  publishBatchBytes: 8 * 1024 * 1024,
  /** Bytes of one event's data: 1 MiB is past every vendor's payload and keeps memory predictable. */
  eventDataBytes: 1024 * 1024,
  /**
   * Bytes of events that a node holds in memory, unless its owner says otherwise, and the parts of it for those that wait
   * for their commit and those that wait to be sent. The rest is for what is being read and written.
   */
  eventMemoryBytes: 256 * 1024 * 1024,
  inboxShare: 0.25,
  leasedShare: 0.5,
  /** Deliveries that a node holds leases on, in flight or waiting in memory for a slot. */
  nodeLeases: 8_000,
  /** Requests in flight of one node: bounds sockets and memory. Far more than are needed while endpoints answer. */
  nodeInFlight: 1_024,
  /** Requests that a node starts in one turn of the event loop, before it reads answers. */
  sendsPerTurn: 16,
  /**
   * Requests in flight to one endpoint. It begins with one; each success that came while all were in use adds one, each
   * timeout halves them.
   */
  endpointInFlight: 32,
  /** Requests in flight of one organization, so that one with many endpoints leaves room for the others. */
  organizationInFlight: 256,
  /**
   * Parts of the node's slots, and of an organization's, that endpoints may hold which answer slowly, were never tried,
   * or fail; and what all of these hold together at most. The rest is for those that answer well.
   */
  slowShare: 0.5,
  newShare: 0.5,
  failingShare: 0.25,
  doubtfulShare: 0.875,
  /** An endpoint that takes so long is a slow one; one that is silent for so long, with requests in flight, has stalled. */
  slowMs: 1_000,
  /** How often stalled endpoints are looked for. */
  stallCheckMs: 250,
  /** How long an answer counts: an endpoint that has not succeeded since is as good as new, and starts small. */
  rememberedMs: 600_000,
  /** Endpoints whose answers a node remembers, about 200 bytes each. */
  rememberedEndpoints: 50_000,
  /** Endpoints in trouble that a statement is told of: their deliveries go to the queue. The others are noticed when they are tried. */
  listedEndpoints: 2_000,
  /** Leased deliveries of one endpoint that wait in memory; the rest waits in the database. */
  endpointWaiting: 400,
  /** The same of an endpoint without a history or one that refuses, and of one that does not answer. */
  doubtfulWaiting: 64,
  failingWaiting: 2,
  /** How long an endpoint is left alone that this node cannot send to through no fault of its receiver: doubled up to the second. */
  avoidMs: 5_000,
  maxAvoidMs: 60_000,
  /** An attempt that failed through a fault of ours: how soon it is made again (doubled each time), and how often in a row. */
  ownFaultMs: 500,
  ownFaultTries: 5,
  /** After so many rounds in which the endpoint was left alone (most of a day) the fault counts as its own after all. */
  ownFaultRounds: 1_000,
  /** The longest that a receiver's `Retry-After` holds up everything else for its endpoint on a node: a lease outlives it. */
  holdMs: 30_000,
  /** Requests a second that an endpoint may be limited to. */
  minRateLimit: 0.1,
  maxRateLimit: 10_000,
  /** Deliveries that one claim takes, and per endpoint in it: so many first attempts and so many retries. */
  claimBatch: 2_000,
  claimPerEndpoint: 250,
  /** Endpoints that one claim looks at before the next claim goes on from there. */
  claimEndpoints: 500,
  /** How often a node asks whether the endpoints that it has work for were changed on another one. */
  watchIntervalMs: 1_000,
  /** How often a node looks for replays that it was not told of. */
  replayIntervalMs: 2_000,
  /** Deliveries that one step of a replay looks at. */
  replayBatch: 500,
  /** Replays of one organization that run at once, and those that a list shows. */
  runningReplays: 2,
  listedReplays: 100,
  /** Searches of the delivery log at once on a node; of one organization it is one. */
  searches: 4,
  /** How long one goes on, and how many bytes of events it reads: then it says how far it came, and the next one goes on from there. */
  searchMs: 3_000,
  searchBytes: 64 * 1024 * 1024,
  /** Deliveries in one step of it, and bytes: as many as were read in this time before. Publishing goes first between two steps. */
  searchStep: 200,
  searchStepMs: 80,
  minSearchStepBytes: 256 * 1024,
  searchStepBytes: 4 * 1024 * 1024,
  /**
   * Reads that may be long go in steps of so many rows: as many as were read in this time before. Publishing goes first
   * between two steps.
   */
  readStepMs: 40,
  readStepRows: 1_000,
  minReadStepRows: 100,
  maxReadStepRows: 4_000,
  /** How long such a read goes on, below the five seconds that a read of the API may take: then it says how far it came. */
  readMs: 4_000,
  /** Rows of the delivery log that are fetched by their ids at once, and endpoints that are listed at once for it. */
  loadedDeliveries: 200,
  listedEndpointIds: 1_000,
  /** Up to how many waiting deliveries of one endpoint are counted for people to see. */
  countedDeliveries: 10_000,
  /** Up to how many deliveries are counted before a replay: beyond, the count says "at least". */
  replayDeliveries: 1_000_000,
  /** For organizations that keep their history for less time than the others: how often it is trimmed, and rows at once. */
  trimIntervalMs: 3_600_000,
  retentionBatch: 5_000,
  /** How often a node asks the database, in one statement, when there is something to do; each kind of work is asked for as often as it needs. */
  agendaIntervalMs: 500,
  /**
   * The same while no other node is there and this one has not used the database since: only what somebody puts in by hand would be found.
   * A node that has just started is noticed with the next heartbeat.
   */
  quietIntervalMs: 5_000,
  /** How often a node looks for work that it was not told of: other nodes' overflow, due retries. */
  claimIntervalMs: 500,
  /** A lease: the longest attempt, the wait in memory before it and the write after it. */
  leaseMs: 60_000,
  /** Time kept free at a lease's end for recording the result. */
  leaseMarginMs: 10_000,
  /** How often nodes that died, and batches that nobody works at, are looked for. */
  takeOverIntervalMs: 2_000,
  /** How often leases that ran out are looked for; only a fault leaves one behind. */
  leaseSweepMs: 10_000,
  /** The longest timeout that a dialect may declare. */
  maxTimeoutMs: 30_000,
  /** Results in one recording statement: few enough that it does not keep a core from everything else for long. */
  recordBatch: 250,
  /** How long results wait for others, so that small batches do not cost more than the sending: nobody waits for them. */
  recordLingerMs: 10,
  /** Deliveries of one row of `batches`: a wide event makes no huge array. */
  batchDeliveries: 1_000,
  /** How old a batch gets before what is left of it, a quarter at most, gets rows of its own; and how many batches in one statement. */
  batchAgeMs: 1_000,
  explodedBatches: 16,
  /** The same for a batch of which more is left: on a busy node its deliveries only wait for their turn, and rows would cost more. */
  busyBatchAgeMs: 4_000,
  /** Abandoned batches that a node takes over at one look. */
  takenOverBatches: 1_000,
  /** Endpoints of an organization up to which the publishing statement makes the deliveries; more in steps of so many afterwards. */
  fanOutStep: 500,
  /** How often a node looks for fan-outs that it was not told of. */
  fanOutIntervalMs: 2_000,
  /** Endpoints that an organization may have, unless the engine's owner says otherwise: every event is matched with all of them. */
  organizationEndpoints: 10_000,
  /** Deliveries of a deleted or disabled endpoint that are ended in one statement. */
  endedBatch: 1_000,
  /** While the database is away: how often a write is tried before its deliveries are left to the next lease. */
  storeTries: 20,
  /** The wait between two of these tries. */
  storeRetryMs: 500,
  /** How often a node says that it lives, and after how long silence it counts as dead. */
  heartbeatMs: 2_000,
  deadAfterMs: 10_000,
  /** After this silence a node starts nothing new: others may be about to take over. */
  silentAfterMs: 5_000,
  /** A node says so when its system's time is off the database's by more than this. */
  clockOffsetMs: 5_000,
  /** Upkeep that is not urgent: partitions, swept rows. */
  upkeepIntervalMs: 60_000,
  /** Bytes read of an answer before the connection is dropped: the status is what counts. */
  responseBytes: 64 * 1024,
  /** Bytes of an answer kept for the delivery log. */
  storedResponseBytes: 1024,
  /** Bytes of an answer's headers. */
  responseHeaderBytes: 16 * 1024,
  /** Endpoint configurations remembered by a sender, about 1 kB each. */
  cachedEndpoints: 20_000,
  /** Characters of a URL, as browsers and proxies take them. */
  urlLength: 2_048,
  /** Custom headers of an endpoint, and the characters of one value. */
  customHeaders: 20,
  customHeaderLength: 1_024,
  /** Days that history is kept, unless the engine's owner says otherwise. */
  retentionDays: 30,
  /** Day partitions made ahead: so many days may pass without upkeep before inserts fail. */
  partitionsAheadDays: 3,
  /** How long a stopping node waits for its requests in flight. */
  drainMs: 15_000,
} as const;

assert.ok(LIMITS.leaseMs > LIMITS.maxTimeoutMs + LIMITS.leaseMarginMs, 'a lease outlives the longest attempt and its recording');
assert.ok(
  LIMITS.silentAfterMs > 2 * LIMITS.heartbeatMs && LIMITS.silentAfterMs < LIMITS.deadAfterMs,
  'a silent node stops before it counts as dead',
);
assert.ok(LIMITS.deadAfterMs >= 3 * LIMITS.heartbeatMs, 'one lost heartbeat does not make a node dead');
assert.ok(LIMITS.endpointInFlight < LIMITS.nodeInFlight, 'one endpoint cannot fill a node');
assert.ok(LIMITS.endpointWaiting + LIMITS.endpointInFlight < LIMITS.nodeLeases, 'one endpoint cannot hold every lease');
assert.ok(LIMITS.newShare + LIMITS.failingShare < LIMITS.doubtfulShare, 'slow endpoints find a slot beside new and failing ones');
assert.ok(LIMITS.ownFaultMs * 2 ** LIMITS.ownFaultTries < LIMITS.leaseMs, 'an attempt can be made again in its lease');
assert.ok(LIMITS.minReadStepRows <= LIMITS.readStepRows && LIMITS.readStepRows <= LIMITS.maxReadStepRows, 'steps can grow and shrink');
assert.ok(LIMITS.leaseMs > LIMITS.holdMs, 'what a receiver holds up is still leased afterwards');
