import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/**
 * The tables of bench/README.md against the raw values that the benchmarks wrote: every number that was measured is a value of
 * the file, or a median of values in it, and no file is without its table.
 */

const page = readFileSync(new URL('../bench/README.md', import.meta.url), 'utf8');
const fileOf = (name: string) => new URL(`../bench/results/${name}.json`, import.meta.url);
const resultOf = (name: string) => JSON.parse(readFileSync(fileOf(name), 'utf8')) as Record<string, unknown>;

/** The first table of a text, as rows of cells by their column. */
function firstTable(text: string): Record<string, string>[] {
  const [lines = ''] = /(?:^\|.*\n)+/m.exec(text) ?? [];
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [head = '', , ...rows] = lines.trim().split('\n');
  const columns = cells(head);
  return rows.map((row) => Object.fromEntries(cells(row).map((cell, index) => [columns[index], cell])));
}

/** All numbers of a result, and the medians of all lists of numbers and of the numbers in lists of objects. */
function measured(value: unknown, into = new Set<number>()): ReadonlySet<number> {
  if (typeof value === 'number') into.add(value);
  else if (Array.isArray(value)) {
    const lists = new Map<string, number[]>();
    const note = (name: string, one: unknown) => {
      if (typeof one === 'number') lists.set(name, [...(lists.get(name) ?? []), one]);
    };
    for (const one of value as unknown[]) {
      note('', one);
      if (typeof one === 'object' && one !== null) for (const [name, field] of Object.entries(one)) note(name, field);
    }
    for (const list of lists.values()) into.add(median(list));
    for (const one of value) measured(one, into);
  } else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) measured(one, into);
  return into;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const isMeasured = (column: string, cell: string) => !['what', 'goal', 'rounds'].includes(column) && /^-?\d+(\.\d+)?$/.test(cell);

function strangers(table: readonly Record<string, string>[], values: ReadonlySet<number>): string[] {
  return table.flatMap((row) =>
    Object.entries(row)
      .filter(([column, cell]) => isMeasured(column, cell))
      .filter(([, cell]) => {
        const half = 10 ** -(cell.split('.')[1]?.length ?? 0) / 2;
        return ![...values].some((value) => Math.abs(value - Number(cell)) <= half + 1e-9);
      })
      .map(([column, cell]) => `${Object.values(row)[0]}, ${column}: ${cell}`),
  );
}

const [, results = ''] = page.split('\n## Results\n');
const sections = results.split(/^`npm run bench -- (\w+)`/m).slice(1);
const names = sections.filter((_, index) => index % 2 === 0);

for (const [index, name] of names.entries()) {
  test(`the table of ${name} holds what was measured`, () => {
    const table = firstTable(sections[2 * index + 1]!);
    assert.ok(table.length > 0, 'there is a table');
    assert.ok(existsSync(fileOf(name)), `bench/results/${name}.json`);
    assert.deepEqual(strangers(table, measured(resultOf(name))), []);
  });
}

test('the table of chaos runs holds what the runs said', () => {
  const table = firstTable(page.slice(page.indexOf('Six seeds'), page.indexOf('\n## Results\n')));
  assert.ok(table.length >= 6);
  for (const row of table) {
    const { report } = resultOf(`chaos-${row.seed}`) as {
      report: { seed: number; good: boolean; faults: Record<string, number>; verdict: Verdict };
    };
    const { delivered, givenUp, repeats, unexplained } = report.verdict;
    assert.deepEqual(row, {
      seed: String(report.seed),
      kills: String(report.faults.kill),
      promotions: String(report.faults.promotion),
      crashes: String(report.faults.crash),
      delivered: String(delivered),
      'given up': String(givenUp),
      'repeats, each with its cause': String(Object.values(repeats).reduce((sum, count) => sum + count, 0)),
      unexplained: String(unexplained.length),
      good: report.good ? 'yes' : 'no',
    });
  }
});

interface Verdict {
  delivered: number;
  givenUp: number;
  repeats: Record<string, number>;
  unexplained: unknown[];
}

test('every result that is kept has its table', () => {
  const kept = readdirSync(new URL('../bench/results/', import.meta.url)).map((file) => file.replace(/\.json$/, ''));
  const shown = new Set([...names, ...firstTable(page.slice(page.indexOf('Six seeds'))).map(({ seed }) => `chaos-${seed}`)]);
  assert.deepEqual(
    kept.filter((name) => !shown.has(name)),
    [],
  );
});

test('a number that nobody measured is found', () => {
  const values = measured({ raw: { 'one node': [10.2, 30.7, 20.4] }, rounds: [{ p99: 1 }, { p99: 3 }, { p99: 9 }] });
  const row = { what: 'one node', 'deliveries/s': '20', p99: '3', goal: '100', note: 'none' };
  assert.deepEqual(strangers([row], values), []);
  assert.deepEqual(strangers([{ ...row, 'deliveries/s': '21', p99: '9.1' }], values), ['one node, deliveries/s: 21', 'one node, p99: 9.1']);
});
