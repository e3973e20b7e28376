// `npm test`: every test but the long ones. What is given on the command line goes to `node --test` as well.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Test files at once: one more than there are cores, since many of them wait for servers to start, for leases and for heartbeats
 * while they compute nothing. At most six: each may have two nodes with thirty connections each to one PostgreSQL.
 */
const MAX_FILES = 6;
const files = Math.min(availableParallelism() + 1, MAX_FILES);

/**
 * The embedded database is run as V8 compiles it at first, also in the files' processes. Optimising PostgreSQL costs more processor
 * time than a test gets back: a start and 200 statements take 0.8 s in place of 1.3 s.
 */
const QUICK_WASM = '--liftoff-only';

const { status } = spawnSync(
  process.execPath,
  [
    QUICK_WASM,
    '--test',
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    `--test-concurrency=${files}`,
    '--test-timeout=180000',
    '--test-global-setup=packages/testing/src/global-setup.ts',
    ...process.argv.slice(2),
    'packages/*/src/**/!(*.long).test.ts',
    'tools/*.test.ts',
  ],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
