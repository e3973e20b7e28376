import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { EngineError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { Inbox } from './inbox.ts';

const events = (organizationId: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: String(n), organizationId, type: 'a', data: '1', occurredAt: 0 }));
const isFull = (error: unknown) => error instanceof EngineError && error.code === 'inbox_full';

test('an organization fills its share of the inbox and not that of the others; what was refused is not stored', async () => {
  const stored: string[] = [];
  const gate = Promise.withResolvers<void>();
  const inbox = new Inbox({
    publish: async (batch) => {
      await gate.promise;
      stored.push(...batch.map(({ organizationId }) => organizationId));
    },
    concurrency: 1,
    maxBytes: Number.MAX_SAFE_INTEGER,
    monotonic: () => 0,
  });
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

test('publishing that stays late refuses those who sent most of what waits, and nobody else; one stall refuses nobody', async () => {
  let now = 0;
  let gate = Promise.withResolvers<void>();
  const inbox = new Inbox({
    publish: () => gate.promise,
    concurrency: 1,
    maxBytes: Number.MAX_SAFE_INTEGER,
    monotonic: () => now,
  });
  const accepted: Promise<void>[] = [];
  const add = (organizationId: string, count: number) => void accepted.push(inbox.add(events(organizationId, count)));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  add('flood', 1);
  await turn(); // its statement is under way, and stalls
  add('flood', LIMITS.publishBatch);
  now = LIMITS.lateMs + LIMITS.lateForMs + 1;
  add('flood', 1); // old, and not more than one statement
  now += LIMITS.lateForMs;
  add('flood', 1); // late from here on
  now += LIMITS.lateForMs - 1;
  add('calm', 1);
  add('flood', 1);
  now += 1;
  const before = inbox.waiting;
  await assert.rejects(inbox.add(events('flood', 1)), isFull);
  await assert.rejects(inbox.add([...events('calm', 1), ...events('flood', 1)]), isFull);
  assert.equal(inbox.waiting, before, 'nothing of what was refused waits');
  add('calm', 1);
  add('third', 1);
  gate.resolve();
  gate = Promise.withResolvers();
  gate.resolve();
  await Promise.all(accepted);
  assert.equal(inbox.waiting, 0);
  await inbox.add(events('flood', 1));
});

test('what comes while a statement is under way waits a moment for others, and is written at once when that has ended', async () => {
  const sizes: number[] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const inbox = new Inbox({
    publish: (batch) => gates[sizes.push(batch.length) - 1]!.promise,
    concurrency: 2,
    maxBytes: Number.MAX_SAFE_INTEGER,
    monotonic: () => performance.now(),
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const first = inbox.add(events('a', 1));
  await turn();
  assert.deepEqual(sizes, [1], 'nobody waits on an idle node');
  const second = [inbox.add(events('a', 1)), inbox.add(events('b', 2))];
  gates[0]!.resolve();
  await first;
  assert.deepEqual(sizes, [1, 3]);
  gates[1]!.resolve();
  await Promise.all(second);
});

test('draining waits for what is on its way to the disk', async () => {
  const gate = Promise.withResolvers<void>();
  const inbox = new Inbox({
    publish: () => gate.promise,
    concurrency: 1,
    maxBytes: Number.MAX_SAFE_INTEGER,
    monotonic: () => performance.now(),
  });
  const accepted = inbox.add(events('one', 1));
  let isDrained = false;
  const drained = inbox.drained().then(() => (isDrained = true));
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isDrained, false);
  gate.resolve();
  await Promise.all([accepted, drained]);
  assert.equal(inbox.waiting, 0);
});
