import { registerHooks } from 'node:module';

/** A defect that a node is given for one run: what is replaced in which file. */
interface Plant {
  /** The end of the file's path. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * The defects that the checker must find. A place that has moved fails the node's start, and so the test: a plant that
 * no longer takes must not pass for one that was found.
 */
export const PLANTS: Readonly<Record<string, readonly Plant[]>> = {
  /** A node that was taken for dead records what it was answered all the same. */
  'no-fence': [
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
    { file: 'store/record/batched.ts', from: 'select * from result where batch_id in (select id from held)', to: 'select * from result' },
  ],
  /** One result in fifty is forgotten before it is written. */
  'dropped-result': [
    {
      file: 'worker/recorder.ts',
      from: 'this.#batcher.add(result);',
      to: 'if (Math.random() < 0.02) this.#options.onRecorded([result]);\n    else this.#batcher.add(result);',
    },
  ],
  /** What was claimed while the answer was lost stays leased for ever. */
  'no-sweep': [
    { file: 'worker/upkeep.ts', from: 'const count = await endExpiredLeases(', to: 'const count = 0 && await endExpiredLeases(' },
  ],
  /** Only what a node knows of itself is looked for. */
  'lost-wake-up': [{ file: 'worker/claimer.ts', from: 'intervalMs: LIMITS.claimIntervalMs', to: 'intervalMs: 2 ** 30' }],
  /** Publishers hear that their events are stored although the commit failed. */
  'swallowed-commit-error': [
    {
      file: 'worker/inbox.ts',
      from: 'failed: ({ reject }, error) => reject(error),',
      to: 'failed: ({ resolve }) => resolve(),',
    },
  ],
};

/** Replaces the source while the file is loaded; production code knows nothing of it. */
export function plantDefect(name: string): void {
  const plants = PLANTS[name];
  if (plants === undefined) throw new Error(`There is no planted defect ${name}; there are ${Object.keys(PLANTS).join(', ')}.`);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const due = plants.filter(({ file }) => url.split('?')[0]!.endsWith(`/${file}`));
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
