import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { findChangedEndpoints } from '../store/endpoints.ts';
import { Alarm } from './alarm.ts';

export interface WatcherOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** The endpoints that this node has work for, as it knows them. */
  readonly known: () => { readonly id: string; readonly version: number }[];
  readonly onChanged: (endpointId: string) => void;
}

/** Notices on this node what was done to endpoints on another one: changed, disabled, paused or deleted. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #alarm: Alarm;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#alarm = new Alarm({ clock: options.clock, intervalMs: LIMITS.watchIntervalMs, work: () => this.#look() });
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  async #look(): Promise<boolean> {
    const { database, known, log, onChanged } = this.#options;
    const endpoints = known();
    if (endpoints.length === 0) return false;
    try {
      for (const id of await findChangedEndpoints(database, endpoints)) onChanged(id);
    } catch (error) {
      log.warn({ err: error }, 'changed endpoints could not be looked for, will be tried again');
    }
    return false;
  }
}
