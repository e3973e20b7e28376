import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, hashOf, World, WORLD_NOW, type TestDatabase } from '@dialhook/testing';
import { beginCall, finishCall, forgetCall, sweepCalls } from './idempotency-keys.ts';

const at = (ms: number) => new Date(WORLD_NOW + ms);
const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;

for (const kind of DATABASE_KINDS) {
  describe(`idempotency keys in the ${kind} database`, () => {
    let place: TestDatabase;
    let world: World;
    before(async () => {
      place = await freshDatabase(kind);
      world = await World.make(place.database);
    });
    after(() => place.close());

    /** The keys `mine` and `other` were begun at the same time with the same call, and not finished. */
    test('a call is done once for its key, and again by whoever finds it abandoned', () =>
      world.trial(async ({ rows, tx }) => {
        const [call, another] = [hashOf('a call'), hashOf('another call')];
        const underWay = { fingerprint: call, status: null, sealedBody: null };
        const begin = (key: string, fingerprint: Buffer, abandonedBefore: Date) => beginCall(tx, key, fingerprint, at(5), abandonedBefore);
        assert.deepEqual(await begin('mine', call, at(0)), underWay, 'it is being done');
        assert.deepEqual(await begin('mine', another, at(1)), underWay, 'it is another call');
        assert.deepEqual(await rows.changes(), {});
        assert.equal(await begin('mine', call, at(1)), null);
        assert.deepEqual(await rows.changes(), { 'idempotency_keys mine': { created_at: at(5).toISOString() } });
        assert.equal(await begin('new', another, at(0)), null);
        const made = { key: 'new', fingerprint: hex(another), status: null, sealed_body: null, created_at: at(5).toISOString() };
        assert.deepEqual(await rows.changes(), { 'idempotency_keys new': made });

        await finishCall(tx, 'mine', 201, Buffer.from('sealed'));
        assert.deepEqual(await rows.changes(), { 'idempotency_keys mine': { status: 201, sealed_body: hex(Buffer.from('sealed')) } });
        const done = { fingerprint: call, status: 201, sealedBody: Buffer.from('sealed') };
        assert.deepEqual(await begin('mine', call, at(9)), done, 'a finished call is never abandoned');
        assert.deepEqual(await rows.changes(), {});
        await forgetCall(tx, 'mine');
        assert.deepEqual(await rows.changes(), { 'idempotency_keys mine': null });
        await sweepCalls(tx, at(5));
        assert.deepEqual(await rows.changes(), { 'idempotency_keys other': null });
      }));
  });
}
