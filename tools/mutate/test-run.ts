import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILED } from './first-failure.ts';
import type { Tree } from './tree.ts';

export interface TestRun {
  readonly passed: boolean;
  /** The first test that failed, or what else happened. */
  readonly failure: string | null;
  readonly ms: number;
}

const REPORTER = fileURLToPath(new URL('first-failure.ts', import.meta.url));
/** Enough of an error to see what it was. */
const ERROR_CHARACTERS = 2_000;
const running = new Set<number>();

/** Runs one test file in a tree until its first failure. The process and all that it started are gone afterwards. */
export function runTest(
  tree: Tree,
  file: string,
  { env = {}, timeoutMs }: { readonly timeoutMs: number; readonly env?: NodeJS.ProcessEnv },
): Promise<TestRun> {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      `--test-reporter=${REPORTER}`,
      '--test-reporter-destination=stdout',
      file,
    ],
    {
      cwd: tree.root,
      detached: true, // a group of its own, which ends as one
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TMPDIR: tree.temporary,
        PATH: `${join(tree.root, 'node_modules', '.bin')}:${process.env.PATH}`,
        NODE_TEST_CONTEXT: undefined, // of a test that runs us
        ...env,
      },
    },
  );
  const end = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // nothing is left of it
    }
  };
  running.add(child.pid!);
  let output = '';
  let errors = '';
  let failure: string | null = null;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-ERROR_CHARACTERS);
    const at = output.indexOf(FAILED);
    if (failure === null && at >= 0 && output.includes('\n', at)) {
      failure = output.slice(at + FAILED.length, output.indexOf('\n', at));
      end();
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-ERROR_CHARACTERS)));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      failure ??= `no end within ${Math.round(timeoutMs / 1000)} s`;
      end();
    }, timeoutMs);
    child.once('error', reject);
    child.once('exit', end); // what it left running would keep its output open
    child.once('close', (code) => {
      clearTimeout(timer);
      running.delete(child.pid!);
      if (code !== 0) failure ??= `ended with ${code}: ${errors.trim().split('\n').at(-1) ?? ''}`;
      resolve({ passed: failure === null, failure, ms: performance.now() - began });
    });
  });
}

/** Ends what is under way, for a run that is interrupted. */
export function endAll(): void {
  for (const pid of running) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}
