import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedCoverage, recordCoverage, runs, type Coverage } from './coverage.ts';
import { findEquivalent, type Equivalent } from './equivalents.ts';
import { apply, mutationsOf, parses, type Mutation, type MutationKind } from './mutations.ts';
import { sample } from './sample.ts';
import { runTest } from './test-run.ts';
import { copyTree, type Tree } from './tree.ts';

/** One mistake and what came of it. */
export interface Verdict {
  readonly file: string;
  readonly line: number;
  readonly kind: MutationKind;
  readonly source: string;
  readonly change: string;
  /** The test that noticed, and its file; null when none did. */
  readonly killedBy: string | null;
  /** Test files that run the line, and those that were run. */
  readonly covering: number;
  readonly tried: number;
  /** Why nobody can notice it. */
  readonly equivalent?: string;
  readonly seconds: number;
}

export interface MutationRun {
  readonly verdicts: Verdict[];
  /** Test files that fail without any mistake, so that nothing can be said by them, and why. */
  readonly unusable: string[];
}

export interface MutationRunOptions {
  /** The repository's top; it is read and never written, but for the cache. */
  readonly root: string;
  /** From the top, with forward slashes. */
  readonly sources: readonly string[];
  readonly tests: readonly string[];
  readonly seed: number;
  readonly count: number;
  /** Trees that are worked in at the same time. */
  readonly jobs: number;
  /** Recorded time of the test files that are tried for one mistake; the cheapest one is always tried. */
  readonly budgetMs: number;
  readonly equivalents: readonly Equivalent[];
  /** Where recorded coverage is kept. */
  readonly cache: string;
  readonly progress: (line: string) => void;
}

/** A run of a test file with a mistake in it may take so much longer than without; longer is an endless loop or wait. */
const SLOWER = 3;
/** Starting processes on a busy machine. */
const TIMEOUT_MARGIN_MS = 15_000;

/**
 * Makes small mistakes, one at a time, in copies of the repository, and runs the test files that run the mistaken line, the
 * cheapest first, until one fails. Databases are the caller's: whatever the environment names is shared by all runs.
 */
export async function mutationRun(options: MutationRunOptions): Promise<MutationRun> {
  const { budgetMs, cache, count, equivalents, jobs, progress, root, seed, sources, tests } = options;
  const texts = new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const all = [...texts].flatMap(([file, text]) => mutationsOf(file, text));
  const chosen = sample(all, seed, count, (mutation) => parses(mutation.file, apply(texts.get(mutation.file)!, mutation)));
  progress(`${chosen.length} of ${all.length} possible mistakes in ${sources.length} files, ${tests.length} test files`);

  const trees = Array.from({ length: jobs }, () => copyTree(root));
  try {
    const coverages: Coverage[] = [];
    const unusable: string[] = [];
    await inTrees(trees, tests, async (tree, test) => {
      let coverage = cachedCoverage(cache, root, test);
      if (coverage === null) {
        coverage = await recordCoverage(cache, tree, test);
        tree.clean();
        progress(`recorded ${test} ${coverage.failure === null ? '' : `FAILS: ${coverage.failure} `}${seconds(coverage.ms)} s`);
      }
      if (coverage.failure === null) coverages.push(coverage);
      else unusable.push(`${test}: ${coverage.failure}`);
    });
    coverages.sort((a, b) => a.ms - b.ms);

    const verdicts: Verdict[] = [];
    await inTrees(trees, chosen, async (tree, mutation) => {
      const verdict = await judge(tree, mutation, texts.get(mutation.file)!, coverages, budgetMs, findEquivalent(equivalents, mutation));
      verdicts.push(verdict);
      const { change, file, killedBy, kind, line } = verdict;
      const outcome = verdict.equivalent ? 'equivalent' : killedBy === null ? 'SURVIVED' : 'killed';
      progress(
        `${verdicts.length}/${chosen.length} ${outcome} ${file}:${line} ${kind}: ${change.slice(0, 120)} (${killedBy ?? `${verdict.tried} test files`}) ${verdict.seconds} s`,
      );
    });
    verdicts.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
    return { verdicts, unusable };
  } finally {
    for (const tree of trees) tree.remove();
  }
}

async function judge(
  tree: Tree,
  mutation: Mutation,
  text: string,
  coverages: readonly Coverage[],
  budgetMs: number,
  equivalent: Equivalent | undefined,
): Promise<Verdict> {
  const { change, file, kind, line, source, start } = mutation;
  const began = performance.now();
  const covering = coverages.filter((coverage) => runs(coverage, file, start));
  let killedBy: string | null = null;
  let tried = 0;
  if (equivalent === undefined) {
    let spentMs = 0;
    tree.write(file, apply(text, mutation));
    try {
      for (const { ms, test } of covering) {
        if (tried > 0 && spentMs + ms > budgetMs) break;
        tried += 1;
        spentMs += ms;
        const run = await runTest(tree, test, { timeoutMs: SLOWER * ms + TIMEOUT_MARGIN_MS });
        tree.clean();
        if (run.passed) continue;
        killedBy = `${test}: ${run.failure}`;
        break;
      }
    } finally {
      tree.write(file, text);
    }
  }
  return {
    file,
    line,
    kind,
    source,
    change,
    killedBy,
    covering: covering.length,
    tried,
    seconds: seconds(performance.now() - began),
    ...(equivalent && { equivalent: equivalent.reason }),
  };
}

/** Each tree does one thing at a time; the things are taken in their order. */
async function inTrees<T>(trees: readonly Tree[], items: readonly T[], act: (tree: Tree, item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async (tree: Tree) => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(tree, item);
  };
  await Promise.all(trees.map(work));
}

const seconds = (ms: number) => Math.round(ms / 100) / 10;
