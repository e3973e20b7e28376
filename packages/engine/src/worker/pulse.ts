import { CorrectedClock, type Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { heartbeat } from '../store/nodes.ts';

export interface PulseOptions {
  readonly database: Database;
  readonly nodeId: string;
  readonly delivers: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Who was told that the node is silent may go on. `isTakenOver`: the others counted it as dead and took over what it held. */
  readonly onHeard: (isTakenOver: boolean) => void;
}

interface Heard {
  /** When the heartbeat was sent, on the monotonic clock: from then on the others' patience runs. */
  readonly at: number;
  /** The system's time then. */
  readonly systemTime: number;
  /** The database's time. */
  readonly time: number;
}

/**
 * Whether this node lives, as it knows itself: a node that was not heard for a while starts nothing and judges nobody.
 * Each heartbeat also brings the database's time, which the clock is corrected by.
 */
export class Pulse {
  readonly #options: PulseOptions;
  #nodes = 1;
  #aloneSince = Infinity;
  #heard: Heard | null = null;
  /** Since when the heartbeats have come without a gap. */
  #steadySince = Infinity;
  #beating: Promise<void> | null = null;
  #isClockOff = false;
  /** Somebody was told to wait, and is to be told when that is over. */
  #hasWaiting = false;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** Nodes that send, as of the last heartbeat. */
  get nodes(): number {
    return this.#nodes;
  }

  /** On the monotonic clock: since when no other node was there, as of the last heartbeat. Infinity when there is one. */
  get aloneSince(): number {
    return this.#aloneSince;
  }

  /** Milliseconds since this node last said that it lives; others take over its work after `LIMITS.deadAfterMs`. */
  get silentMs(): number {
    return this.#heard === null ? Infinity : this.#options.clock.monotonic() - this.#heard.at;
  }

  /**
   * The others may be about to take over: nothing new is started. A machine that was suspended does not see by its
   * monotonic clock how long that was; its system's time says so, and then a heartbeat decides, at once.
   */
  get isSilent(): boolean {
    const { silentMs } = this;
    const isSuspect = this.#heard !== null && this.#systemTime() - this.#heard.systemTime - silentMs > LIMITS.silentAfterMs;
    if (silentMs <= LIMITS.silentAfterMs && !isSuspect) return false;
    this.#hasWaiting = true;
    if (isSuspect) void this.beat().catch(() => {}); // the next regular one is tried too, and logged
    return true;
  }

  /** This node's heartbeats have come without a gap for so long that a node that did not come is dead, and not the database. */
  get isSteady(): boolean {
    return !this.isSilent && this.#options.clock.monotonic() - this.#steadySince >= LIMITS.deadAfterMs;
  }

  /** How far the system's time is ahead of the database's. */
  get systemAheadMs(): number {
    const { clock } = this.#options;
    return clock instanceof CorrectedClock ? clock.systemAheadMs : 0;
  }

  /** Says that the node lives; one at a time. */
  beat(): Promise<void> {
    return (this.#beating ??= this.#beat().finally(() => (this.#beating = null)));
  }

  async #beat(): Promise<void> {
    const { clock, database, delivers, log, nodeId, onHeard } = this.#options;
    const before = this.#heard;
    const at = clock.monotonic();
    const systemTime = this.#systemTime();
    const { isAlone, isNew, nodes, time } = await heartbeat(database.heartbeat, nodeId, delivers);
    if (clock instanceof CorrectedClock) clock.correct(time, at, clock.monotonic());
    this.#nodes = Math.max(1, nodes);
    // From when the answer came: what another node did before it left is seen by a look after that.
    this.#aloneSince = isAlone ? Math.min(this.#aloneSince, clock.monotonic()) : Infinity;
    this.#heard = { at, systemTime, time };
    this.#judgeClock();
    // By the database's clock too: that of a suspended machine stood still.
    const gap = before === null ? Infinity : Math.max(at - before.at, time - before.time);
    if (gap > LIMITS.silentAfterMs || isNew) this.#steadySince = at;
    const isTakenOver = isNew && before !== null;
    if (isTakenOver) log.warn({ silentMs: Math.round(gap) }, 'this node was counted as dead: what it held was taken over');
    if (!isTakenOver && !this.#hasWaiting) return;
    this.#hasWaiting = false;
    onHeard(isTakenOver);
  }

  #systemTime(): number {
    const { clock } = this.#options;
    return clock instanceof CorrectedClock ? clock.systemTime : clock.now();
  }

  #judgeClock(): void {
    const { log } = this.#options;
    const ahead = Math.round(this.systemAheadMs);
    const isOff = Math.abs(ahead) > LIMITS.clockOffsetMs;
    if (isOff === this.#isClockOff) return;
    this.#isClockOff = isOff;
    if (isOff) log.warn({ aheadMs: ahead }, 'the time of this system is not that of the database, whose time is used');
    else log.info({ aheadMs: ahead }, 'the time of this system agrees with that of the database again');
  }
}
