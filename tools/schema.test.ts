import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DATABASE_KINDS, freshDatabase } from '@dialhook/testing';
import { dumpSchema } from './schema-dump.ts';

for (const kind of DATABASE_KINDS) {
  test(`the migrations on ${kind} give the committed schema.sql`, async () => {
    const place = await freshDatabase(kind);
    const dump = await dumpSchema(place.database);
    await place.close();
    assert.equal(dump, readFileSync(new URL('../schema.sql', import.meta.url), 'utf8'));
  });
}
