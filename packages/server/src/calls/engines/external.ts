import type { Clock, Database } from '@dialhook/engine';
import type { Calls } from '../calls.ts';
import type { Call } from '../model.ts';
import type { CallEngine } from './engine.ts';
import { markSent } from '../store/calls.ts';
import { takeLive } from '../store/live-calls.ts';

/**
 * The operator's own dialler: it takes calls over the operator API and reports how they go. A call that was taken and of
 * which nothing was heard is handed out again after a while: the answer may have been lost, or the dialler.
 */
export class ExternalEngine implements CallEngine {
  readonly name = 'external';
  readonly #options: { readonly database: Database; readonly calls: Calls; readonly clock: Clock };

  constructor(options: { readonly database: Database; readonly calls: Calls; readonly clock: Clock }) {
    this.#options = options;
  }

  start(): void {}

  async stop(): Promise<void> {}

  wake(): void {}

  /** Waiting calls, oldest first; they are `sent` now. */
  async take(limit: number, forMs: number): Promise<Call[]> {
    const { calls, clock, database } = this.#options;
    return database.transaction(async (tx) => {
      const now = clock.now();
      const ids = await takeLive(tx, limit, new Date(now), new Date(now + forMs));
      if (ids.length === 0) return [];
      await markSent(tx, ids, new Date(now));
      const taken = await calls.load(tx, ids);
      return taken.sort((a, b) => (a.id < b.id ? -1 : 1));
    });
  }
}
