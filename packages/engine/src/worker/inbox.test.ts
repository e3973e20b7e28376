import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { EngineError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { Inbox } from './inbox.ts';

test('an organization fills its share of the inbox and not that of the others; what was refused is not stored', async () => {
  const stored: string[] = [];
  const gate = Promise.withResolvers<void>();
  const inbox = new Inbox(
    async (events) => {
      await gate.promise;
      stored.push(...events.map(({ organizationId }) => organizationId));
    },
    1,
    Number.MAX_SAFE_INTEGER,
  );
  const events = (organizationId: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ id: String(n), organizationId, type: 'a', data: '1', occurredAt: 0 }));
  const isFull = (error: unknown) => error instanceof EngineError && error.code === 'inbox_full';
  const share = LIMITS.inboxEventsOfOne;
  const accepted = Array.from({ length: share / 100 }, () => inbox.add(events('flood', 100)));
  await assert.rejects(inbox.add(events('flood', 1)), isFull);
  await assert.rejects(inbox.add([...events('calm', 1), ...events('flood', 1)]), isFull);
  accepted.push(inbox.add(events('calm', share)));
  assert.equal(inbox.waiting, LIMITS.inboxEvents);
  await assert.rejects(inbox.add(events('third', 1)), isFull);
  gate.resolve();
  await Promise.all(accepted);
  assert.equal(stored.filter((id) => id === 'flood').length, share);
  assert.equal(stored.filter((id) => id === 'calm').length, share);
  assert.equal(inbox.waiting, 0);
  await inbox.add(events('flood', share));
  assert.equal(stored.length, 3 * share);
});
