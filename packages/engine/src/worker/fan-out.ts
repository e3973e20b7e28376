import type { Clock } from '../core/clock.ts';
import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { hasFanOuts, stepFanOut } from '../store/fan-out.ts';
import type { Published, PublishOptions } from '../store/publish.ts';
import { Alarm } from './alarm.ts';

export interface FanOutOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** What publishing has to know of this node now. */
  readonly placement: () => PublishOptions;
  readonly accept: (published: Published) => void;
  /** There may be deliveries that wait for any node. */
  readonly onQueued: () => void;
}

/** Makes the deliveries of events that have very many endpoints, a few hundred at a time; organizations take turns. */
export class FanOut {
  readonly #options: FanOutOptions;
  readonly #alarm: Alarm;
  #after = FIRST_UUID;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#alarm = new Alarm({ clock: options.clock, intervalMs: LIMITS.fanOutIntervalMs, work: () => this.#step() });
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  wake(): void {
    this.#alarm.at(this.#options.clock.now());
  }

  async #step(): Promise<boolean> {
    const { accept, database, log, onQueued, placement } = this.#options;
    try {
      if (!(await hasFanOuts(database))) return false; // without a transaction: there hardly ever are any
      const step = await database.transaction(async (tx) => stepFanOut(tx, this.#after, placement()));
      this.#after = step.organizationId ?? FIRST_UUID;
      if (step.deliveries.length > 0) accept(step);
      if (step.organizationId !== null) onQueued();
      return step.organizationId !== null;
    } catch (error) {
      log.warn({ err: error }, 'an event could not be fanned out further, will be tried again');
      return false;
    }
  }
}
