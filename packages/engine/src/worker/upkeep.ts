import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Sealer } from '../core/seal.ts';
import type { Database } from '../store/database.ts';
import {
  DEAD_NODES_DUE,
  endExpiredLeases,
  EXPIRED_LEASES_DUE,
  releaseDeadNodes,
  releaseLeases,
  removeNode,
  removeOtherNodes,
} from '../store/nodes.ts';
import type { DueSource } from '../store/agenda.ts';
import type { Agenda } from './agenda.ts';
import { Alarm } from './alarm.ts';
import { persistently } from './persistently.ts';
import { Pulse } from './pulse.ts';
import { checkKey } from '../store/key-check.ts';
import { lookAtClock } from '../store/retention-clock.ts';
import { dropOldPartitions, ensurePartitions, PARTITIONED, trimOrganizations, trimVersions } from '../store/upkeep.ts';
import { ABANDONED_BATCHES_DUE, findAbandonedBatches, takeOverBatch } from '../store/batches.ts';

export interface UpkeepOptions {
  readonly agenda: Agenda;
  readonly database: Database;
  readonly nodeId: string;
  readonly delivers: boolean;
  /** Days that history is kept. */
  readonly retentionDays: number;
  /** Tables of the engine's owner that are partitioned and kept as its own are. */
  readonly partitionedTables: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** Deliveries became due that nobody knew of. */
  readonly onReleased: () => void;
  /** Called for nodes that were found dead, after their leases ended. */
  readonly onDeadNodes: (nodeIds: readonly string[]) => void;
  /** Who was told that the node is silent may go on. `isTakenOver`: the others counted it as dead and took over what it held. */
  readonly onHeard: (isTakenOver: boolean) => void;
  /** Must be the one that the database's secrets were sealed with. */
  readonly sealer: Sealer;
}

/** History that is kept for so much longer than it should is worth a line in the log. */
const HELD_BACK_MS = 86_400_000;

/** Keeps the node known as alive, takes over from dead ones, and keeps partitions ahead and history bounded. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #alarms: Alarm[];
  readonly #tables: readonly string[];
  readonly pulse: Pulse;
  /** The last look at the clock of retention, on the monotonic clock. */
  #lookedAt: number | null = null;
  #historyTime = 0;
  #isHeldBack = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.pulse = new Pulse(options);
    this.#tables = [...PARTITIONED, ...options.partitionedTables];
    this.#alarms = [
      this.#every(LIMITS.heartbeatMs, 'heartbeat', () => this.pulse.beat()),
      this.#when(DEAD_NODES_DUE, LIMITS.takeOverIntervalMs, 'taking over from dead nodes', () => this.#takeOver()),
      this.#when(ABANDONED_BATCHES_DUE, LIMITS.takeOverIntervalMs, 'taking over batches', () => this.#takeOverBatches()),
      this.#when(EXPIRED_LEASES_DUE, LIMITS.leaseSweepMs, 'lease sweep', () => this.#endLeases()),
      this.#every(LIMITS.trimIntervalMs, 'trimming', () => this.#trim()),
      this.#every(LIMITS.upkeepIntervalMs, 'upkeep', () => this.#tidy()),
    ];
  }

  /** As `EngineActivity` has it; `historyTime` is 0 before the first look. */
  get activity() {
    const { nodes, silentMs, systemAheadMs } = this.pulse;
    return { nodes, silentMs, systemAheadMs, historyTime: this.#historyTime };
  }

  /** What must be true before the first event is accepted; then goes on in the background. */
  async start(): Promise<void> {
    const { database, nodeId, clock, log, sealer } = this.#options;
    await checkKey(database, sealer);
    await this.pulse.beat(); // first of all, since it corrects the clock
    const now = clock.now();
    const persistence = { clock, log, what: 'making partitions' }; // such as while a node that runs holds their locks
    await persistently(() => ensurePartitions(database.upkeep, now, LIMITS.partitionsAheadDays, this.#tables), persistence);
    await this.#look();
    if (database.kind === 'embedded') await removeOtherNodes(database, nodeId, new Date(now));
    for (const alarm of this.#alarms) alarm.start();
  }

  async stop(): Promise<void> {
    const { database, nodeId, clock } = this.#options;
    for (const alarm of this.#alarms) await alarm.stop();
    await releaseLeases(database, [nodeId], new Date(clock.now()));
    await removeNode(database, nodeId);
  }

  #every(intervalMs: number, name: string, work: () => Promise<void>): Alarm {
    return new Alarm({ clock: this.#options.clock, intervalMs, work: this.#logged(name, work) });
  }

  #when(source: DueSource, everyMs: number, name: string, work: () => Promise<void>): Alarm {
    return this.#options.agenda.alarm({ source, everyMs, work: this.#logged(name, work) });
  }

  #logged(name: string, work: () => Promise<void>): () => Promise<boolean> {
    return async () => {
      await work().catch((error: unknown) => this.#options.log.warn({ err: error }, `${name} failed, will be tried again`));
      return false;
    };
  }

  async #takeOver(): Promise<void> {
    const { database, clock, log, onDeadNodes, onReleased } = this.#options;
    // After an outage all nodes look dead: none is judged before one's own heartbeats have been good for a while.
    if (!this.pulse.isSteady) return;
    const dead = await releaseDeadNodes(database, LIMITS.deadAfterMs, new Date(clock.now()));
    if (dead.length === 0) return;
    log.warn({ nodes: dead }, 'took over from nodes that stopped reporting');
    onReleased();
    onDeadNodes(dead);
    await this.#takeOverBatches(); // theirs
  }

  /** Of nodes that are dead or forgotten, and those that a node lost track of. One transaction for each: none waits long. */
  async #takeOverBatches(): Promise<void> {
    const { clock, database, log, onReleased } = this.#options;
    let deliveries = 0;
    const abandoned = await findAbandonedBatches(database, LIMITS.takenOverBatches, this.pulse.isSteady);
    for (const id of abandoned) deliveries += await database.transaction((tx) => takeOverBatch(tx, id, new Date(clock.now())));
    if (deliveries === 0) return;
    log.warn({ batches: abandoned.length, deliveries }, 'took over batches whose node stopped or lost track of them');
    onReleased();
  }

  async #trim(): Promise<void> {
    const { database, log, retentionDays } = this.#options;
    const deleted = await trimOrganizations(database.upkeep, this.#historyTime, retentionDays, LIMITS.retentionBatch);
    if (deleted > 0) log.info({ deliveries: deleted }, 'deleted history of organizations that keep it for less time');
  }

  async #endLeases(): Promise<void> {
    const { database, clock, log, onReleased } = this.#options;
    // After an outage all leases have run out, and their nodes are just writing the results.
    if (!this.pulse.isSteady) return;
    let ended = 0;
    for (let isMore = true; isMore;) {
      const count = await endExpiredLeases(database, new Date(clock.now()), LIMITS.endedBatch);
      ended += count;
      isMore = count === LIMITS.endedBatch;
    }
    if (ended === 0) return;
    log.warn({ deliveries: ended }, 'took over deliveries whose leases ran out');
    onReleased();
  }

  async #tidy(): Promise<void> {
    const { database, clock, log, retentionDays } = this.#options;
    await ensurePartitions(database.upkeep, clock.now(), LIMITS.partitionsAheadDays, this.#tables);
    await this.#look();
    const dropped = await dropOldPartitions(database.upkeep, this.#historyTime, retentionDays, this.#tables);
    if (dropped.length > 0) log.info({ partitions: dropped }, 'dropped history older than the retention time');
    await trimVersions(database.upkeep, new Date(this.#historyTime), retentionDays);
  }

  async #look(): Promise<void> {
    const { clock, database, log } = this.#options;
    const at = clock.monotonic();
    const { heldBackMs, time } = await lookAtClock(database.upkeep, this.#lookedAt === null ? null : at - this.#lookedAt);
    this.#lookedAt = at;
    this.#historyTime = time;
    const isHeldBack = heldBackMs > HELD_BACK_MS;
    if (isHeldBack && !this.#isHeldBack)
      log.warn(
        { heldBackMs: Math.round(heldBackMs) },
        'the clock of the database leapt, or nobody looked at it: history is kept for longer',
      );
    this.#isHeldBack = isHeldBack;
  }
}
