import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase } from '@dialhook/testing';
import pg from 'pg';
import { Engine, Sealer, standard, uuidv7 } from '../index.ts';
import { writeDivided } from './divide.ts';

test('only culprits fail, in few statements; what is not the data’s fault fails all', async () => {
  const bad = new Set([3, 700]);
  let statements = 0;
  const outcomes = new Map<number, string>();
  const tell = { written: (n: number) => void outcomes.set(n, 'written'), failed: (n: number) => void outcomes.set(n, 'failed') };
  const items = Array.from({ length: 1_000 }, (_, n) => n);
  const write = (code: string) => async (some: readonly number[]) => {
    statements += 1;
    if (some.some((n) => bad.has(n))) throw Object.assign(new pg.DatabaseError('refused', 0, 'error'), { code });
  };
  await writeDivided(items, write('22021'), tell);
  assert.deepEqual(
    items.filter((n) => outcomes.get(n) === 'failed'),
    [...bad],
  );
  assert.equal(outcomes.size, 1_000);
  assert.ok(statements < 45, `${statements} statements`);
  statements = 0;
  outcomes.clear();
  await writeDivided(items, write('57P01'), tell);
  assert.equal(statements, 1);
  assert.ok(items.every((n) => outcomes.get(n) === 'failed'));
});

for (const kind of DATABASE_KINDS) {
  describe(`group commit on ${kind}`, () => {
    test('an event that cannot be stored fails alone', async (t) => {
      const { close, database } = await freshDatabase(kind);
      const engine = new Engine({ database, dialects: [standard], sealer: new Sealer(Buffer.alloc(32, 7)), allowPrivateTargets: true });
      t.after(async () => {
        await engine.stop();
        await close();
      });
      await engine.start();
      const [culprit, bystander] = [uuidv7(1), uuidv7(1)];
      const submissions = Array.from({ length: 480 }, (_, n) =>
        engine.submit([
          { organizationId: bystander, type: 'thing.made', data: `{"n":${n}}` },
          ...(n === 100 ? [{ organizationId: culprit, type: 'thing\u0000made', data: '{}' }] : []),
        ]),
      );
      const results = await Promise.allSettled(submissions);
      assert.deepEqual(
        results.flatMap(({ status }, n) => (status === 'rejected' ? [n] : [])),
        [100],
      );
      const rows = await database.query<{ id: string; organization: string }>({
        text: 'select id, organization_id as organization from events order by id',
      });
      const stored = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      assert.deepEqual(rows.map(({ id }) => id).sort(), stored.sort());
      assert.ok(rows.every(({ organization }) => organization === bystander));
    });
  });
}
