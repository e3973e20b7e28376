import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTest } from './test-run.ts';
import type { Tree } from './tree.ts';

/** What one test file runs: for each of our source files the stretches of text that were executed, as offsets in pairs. */
export interface Coverage {
  readonly test: string;
  /** How long it took, under the recorder. */
  readonly ms: number;
  /** Why it cannot be used: it fails without any mistake. */
  readonly failure: string | null;
  readonly files: Readonly<Record<string, { readonly hash: string; readonly ran: readonly number[] }>>;
  /** Of what is no code and matters to all. */
  readonly base: string;
}

interface Recorded {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[] }[];
  }[];
}

/** Longer than any test file takes on a busy machine. */
const RECORDING_TIMEOUT_MS = 600_000;
const hash = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');

/** A recording holds while the test and everything that it loaded are what they were, byte for byte. */
export function cachedCoverage(cache: string, root: string, test: string): Coverage | null {
  const path = cachePath(cache, test);
  if (!existsSync(path)) return null;
  const coverage = JSON.parse(readFileSync(path, 'utf8')) as Coverage;
  const holds =
    coverage.base === baseHash(root) &&
    Object.entries(coverage.files).every(
      ([file, recorded]) => existsSync(join(root, file)) && hash(readFileSync(join(root, file))) === recorded.hash,
    );
  return holds ? coverage : null;
}

/** Runs a test file in a tree without mistakes and keeps which lines it and the processes that it starts run. */
export async function recordCoverage(cache: string, tree: Tree, test: string): Promise<Coverage> {
  const raw = join(tree.temporary, 'coverage');
  for (let last = false; ; last = true) {
    // Without the compile cache: V8 knows less of functions that come from it.
    const run = await runTest(tree, test, {
      timeoutMs: RECORDING_TIMEOUT_MS,
      env: { NODE_V8_COVERAGE: raw, NODE_DISABLE_COMPILE_CACHE: '1' },
    });
    if (!run.passed && !last) continue; // once more: a machine may be busy
    const coverage = { test, ms: run.ms, failure: run.failure, base: baseHash(tree.root), files: readRaw(raw, tree.root) };
    rmSync(raw, { recursive: true, force: true });
    if (run.passed) {
      mkdirSync(cache, { recursive: true });
      writeFileSync(cachePath(cache, test), JSON.stringify(coverage));
    }
    return coverage;
  }
}

/** Whether a test file runs the character at this place. */
export function runs({ files }: Coverage, file: string, offset: number): boolean {
  const { ran } = files[file] ?? { ran: [] };
  for (let i = 0; i < ran.length; i += 2) if (ran[i]! <= offset && offset < ran[i + 1]!) return true;
  return false;
}

/** Node strips types in place, so that V8's offsets are those of the TypeScript file. */
function readRaw(directory: string, root: string): Coverage['files'] {
  const ran = new Map<string, Uint8Array>();
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    let recorded: Recorded;
    try {
      recorded = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Recorded;
    } catch {
      continue; // of a process that was killed while it wrote
    }
    for (const { functions, url } of recorded.result) {
      const path = url.startsWith('file://')
        ? fileURLToPath(url)
            .slice(root.length + 1)
            .split(sep)
            .join('/')
        : '';
      if (!url.startsWith('file://') || !fileURLToPath(url).startsWith(root + sep) || path.includes('node_modules/')) continue;
      if (!existsSync(join(root, path))) continue; // built by a test
      const all = ran.get(path) ?? new Uint8Array(readFileSync(join(root, path), 'utf8').length);
      const now = new Uint8Array(all.length);
      // Outer ranges first, so that the innermost one has the last word.
      const ranges = functions.flatMap((one) => one.ranges).sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
      for (const { count, endOffset, startOffset } of ranges) now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      for (let i = 0; i < all.length; i++) all[i]! |= now[i]!;
      ran.set(path, all);
    }
  }
  return Object.fromEntries(
    [...ran].map(([path, all]) => [path, { hash: hash(readFileSync(join(root, path))), ran: stretches(all) }] as const),
  );
}

function stretches(ran: Uint8Array): number[] {
  const found: number[] = [];
  for (let i = 0; i <= ran.length; i++) if ((ran[i] ?? 0) !== (ran[i - 1] ?? 0)) found.push(i);
  return found;
}

/** Migrations, and the versions of what is not ours. */
function baseHash(root: string): string {
  const files = globSync(['package-lock.json', 'packages/*/migrations/*.sql'], { cwd: root }).sort();
  return hash([process.version, ...files.map((file) => readFileSync(join(root, file), 'utf8'))].join('\0'));
}

const cachePath = (cache: string, test: string) => join(cache, `${hash(test).slice(0, 16)}.json`);
