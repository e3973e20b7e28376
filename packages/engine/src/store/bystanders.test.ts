import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, EngineWorld, freshDatabase, type TestDatabase } from '@dialhook/testing';
import { Engine, Sealer, standard } from '../index.ts';
import { CHANGES } from './changes.fixture.ts';
import { READS } from './reads.fixture.ts';

for (const kind of DATABASE_KINDS) {
  describe(`statements and their bystanders on ${kind}`, () => {
    let place: TestDatabase;
    let world: EngineWorld;
    before(async () => {
      place = await freshDatabase(kind);
      const engine = new Engine({ database: place.database, dialects: [standard], sealer: new Sealer(Buffer.alloc(32)), deliver: false });
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

    for (const [what, read, expected] of READS)
      test(`${what}: one’s own`, async () => assert.deepEqual((await world.changes((tx) => read(tx, world))).result, expected));
  });
}
