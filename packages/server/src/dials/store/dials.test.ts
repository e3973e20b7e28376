import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { systemClock, uuidFloor, uuidv7 } from '@dialhook/engine';
import { DATABASE_KINDS, freshDatabase } from '@dialhook/testing';
import { DialIntake } from '../intake.ts';
import { insertDials, sweepDialIds } from './dials.ts';

for (const kind of DATABASE_KINDS) {
  describe(`dials in the ${kind} database`, () => {
    test('a dial that cannot be stored fails alone, in whatever commit it came', async (t) => {
      const { close, database } = await freshDatabase(kind);
      t.after(close);
      const intake = new DialIntake({ database, clock: systemClock, onStored: () => {} });
      const [culprit, bystander] = [uuidv7(1), uuidv7(1)];
      const results = await Promise.allSettled(
        Array.from({ length: 480 }, (_, n) => intake.add(n === 31 ? culprit : bystander, `{"n":${n}}`, n === 31 ? 'a\u0000' : `id-${n}`)),
      );
      assert.deepEqual(
        results.flatMap(({ status }, n) => (status === 'rejected' ? [n] : [])),
        [31],
      );
      const rows = await database.query<{ organization: string; raw: string }>({
        text: 'select organization_id as organization, raw from dial_inbox',
      });
      assert.deepEqual(
        rows.map(({ raw }) => (JSON.parse(raw) as { n: number }).n).sort((a, b) => a - b),
        Array.from({ length: 480 }, (_, n) => n).filter((n) => n !== 31),
      );
      assert.ok(rows.every(({ organization }) => organization === bystander));
      const [ids] = await database.query<{ n: number }>({ text: 'select count(*) as n from dial_ids' });
      assert.equal(ids!.n, 479);
    });

    test('remembered ids of old dials are forgotten part by part, and no others', async (t) => {
      const { close, database } = await freshDatabase(kind);
      t.after(close);
      const organizationId = uuidv7(1);
      const [old, now] = [Date.now() - 40 * 86_400_000, Date.now()];
      const dials = (at: number, name: string) =>
        Array.from({ length: 1_000 }, (_, n) => ({ id: uuidv7(at), organizationId, dialId: `${name}${n}`, raw: '{}' }));
      await insertDials(database, dials(old, 'old'));
      await insertDials(database, dials(now, 'new'));
      const count = async () => (await database.query<{ n: number }>({ text: 'select count(*) as n from dial_ids' }))[0]!.n;
      const oldest = uuidFloor(now - 30 * 86_400_000);
      const pages = await sweepDialIds(database, oldest, 0, 3);
      assert.ok(pages > 6, `${pages} pages`);
      const after = await count();
      assert.ok(after > 1_000 && after < 2_000, `${after} are left`);
      for (let page = 3; page < pages; page += 3) await sweepDialIds(database, oldest, page, 3);
      assert.equal(await count(), 1_000);
      // A forgotten id makes a dial again, a remembered one does not.
      const inbox = async () => (await database.query<{ n: number }>({ text: 'select count(*) as n from dial_inbox' }))[0]!.n;
      const before = await inbox();
      await insertDials(database, [
        { id: uuidv7(now), organizationId, dialId: 'old1', raw: '{}' },
        { id: uuidv7(now), organizationId, dialId: 'new1', raw: '{}' },
      ]);
      assert.equal(await inbox(), before + 1);
    });
  });
}
