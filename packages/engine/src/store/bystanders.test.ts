import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, EngineWorld, freshDatabase, type TestDatabase } from '@dialhook/testing';
import { DialectRegistry } from '../core/dialect.ts';
import { Engine, Sealer, standard, type Database, type Transaction } from '../index.ts';
import { previewRequest } from '../preview.ts';
import { CHANGES } from './changes.fixture.ts';
import { READS } from './reads.fixture.ts';
import { stepReplay } from './replays.ts';

const sealer = new Sealer(Buffer.alloc(32));

for (const kind of DATABASE_KINDS) {
  describe(`statements and their bystanders on ${kind}`, () => {
    let place: TestDatabase;
    let world: EngineWorld;
    before(async () => {
      place = await freshDatabase(kind);
      const engine = new Engine({ database: place.database, dialects: [standard], sealer, deliver: false });
      await engine.start(); // makes the partitions
      await engine.stop();
      world = await EngineWorld.make(place.database);
    });
    after(() => place.close());

    for (const [what, act, expected, changes] of CHANGES)
      test(`${what}: that, and nothing else`, async () => {
        const made = await world.changes((tx) => act(tx, world));
        assert.deepEqual(made, { result: expected, changes });
      });

    test('nodes that step replays at once take different ones, and wait for nobody', async (t) => {
      if (kind === 'embedded') return t.diagnostic('one session: nobody is at it at once');
      const { database } = place;
      const step = (tx: Transaction) => stepReplay(tx, 1, world.now);
      const taken: (string | null)[] = [];
      const undone = new Error('undone');
      const nested = database.transaction(async (one) => {
        taken.push(await step(one));
        await database
          .transaction(async (two) => {
            taken.push(await step(two));
            taken.push(await database.transaction(step));
            throw undone;
          })
          .catch((error: unknown) => assert.equal(error, undone));
        throw undone;
      });
      await assert.rejects(nested, undone);
      assert.deepEqual(new Set(taken), new Set([world.id('ours'), world.id('theirs'), null]));
    });

    test('the request of a delivery that is gone, another’s, or without endpoint, event or dialect is null', async () => {
      const { result } = await world.changes(async (tx) => {
        await tx.query({ text: 'delete from events where id = $1', values: [world.id('ours/event-b')] });
        const parts = {
          database: tx as unknown as Database,
          dialects: new DialectRegistry([standard]),
          sealer,
          retryDelayScale: 1,
          now: 0,
        };
        const found: unknown[] = [];
        for (const name of ['theirs/delivered', 'ours/event', 'ours/orphan', 'ours/typed', 'ours/waiting'])
          found.push(await previewRequest(parts, world.id('ours'), world.id(name)));
        return found;
      });
      assert.deepEqual(result, [null, null, null, null, null]);
    });

    for (const [what, read, expected] of READS)
      test(`${what}: one’s own`, async () => assert.deepEqual((await world.changes((tx) => read(tx, world))).result, expected));
  });
}
