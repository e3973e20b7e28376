import { registerHooks } from 'node:module';
import type { Fault } from './options.ts';

/** What is replaced in which file of the engine. */
interface Place {
  /** Below `packages/engine/src`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A defect that the nodes of a run are given. */
interface Plant {
  readonly places: readonly Place[];
  /** The faults in which it shows: others would hide it, as a kill ends the leases that nobody sweeps. */
  readonly faults: readonly Fault[];
  readonly minutes: number;
}

/**
 * The defects that the checker must find. A place that has moved fails the node's start, and so the test: a plant that
 * no longer takes must not pass for one that was found.
 */
export const PLANTS: Readonly<Record<string, Plant>> = {
  /** A node that was taken for dead records what it was answered all the same. */
  'no-fence': {
    places: [
      {
        file: 'store/record/queued.ts',
        from: `where d.id = r.id and d.lease = r.lease and d.leased_by is not null and r.outcome in ('delivered', 'exhausted')`,
        to: `where d.id = r.id and r.outcome in ('delivered', 'exhausted')`,
      },
      {
        file: 'store/record/queued.ts',
        from: `where d.id = r.id and d.lease = r.lease and d.leased_by is not null and r.outcome in ('retry', 'released')`,
        to: `where d.id = r.id and r.outcome in ('retry', 'released')`,
      },
      {
        file: 'store/record/batched.ts',
        from: 'select r.*, held.created_at from result r join held on held.id = r.batch_id',
        to: 'select r.*, coalesce(held.created_at, now()) as created_at from result r left join held on held.id = r.batch_id',
      },
      {
        file: 'store/record/delivered.ts',
        from: 'select count(*) = cardinality($1::uuid[]) as holds from held',
        to: 'select true as holds',
      },
    ],
    faults: ['suspend', 'receivers'],
    minutes: 0.8,
  },
  /** One result in fifty is forgotten before it is written. */
  'dropped-result': {
    places: [
      {
        file: 'worker/recorder.ts',
        from: 'this.#batcher.add(result);',
        to: 'if (Math.random() < 0.02) this.#options.onRecorded([result]);\n    else this.#batcher.add(result);',
      },
    ],
    faults: ['kill', 'receivers'],
    minutes: 0.4,
  },
  /** A node takes its own clock for the time. */
  'own-clock': {
    places: [
      {
        file: 'core/clock.ts',
        from: 'const exact = this.#offset === null ? this.#system.now() : this.#system.monotonic() + this.#offset;',
        to: 'const exact = this.#system.now();',
      },
    ],
    faults: ['clock', 'receivers'],
    minutes: 0.6,
  },
  /** What was claimed while the answer was lost stays leased for ever. */
  'no-sweep': {
    places: [{ file: 'worker/upkeep.ts', from: 'const count = await endExpiredLeases(', to: 'const count = 0 && await endExpiredLeases(' }],
    faults: ['network', 'receivers'],
    minutes: 0.8,
  },
  /** Retries whose time comes are not looked for: neither by the node that knows of them nor by the others. */
  'lost-wake-up': {
    places: [
      { file: 'worker/claimer.ts', from: 'everyMs: LIMITS.claimIntervalMs', to: 'everyMs: 2 ** 30' },
      {
        file: 'worker/claimer.ts',
        from: '    this.#alarm.at(time);',
        to: '    if (time <= this.#options.clock.now()) this.#alarm.at(time);',
      },
    ],
    faults: ['kill', 'receivers', 'expired'],
    minutes: 0.4,
  },
  /** Publishers hear that their events are stored although the commit failed. */
  'swallowed-commit-error': {
    places: [{ file: 'worker/inbox.ts', from: 'failed: ({ reject }, error) => reject(error),', to: 'failed: ({ resolve }) => resolve(),' }],
    faults: ['network', 'crash'],
    minutes: 0.6,
  },
};

/** Replaces the source while the file is loaded; production code knows nothing of it. */
export function plantDefect(name: string): void {
  const places = PLANTS[name]?.places;
  if (places === undefined) throw new Error(`There is no planted defect ${name}; there are ${Object.keys(PLANTS).join(', ')}.`);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const due = places.filter(({ file }) => url.split('?')[0]!.endsWith(`/engine/src/${file}`));
      if (due.length === 0) return loaded;
      let source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString('utf8');
      for (const { file, from, to } of due) {
        const parts = source.split(from);
        if (parts.length !== 2) throw new Error(`The defect ${name} does not fit ${file}: its text is there ${parts.length - 1} times.`);
        source = parts.join(to);
      }
      return { ...loaded, source };
    },
  });
}
