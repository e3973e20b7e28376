import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { DATABASE_KINDS, FakeClock, freshDatabase } from '@dialhook/testing';
import { sweepCallWindows } from '../../accounts/store/call-windows.ts';
import { DIALNEXA_RATE, RateLimit } from './rate-limit.ts';

const { callsPerWindow: LIMIT, callWindowMs } = DIALNEXA_RATE;
const ROW = { text: 'select api_key_id, ends_at, calls from call_windows where api_key_id = $1' };

for (const kind of DATABASE_KINDS) {
  describe(kind, () => {
    test('calls of a key are counted once over all nodes, in windows that begin anew; another key is untouched', async (t) => {
      const { close, database } = await freshDatabase(kind);
      t.after(close);
      const clock = new FakeClock();
      const nodes = [new RateLimit(database, clock), new RateLimit(database, clock)];
      const [key, bystander] = [randomUUID(), randomUUID()];
      await nodes[0]!.take(bystander);
      const before = await database.query({ ...ROW, values: [bystander] });

      const calls = LIMIT + 7;
      const began = clock.now();
      const states = await Promise.all(Array.from({ length: calls }, (_, n) => nodes[n % 2]!.take(key)));
      assert.equal(states.filter(({ isExceeded }) => isExceeded).length, calls - LIMIT);
      const remaining = states.filter(({ isExceeded }) => !isExceeded).map((state) => state.remaining);
      assert.deepEqual(
        remaining.sort((a, b) => a - b),
        Array.from({ length: LIMIT }, (_, n) => n),
        'each says a number of its own',
      );
      for (const { limit, reset } of states) assert.deepEqual([limit, reset], [LIMIT, Math.ceil((began + callWindowMs) / 1000)]);

      // Both know by now, or hear it at once; the database is not written to for a key that goes on calling.
      for (const node of nodes) await node.take(key);
      const [full] = await database.query({ ...ROW, values: [key] });
      for (const node of nodes) assert.deepEqual((await node.take(key)).isExceeded, true);
      assert.deepEqual(await database.query({ ...ROW, values: [key] }), [full]);

      clock.advance(callWindowMs);
      for (const [n, node] of nodes.entries()) {
        const { isExceeded, remaining, reset } = await node.take(key);
        assert.deepEqual([isExceeded, remaining, reset], [false, LIMIT - 1 - n, Math.ceil((clock.now() + callWindowMs) / 1000)]);
      }
      assert.deepEqual(await database.query({ ...ROW, values: [bystander] }), before);

      await sweepCallWindows(database, new Date(clock.now()));
      assert.equal((await database.query({ ...ROW, values: [key] })).length, 1, 'its window goes on');
      assert.equal((await database.query({ ...ROW, values: [bystander] })).length, 0, 'this one has ended');
    });
  });
}
