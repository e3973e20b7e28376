import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { before, isFinal, type StateTable } from '../states.ts';
import {
  CALL_TRANSITIONS,
  CAMPAIGN_LEAD_TRANSITIONS,
  CAMPAIGN_TRANSITIONS,
  WORKFLOW_LEAD_TRANSITIONS,
  WORKFLOW_TRANSITIONS,
} from './states.ts';

/** Every pair of states that may follow each other, as text. */
function pairs<State extends string>(table: StateTable<State>): string[] {
  const states = Object.keys(table) as State[];
  return states.flatMap((from) => states.filter((to) => table[from].includes(to)).map((to) => `${from} > ${to}`));
}

test('the tables of states say what the contract says, pair by pair', () => {
  assert.deepEqual(pairs(CAMPAIGN_TRANSITIONS), [
    'draft > active',
    'draft > cancelled',
    'active > running',
    'active > paused',
    'active > completed',
    'active > cancelled',
    'running > paused',
    'running > completed',
    'running > cancelled',
    'paused > active',
    'paused > running',
    'paused > completed',
    'paused > cancelled',
  ]);
  assert.deepEqual(pairs(CAMPAIGN_LEAD_TRANSITIONS), [
    'pending > in_progress',
    'pending > removed',
    'in_progress > pending',
    'in_progress > completed',
    'in_progress > failed',
    'in_progress > removed',
    'completed > removed',
    'failed > removed',
  ]);
  assert.deepEqual(pairs(WORKFLOW_TRANSITIONS), [
    'draft > active',
    'draft > cancelled',
    'active > paused',
    'active > cancelled',
    'paused > active',
    'paused > cancelled',
  ]);
  assert.deepEqual(pairs(WORKFLOW_LEAD_TRANSITIONS), [
    'pending > in_progress',
    'pending > removed',
    'in_progress > completed',
    'in_progress > dropped',
    'in_progress > failed',
    'in_progress > removed',
    'dropped > removed',
    'failed > removed',
  ]);
  const progress = ['created', 'initiated', 'sent', 'received'] as const;
  for (const [index, from] of progress.entries()) {
    assert.deepEqual(
      CALL_TRANSITIONS[from].slice(0, progress.length - 1 - index),
      progress.slice(index + 1),
      'progress goes forward alone',
    );
    assert.ok(CALL_TRANSITIONS[from].includes('completed'));
  }
});

test('a final state leads nowhere, and every state but the first can be reached', () => {
  for (const table of [
    CALL_TRANSITIONS,
    CAMPAIGN_TRANSITIONS,
    CAMPAIGN_LEAD_TRANSITIONS,
    WORKFLOW_LEAD_TRANSITIONS,
  ] as StateTable<string>[]) {
    const [first, ...rest] = Object.keys(table);
    assert.ok(!isFinal(table, first!));
    for (const state of rest) assert.ok(before(table, state).length > 0, `${state} cannot be reached`);
  }
});
