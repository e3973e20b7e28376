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
export const PLANTS: Readonly<Record<string, readonly Plant[]>> = {};

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
