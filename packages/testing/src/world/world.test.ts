import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { freshDatabase } from '../databases.ts';
import { World } from './world.ts';

test('both organizations of a world have a row in every table, and nothing of a trial stays', async (t) => {
  const { close, database } = await freshDatabase('postgres');
  t.after(close);
  const world = await World.make(database);
  const tables = await database.query<{ name: string }>({
    text: `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relkind in ('r', 'p') and not c.relispartition and a.attname = 'organization_id' and c.relnamespace = 'public'::regnamespace`,
  });
  assert.ok(tables.length > 20);
  await world.trial(async ({ mine, other, rows }) => {
    for (const { name } of tables)
      for (const { organizationId } of [mine, other])
        assert.ok(
          rows.of(name).some((row) => row.organization_id === organizationId),
          `${name}: say in defaults.ts how one of it is made`,
        );
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
