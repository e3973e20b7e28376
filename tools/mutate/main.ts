import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { globalSetup, globalTeardown } from '../../packages/testing/src/global-setup.ts';
import { AREAS, filesOf } from './areas.ts';
import { readEquivalents } from './equivalents.ts';
import { mutationRun } from './run.ts';
import { endAll } from './test-run.ts';

const USAGE = `npm run mutate -- --seed N --count M [--area ${Object.keys(AREAS).join('|')}] [--jobs J] [--budget SECONDS] [--report FILE]`;
/** Two trees for two cores: a test waits for processes and databases most of the time. */
const MAX_JOBS = 2;
/** Recorded seconds of tests for one mistake that nobody has noticed yet, so that a run of forty takes minutes. */
const BUDGET_S = 60;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string' },
    area: { type: 'string' },
    jobs: { type: 'string', default: String(Math.min(MAX_JOBS, availableParallelism())) },
    budget: { type: 'string', default: String(BUDGET_S) },
    report: { type: 'string' },
  },
});
const number = (name: 'seed' | 'count' | 'jobs' | 'budget', min: number): number => {
  const value = Number(values[name]);
  if (values[name] === undefined || !Number.isSafeInteger(value) || value < min) usage(`--${name} takes a whole number from ${min}.`);
  return value;
};
const [seed, count, jobs, budget] = [number('seed', 0), number('count', 1), number('jobs', 1), number('budget', 0)];
const { area } = values;
if (area !== undefined && !(area in AREAS)) usage(`There is no area ${area}.`);

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const began = performance.now();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endAll(); // the runs end as failures, and with them this one
    void globalTeardown().finally(() => process.exit(1));
  });
process.once('exit', endAll); // what was started after that

await globalSetup();
try {
  const { unusable, verdicts } = await mutationRun({
    root,
    ...filesOf(root, area),
    seed,
    count,
    jobs,
    budgetMs: budget * 1000,
    equivalents: readEquivalents(),
    cache: join(root, 'node_modules', '.cache', 'dialhook', 'coverage'),
    progress: (line) => console.error(line),
  });
  const equivalent = verdicts.filter((verdict) => verdict.equivalent !== undefined);
  const killed = verdicts.filter(({ killedBy }) => killedBy !== null);
  const survived = verdicts.filter((verdict) => verdict.killedBy === null && verdict.equivalent === undefined);
  const report = {
    area: area ?? 'all',
    seed,
    count,
    budgetSeconds: budget,
    commit: git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--', 'packages', 'tools') === '' ? '' : ' and changes'),
    node: process.version,
    seconds: Math.round((performance.now() - began) / 1000),
    totals: { killed: killed.length, survived: survived.length, equivalent: equivalent.length },
    unusable,
    survived,
    equivalent,
    killed,
  };
  const path = values.report ?? join(root, 'tools', 'mutate', 'reports', `${report.area}-seed${seed}-count${count}.json`);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  console.error(`report: ${path}, ${report.seconds} s`);
  console.log(`killed ${killed.length}`);
  console.log(`survived ${survived.length}`);
} finally {
  await globalTeardown();
}

function usage(problem: string): never {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
}
