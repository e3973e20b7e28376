import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { branchOf, delayMs, entryOf, nextOf, OPERATORS, type Graph } from './graph.ts';
import type { WorkflowNode } from './model.ts';

const node = (id: string, type: WorkflowNode['type'], config: Record<string, unknown> = {}): WorkflowNode => ({
  id,
  type,
  label: id,
  positionX: 0,
  positionY: 0,
  config,
});
const lead = { metadata: JSON.stringify({ plan: ' Pro ', seats: 12, trial: true, note: '', code: '007' }), phoneNumber: '+447700900123' };
const lastCall = { status: 'completed', end_reason: 'user_disconnected', duration_seconds: 60, sentiment: null } as const;

/** Whether the condition holds for the lead above. */
const CONDITIONS: readonly [string, (typeof OPERATORS)[number], string | number | boolean | undefined, boolean][] = [
  ['plan', 'exists', undefined, true],
  ['note', 'exists', undefined, false],
  ['nothing', 'exists', undefined, false],
  ['plan', 'equals', 'PRO', true],
  ['plan', 'equals', 'free', false],
  ['seats', 'equals', 12, true],
  ['seats', 'equals', '12.0', true],
  ['code', 'equals', 7, true],
  ['trial', 'equals', true, true],
  ['nothing', 'equals', '', false],
  ['note', 'equals', 0, false],
  ['plan', 'not_equals', 'free', true],
  ['plan', 'not_equals', 'pro', false],
  ['nothing', 'not_equals', 'pro', true],
  ['plan', 'contains', 'RO', true],
  ['plan', 'contains', 'free', false],
  ['plan', 'contains', '', false],
  ['phone_number', 'contains', '7700', true],
  ['seats', 'greater_than', 11, true],
  ['seats', 'greater_than', 12, false],
  ['seats', 'greater_than', 9, true], // as numbers: as text, "12" is below "9"
  ['plan', 'greater_than', 1, false],
  ['nothing', 'greater_than', -1, false],
  ['seats', 'less_than', 13, true],
  ['seats', 'less_than', 12, false],
  ['seats', 'less_than', '100', true],
  ['nothing', 'less_than', 1, false],
  ['call.duration_seconds', 'greater_than', 59, true],
  ['call.status', 'equals', 'completed', true],
  ['call.sentiment', 'exists', undefined, false],
];

test('every operator, with what holds and what does not', () => {
  assert.deepEqual(new Set(CONDITIONS.map(([, operator]) => operator)), new Set(OPERATORS));
  for (const [field, operator, value, holds] of CONDITIONS) {
    const asked = node('a', 'CONDITIONAL', { conditions: [{ field, operator, ...(value !== undefined && { value }) }] });
    assert.equal(branchOf(asked, { ...lead, lastCall }), String(holds), `${field} ${operator} ${value}`);
    const branch = node('a', 'CONDITIONAL', {
      condition_field: field,
      branches: [{ label: 'it', operator, ...(value !== undefined && { value }) }],
    });
    if (operator !== 'exists' && value !== '') assert.equal(branchOf(branch, { ...lead, lastCall }), holds ? 'it' : '', `branch ${field}`);
  }
});

test('all conditions, or any of them', () => {
  const [yes, no] = [
    { field: 'plan', operator: 'equals', value: 'pro' },
    { field: 'plan', operator: 'equals', value: 'free' },
  ];
  const holds = (match: 'all' | 'any' | undefined, ...conditions: object[]) =>
    branchOf(node('a', 'CONDITIONAL', { ...(match && { match }), conditions }), { ...lead, lastCall: null });
  assert.deepEqual(
    [holds('all', yes, no), holds(undefined, yes, no), holds('any', yes, no), holds('all', yes, yes), holds('any', no, no)],
    ['false', 'false', 'true', 'true', 'false'],
  );
});

test('the first branch that fits is taken; a name alone is compared with the field; none is an empty one', () => {
  const branches = ['free', { label: 'large', operator: 'contains', value: 'r' }, 'pro', { label: 'any', operator: 'exists' }];
  const of = (plan: unknown, given: unknown[] = branches) =>
    branchOf(node('a', 'CONDITIONAL', { condition_field: 'plan', branches: given }), {
      phoneNumber: lead.phoneNumber,
      metadata: JSON.stringify({ plan }),
      lastCall: null,
    });
  assert.deepEqual(
    [of('FREE'), of('pro'), of('pro', ['pro', ...branches]), of('team'), of(undefined)],
    ['free', 'large', 'pro', 'any', ''],
  );
});

test('edges: the first that fits, the special outcome before the general, unlabelled ones for everything', () => {
  const nodes = new Map(['a', 'b', 'c', 'd', 'e'].map((id) => [id, node(id, 'TIME')]));
  const graph = (...edges: [string, string, string | null][]): Graph => ({
    nodes,
    edges: edges.map(([from, to, label], n) => ({ id: String(n), from, to, label })),
  });
  const next = (given: Graph, outcomes: string[] | null) => {
    const found = nextOf(given, 'a', outcomes);
    return typeof found === 'string' ? found : found.id;
  };
  const labelled = graph(
    ['b', 'e', 'completed'],
    ['a', 'b', 'No_Answer '],
    ['a', 'c', 'voicemail'],
    ['a', 'd', null],
    ['a', 'e', 'FAILED'],
  );
  assert.equal(next(labelled, ['NO_ANSWER']), 'b');
  assert.equal(next(labelled, ['VOICEMAIL', 'COMPLETED']), 'c');
  assert.equal(next(labelled, ['VOICEMAIL', 'NO_ANSWER']), 'c');
  assert.equal(next(labelled, ['FAILED']), 'd', 'the unlabelled one stands before it');
  assert.equal(next(labelled, null), 'b', 'whoever has no outcome takes the first');
  assert.equal(next(graph(['a', 'b', 'DNP']), ['NO_ANSWER']), 'b');
  assert.equal(next(graph(['a', 'b', 'pro'], ['a', 'c', 'free']), ['']), 'stuck');
  assert.equal(next(graph(['a', 'b', 'pro'], ['a', 'c', null]), ['']), 'c');
  assert.equal(next(graph(['b', 'c', null]), null), 'end');
  assert.equal(nextOf(labelled, 'gone', null), 'stuck');
});

test('the entry is the only node that nothing leads to; delays are what their unit says', () => {
  const [a, b] = [node('a', 'TIME'), node('b', 'CONVERTED')];
  const nodes = new Map([a, b].map((one) => [one.id, one]));
  assert.equal(entryOf({ nodes, edges: [{ id: '1', from: 'a', to: 'b', label: null }] })?.id, 'a');
  assert.equal(entryOf({ nodes, edges: [] }), null);
  const delay = (config: Record<string, unknown>) => delayMs(node('a', 'TIME', config));
  assert.deepEqual(
    [
      { delay_hours: 2 },
      { duration_value: 90, unit: 'minutes' },
      { duration_value: 3, unit: 'hours' },
      { duration_value: 2, unit: 'days' },
      { duration_value: 3 },
    ].map(delay),
    [7_200_000, 5_400_000, 10_800_000, 172_800_000, null],
  );
});
