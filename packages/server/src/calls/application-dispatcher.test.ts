import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { shareOut } from './application-dispatcher.ts';

test('room is shared by organizations, then by workflows', () => {
  const waiting = ['a1', 'a2', 'a3', 'b1', 'c1'].map((workflowId) => ({ organizationId: workflowId[0]!, workflowId }));
  const asGiven = <Item>(items: Item[]) => items;
  const shares = (room: number) => Object.fromEntries(shareOut(waiting, room, asGiven).map(({ share, workflowId }) => [workflowId, share]));
  assert.deepEqual(shares(32), { a1: 4, a2: 4, a3: 3, b1: 11, c1: 10 });
  assert.deepEqual(shares(2), { a1: 1, b1: 1 });
  assert.deepEqual(shareOut([], 32), []);
});
