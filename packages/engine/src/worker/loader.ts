import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Lane } from './lane.ts';
import type { Target, TargetCache } from './targets.ts';

export interface LoaderOptions {
  readonly targets: TargetCache;
  readonly clock: Clock;
  readonly log: Log;
  /** What became of a lane: its endpoint, `gone`, or null when the database did not answer and it should ask again. */
  readonly onLoaded: (lane: Lane, target: Target | 'gone' | null) => void;
  /** All lanes of a batch were told. */
  readonly onDone: () => void;
}

/** Loads the endpoints that lanes need, those of one turn of the event loop together. */
export class Loader {
  readonly #options: LoaderOptions;
  #waiting = new Set<Lane>();

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  add(lane: Lane): void {
    lane.loading = true;
    if (this.#waiting.size === 0) setImmediate(() => void this.#load());
    this.#waiting.add(lane);
  }

  async #load(): Promise<void> {
    const lanes = [...this.#waiting];
    this.#waiting = new Set();
    try {
      this.#tell(lanes, await this.#options.targets.load(lanes.map((lane) => lane.id)));
    } catch (error) {
      // The deliveries keep waiting; those whose lease runs short are given back when their turn comes.
      this.#options.log.warn({ err: error }, 'endpoints could not be loaded, trying again');
      this.#options.clock.after(LIMITS.storeRetryMs, () => this.#tell(lanes, null));
    }
  }

  #tell(lanes: readonly Lane[], targets: ReadonlyMap<string, Target> | null): void {
    for (const lane of lanes) {
      lane.loading = false;
      this.#options.onLoaded(lane, targets === null ? null : (targets.get(lane.id) ?? 'gone'));
    }
    this.#options.onDone();
  }
}
