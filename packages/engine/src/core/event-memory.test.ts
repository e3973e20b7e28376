import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { EventMemory } from './event-memory.ts';

const event = (bytes: number) => ({ id: '1', organizationId: 'o', type: 'a', data: 'x'.repeat(bytes), occurredAt: 0, encoded: undefined });
/** Text and body of the data, and what an event takes beside them. */
const taken = (bytes: number) => 2 * bytes + 512;

test('an event counts once, however many deliveries share it, and until the last of them is done', () => {
  const memory = new EventMemory();
  const [shared, other] = [event(100), event(50)];
  for (const endpointId of ['one', 'two']) memory.hold({ endpointId, event: shared });
  memory.hold({ endpointId: 'one', event: other });
  assert.equal(memory.bytes, taken(100) + taken(50));
  memory.drop({ endpointId: 'one', event: shared });
  assert.equal(memory.bytes, taken(100) + taken(50));
  memory.drop({ endpointId: 'two', event: shared });
  assert.equal(memory.bytes, taken(50));
  memory.drop({ endpointId: 'two', event: shared }); // not held any more
  assert.equal(memory.bytes, taken(50));
  assert.deepEqual([...memory.large], [], 'small ones are not counted for endpoints');
});

test('large events are counted for each endpoint that waits for them; umlauts are two bytes', () => {
  const memory = new EventMemory();
  const [edge, below, wide] = [event(7_936), event(7_935), { ...event(0), data: 'ü'.repeat(10_000) }];
  assert.equal(taken(7_936), 16 * 1024);
  for (const endpointId of ['one', 'two']) memory.hold({ endpointId, event: edge });
  memory.hold({ endpointId: 'one', event: wide });
  memory.hold({ endpointId: 'one', event: below });
  assert.deepEqual(
    [...memory.large],
    [
      ['one', taken(7_936) + taken(20_000)],
      ['two', taken(7_936)],
    ],
  );
  memory.drop({ endpointId: 'one', event: edge });
  memory.drop({ endpointId: 'two', event: edge });
  assert.deepEqual([...memory.large], [['one', taken(20_000)]]);
  assert.equal(memory.bytes, taken(20_000) + taken(7_935));
});
