import type { Clock } from './core/clock.ts';
import { EngineError } from './core/errors.ts';
import { uuidv7 } from './core/ids.ts';
import { LIMITS } from './core/limits.ts';
import type { Log } from './core/log.ts';
import type { Replay, ReplayFilter } from './core/replay.ts';
import { countReplayable } from './replay-count.ts';
import type { Database } from './store/database.ts';
import {
  cancelReplay,
  countRunningLocked,
  findReplay,
  insertReplay,
  listReplays,
  removeEndedReplays,
  REPLAYS_DUE,
  resendDelivery,
  stepReplay,
} from './store/replays.ts';
import type { Agenda } from './worker/agenda.ts';
import type { Alarm } from './worker/alarm.ts';

/** Organizations whose turn a node remembers: more of them hardly replay at once. */
const SERVED_ORGANIZATIONS = 1_000;

export interface ReplaysOptions {
  readonly agenda: Agenda;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Deliveries became due. */
  readonly onQueued: () => void;
}

/** Sends again what was sent before: one delivery at once, many as a job that any node carries on. */
export class Replays {
  readonly #options: ReplaysOptions;
  readonly #alarm: Alarm;
  /** Organizations that had a step, the latest last: the others' turn comes first. */
  #served: readonly string[] = [];

  constructor(options: ReplaysOptions) {
    this.#options = options;
    this.#alarm = options.agenda.alarm({ source: REPLAYS_DUE, everyMs: LIMITS.replayIntervalMs, work: () => this.#step() });
  }

  /** Begins to carry on running replays. */
  run(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  /**
   * Sends a delivery again. Gives the id under which it is sent: a new one for a finished delivery, its own for one
   * that was waiting for a retry. Throws `unknown_delivery` or `not_resendable`.
   */
  async resend(organizationId: string, deliveryId: string): Promise<string> {
    const { clock, database, onQueued } = this.#options;
    const now = clock.now();
    const newId = uuidv7(now);
    const result = await database.transaction((tx) => resendDelivery(tx, organizationId, deliveryId, newId, new Date(now)));
    if (result === 'unknown') throw new EngineError('unknown_delivery', 'The organization has no such delivery.');
    if (result === 'in_flight') throw new EngineError('not_resendable', 'The delivery is being sent just now.');
    if (result === 'gone')
      throw new EngineError('not_resendable', 'The endpoint is deleted or switched off, or the event is no longer kept.');
    onQueued();
    return result === 'resent' ? newId : deliveryId;
  }

  /** How many deliveries a replay would look at, counted up to `LIMITS.replayDeliveries`. */
  async count(filter: ReplayFilter): Promise<number> {
    const { clock, database } = this.#options;
    return countReplayable(database.reads, clock, this.#checked(filter), LIMITS.replayDeliveries);
  }

  /** Starts the job. Throws `invalid_time_range`, or `replay_limit` while too many of the organization run. */
  async start(filter: ReplayFilter): Promise<Replay> {
    const { clock, database } = this.#options;
    const now = clock.now();
    const checked = this.#checked(filter);
    const total = await countReplayable(database.reads, clock, checked, LIMITS.replayDeliveries);
    const replay = await database.transaction(async (tx) => {
      if ((await countRunningLocked(tx, filter.organizationId)) >= LIMITS.runningReplays)
        throw new EngineError('replay_limit', `at most ${LIMITS.runningReplays} replays of an organization run at once`);
      return insertReplay(tx, uuidv7(now), checked, total, new Date(now));
    });
    this.#alarm.at(now);
    return replay;
  }

  find(organizationId: string, id: string): Promise<Replay | null> {
    return findReplay(this.#options.database, organizationId, id);
  }

  /** Newest first. */
  list(organizationId: string): Promise<Replay[]> {
    return listReplays(this.#options.database, organizationId, LIMITS.listedReplays);
  }

  /** Stops a running job; null when unknown. */
  cancel(organizationId: string, id: string): Promise<Replay | null> {
    return cancelReplay(this.#options.database, organizationId, id, new Date(this.#options.clock.now()));
  }

  /** Removes jobs of all organizations that ended before a time, at most `limit`. Gives how many. */
  removeEnded(before: Date, limit: number): Promise<number> {
    return removeEndedReplays(this.#options.database.upkeep, before, limit);
  }

  /** A replay ends at its own start: what it makes itself is not replayed again. */
  #checked(filter: ReplayFilter): ReplayFilter {
    const until = Math.min(filter.until, this.#options.clock.now());
    if (filter.since >= until) throw new EngineError('invalid_time_range', 'since must be before until, and in the past');
    return { ...filter, until };
  }

  async #step(): Promise<boolean> {
    const { clock, database, log, onQueued } = this.#options;
    try {
      const served = await database.transaction((tx) => stepReplay(tx, LIMITS.replayBatch, new Date(clock.now()), this.#served));
      if (served === null) return false;
      this.#served = [...this.#served.filter((id) => id !== served), served].slice(-SERVED_ORGANIZATIONS);
      onQueued();
      return true;
    } catch (error) {
      log.warn({ err: error }, 'a replay could not be carried on, will be tried again');
      return false;
    }
  }
}
