import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { DATABASE_KINDS, freshDatabase } from '@dialhook/testing';
import { Engine, Sealer, standard, WrongSecretKey } from '../index.ts';
import { checkKey } from './key-check.ts';

for (const kind of DATABASE_KINDS)
  test(`a node with another key is refused, also on a database of an older version, on ${kind}`, async (t) => {
    const place = await freshDatabase(kind);
    t.after(() => place.close());
    const { database } = place;
    const ours = new Sealer(Buffer.alloc(32, 1));
    const theirs = new Sealer(Buffer.alloc(32, 2));
    const make = (sealer: Sealer) => new Engine({ database, dialects: [standard], sealer, allowPrivateTargets: true });
    const engine = make(ours);
    await engine.start();
    await assert.rejects(make(theirs).start(), (error) => error instanceof WrongSecretKey && /DIALHOOK_SECRET_KEY/.test(error.message));
    const again = make(ours);
    await again.start();
    await again.stop();

    const organizationId = randomUUID();
    await engine.endpoints.create({ organizationId, dialect: 'standard', url: 'http://127.0.0.1:9/' });
    await engine.stop();
    const older = () => database.query({ text: 'delete from key_checks' });
    await older();
    await assert.rejects(checkKey(database, theirs), WrongSecretKey);
    assert.deepEqual(await database.query({ text: 'select 1 from key_checks' }), [], 'and it left nothing there');
    // One secret that nobody can open says nothing about the key.
    await database.query({
      text: `insert into endpoints (id, organization_id, dialect, url, sealed, created_at, updated_at)
             values ($1, $2, 'standard', 'http://127.0.0.1:9/', $3, now(), now())`,
      values: ['ffffffff-ffff-7fff-8fff-ffffffffffff', organizationId, Buffer.from('broken')],
    });
    await checkKey(database, ours);
    await checkKey(database, ours);
    await assert.rejects(checkKey(database, theirs), WrongSecretKey);
    // Of two that are first at once, one has its key taken.
    await database.query({ text: 'delete from endpoints' });
    await older();
    const both = await Promise.allSettled([checkKey(database, ours), checkKey(database, theirs)]);
    assert.equal(both.filter(({ status }) => status === 'rejected').length, 1);
  });
