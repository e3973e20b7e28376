import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { freshDatabase } from '../databases.ts';
import { World } from './world.ts';

/** Tables of the machinery, and what is known of numbers whoever dialed them: nobody's. */
const NOBODYS = ['batches', 'contact_history', 'contact_prefixes', 'key_checks', 'nodes', 'retention_clock'];

test('both organizations of a world have a row in every table, and nothing of a trial stays', async (t) => {
  const { close, database } = await freshDatabase('postgres');
  t.after(close);
  const world = await World.make(database);
  const tables = await database.query<{ name: string }>({
    text: `select relname as name from pg_class
            where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace and relname <> 'migrations'`,
  });
  assert.ok(tables.length > 30);
  await world.trial(async ({ mine, other, rows }) => {
    for (const { name } of tables) {
      if (NOBODYS.includes(name)) continue;
      const found = rows.of(name);
      assert.ok(found.length >= 2, `${name}: say in defaults.ts how one of it is made`);
      if (!('organization_id' in found[0]!)) continue;
      for (const { organizationId } of [mine, other])
        assert.ok(
          found.some((row) => row.organization_id === organizationId),
          name,
        );
    }
    const id = await mine.add('uploads', { status: 'failed' });
    const changes = await rows.changes();
    assert.deepEqual(Object.keys(changes), [`uploads ${id}`]);
    assert.equal(changes[`uploads ${id}`]!.status, 'failed');
  });
  await world.trial(async ({ mine, rows, tx }) => {
    assert.equal(rows.of('uploads').length, 2);
    await tx.query({ text: 'update uploads set lease = 4 where id = $1', values: [mine.first.uploads] });
    await tx.query({ text: 'delete from retentions where organization_id = $1', values: [mine.organizationId] });
    assert.deepEqual(await rows.changes(), {
      [`uploads ${mine.first.uploads}`]: { lease: 4 },
      [`retentions ${mine.organizationId}`]: null,
    });
    assert.deepEqual(await rows.changes(), {});
  });
});
