import type { Clock } from '../core/clock.ts';
import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { FAN_OUTS_DUE, stepFanOut } from '../store/fan-out.ts';
import type { Published, PublishOptions } from '../store/publish.ts';
import type { Agenda } from './agenda.ts';
import type { Alarm } from './alarm.ts';

export interface FanOutOptions {
  readonly agenda: Agenda;
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
    this.#alarm = options.agenda.alarm({ source: FAN_OUTS_DUE, everyMs: LIMITS.fanOutIntervalMs, work: () => this.#step() });
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  wake(): void {
    this.#alarm.now();
  }

  async #step(): Promise<boolean> {
    const { accept, database, log, onQueued, placement } = this.#options;
    try {
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
