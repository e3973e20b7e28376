import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { filesOf } from './mutate/areas.ts';
import { readEquivalents } from './mutate/equivalents.ts';
import { apply, mutationsOf, parses } from './mutate/mutations.ts';
import { mutationRun, type MutationRunOptions } from './mutate/run.ts';
import { sample } from './mutate/sample.ts';
import { sqlConditions } from './mutate/sql-conditions.ts';
import { runTest } from './mutate/test-run.ts';
import { copyTree } from './mutate/tree.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const fixture = fileURLToPath(new URL('mutate/fixture', import.meta.url));

test('a mistake that a test notices is killed, one that is only run or never run survives, a judged one is neither', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'dialhook-mutate-test-'));
  const lines: string[] = [];
  const options: MutationRunOptions = {
    root: fixture,
    sources: ['fares.ts'],
    tests: ['fares.test.ts'],
    seed: 1,
    count: 100,
    jobs: 1,
    budgetMs: 60_000,
    cache,
    equivalents: [
      { file: 'fares.ts', source: 'return tickets * 3;', change: '3 -> 4', reason: 'an example' },
      { file: 'fares.ts', source: 'return tickets * 3;', change: '* -> /', reason: 'an example' },
    ],
    progress: (line) => lines.push(line),
  };
  try {
    const before = readFileSync(join(fixture, 'fares.ts'), 'utf8');
    const { unusable, verdicts } = await mutationRun(options);
    assert.deepEqual(unusable, []);
    assert.deepEqual(
      verdicts.map(({ covering, equivalent, killedBy, line }) => ({
        line,
        covering,
        killedBy: killedBy?.replace(/ \(.*/, '') ?? null,
        equivalent,
      })),
      [
        { line: 3, covering: 1, killedBy: 'fares.test.ts: children pay half', equivalent: undefined },
        { line: 7, covering: 1, killedBy: null, equivalent: undefined },
        { line: 12, covering: 0, killedBy: null, equivalent: 'an example' },
      ],
    );
    assert.equal(lines.filter((line) => line.startsWith('recorded')).length, 1);
    assert.equal(readFileSync(join(fixture, 'fares.ts'), 'utf8'), before, 'mistakes are made in copies');

    lines.length = 0;
    const { verdicts: again } = await mutationRun({ ...options, equivalents: [] });
    assert.deepEqual(
      again.map(({ change }) => change),
      verdicts.map(({ change }) => change),
      'a seed names its mistakes',
    );
    assert.deepEqual(
      again.map(({ equivalent }) => equivalent),
      [undefined, undefined, undefined],
    );
    assert.ok(!lines.some((line) => line.startsWith('recorded')), 'what a test runs is recorded once');
  } finally {
    rmSync(cache, { recursive: true });
  }
});

test('a test that never ends is ended, and nothing is left of its tree', async () => {
  const tree = copyTree(fixture);
  const { failure, passed } = await runTest(tree, 'endless.test.ts', { timeoutMs: 2_000 });
  assert.deepEqual({ failure, passed }, { failure: 'no end within 2 s', passed: false });
  tree.remove();
  assert.throws(() => readdirSync(tree.root));
});

test('every condition of a statement can be left out, whatever stands around it', () => {
  const conditions = (sql: string) => sqlConditions(sql).map(({ end, start }) => sql.slice(start, end));
  assert.deepEqual(conditions("'select 1 from t where a = $1 and b between $2 and $3 and (c or d) order by e'"), [
    'a = $1',
    'b between $2 and $3',
    '(c or d)',
  ]);
  assert.deepEqual(
    conditions('`update t set a = case when b and c then 1 else 2 end from u join v on v.id = u.id where t.id = u.id -- and so on\n`'),
    ['v.id = u.id', 't.id = u.id'],
  );
  assert.deepEqual(conditions('`select 1 from t where id in (select id from u where x and not y) ${lock ? "for update" : ""}`'), [
    'id in (select id from u where x and not y)',
    'x',
    'not y',
  ]);
  assert.deepEqual(conditions('`insert into t select 1 where a on conflict (id) where b do update set c = 1 where d`'), ['a', 'd']);
  assert.deepEqual(conditions('` and version = $${values.push(version)}`'), ['version = $${values.push(version)}']);
});

test('mistakes are of every kind, in code alone, and log lines are left alone', () => {
  const text = `type T = { a: 1 };
export async function f(this: T, a: number, b: boolean): Promise<number> {
  if (b && !(a >= 10)) return await g(a * 100);
  this.log.info({ a }, 'said');
  a = 1;
  return a === 1 ? 0 : 5;
}
const Q = \`select 1 from t where a order by b desc\`;
`;
  assert.deepEqual(
    mutationsOf('x/store/x.ts', text).map(({ change, kind, line }) => `${line} ${kind}: ${change}`),
    [
      '3 condition negated: b && !(a >= 10) -> !(b && !(a >= 10))',
      '3 and/or swapped: && -> ||',
      '3 condition negated: !(a >= 10) -> (a >= 10)',
      '3 boundary moved: >= -> >',
      '3 constant changed: 10 -> 11',
      '3 await left out: await g(a * 100) -> g(a * 100)',
      '3 arithmetic swapped: * -> /',
      '3 constant changed: 100 -> 1000',
      '5 statement left out: a = 1; -> ;',
      '5 constant changed: 1 -> 2',
      '6 condition negated: a === 1 -> !(a === 1)',
      '6 condition negated: === -> !==',
      '6 constant changed: 1 -> 2',
      '6 constant changed: 0 -> 1',
      '6 constant changed: 5 -> 6',
      '8 condition of SQL left out: a -> (a or true)',
      '8 order reversed: desc -> asc',
    ],
  );
  assert.equal(mutationsOf('x/x.ts', text).length, 15, 'SQL stands in store folders alone');
});

test('a seed draws lines, one mistake on each, and none that is no program', () => {
  const text = 'export const all = [1 < 2, 3 < 4,\n  5,\n  6];\n';
  const mutations = mutationsOf('x.ts', text);
  const draw = (seed: number, count = 10) => sample(mutations, seed, count, (mutation) => !mutation.change.startsWith('6'));
  assert.deepEqual(draw(3), draw(3));
  assert.deepEqual(new Set(draw(3).map(({ line }) => line)), new Set([1, 2]));
  assert.equal(draw(3, 1).length, 1);
  assert.equal(new Set(Array.from({ length: 20 }, (_, seed) => JSON.stringify(draw(seed)))).size > 3, true);
  assert.ok(mutations.every((mutation) => parses('x.ts', apply(text, mutation))));
  assert.ok(!parses('x.ts', 'const = 1;'));
});

test('what was judged to change nothing still stands in the code, with a reason', () => {
  const { sources } = filesOf(root, undefined);
  for (const { change, file, reason, source } of readEquivalents()) {
    assert.ok(sources.includes(file), file);
    const mutations = mutationsOf(file, readFileSync(join(root, file), 'utf8'));
    assert.ok(
      mutations.some((mutation) => mutation.source === source && mutation.change === change),
      `${file}: ${source}: ${change}`,
    );
    assert.ok(reason.length > 20, `${file}: ${source}: say why`);
  }
});
