import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { systemClock, uuidFloor, uuidv7 } from '@dialhook/engine';
import { DATABASE_KINDS, freshDatabase, idAt, World, WORLD_NOW, type TestDatabase } from '@dialhook/testing';
import { DialIntake } from '../intake.ts';
import {
  countDials,
  insertDials,
  listDials,
  listFailures,
  listGatherings,
  retryFailures,
  storeCleaned,
  storeFailures,
  sweepDialIds,
  takeGathered,
  takeUncleaned,
} from './dials.ts';

const NOW = new Date(WORLD_NOW);
const LATER = new Date(WORLD_NOW + 60_000);
const HOUR = 3_600_000;

for (const kind of DATABASE_KINDS) {
  describe(`dials in the ${kind} database`, () => {
    let place: TestDatabase;
    let world: World;
    before(async () => {
      place = await freshDatabase(kind);
      world = await World.make(place.database);
    });
    after(() => place.close());

    test('a dial that a company has sent before is left out; the same id of another company is not', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const dial = (n: number, organizationId: string, dialId: string | null) => ({
          id: idAt(WORLD_NOW, 1_000 + n),
          organizationId,
          dialId,
          raw: `{"n":${n}}`,
        });
        await insertDials(tx, [
          dial(1, mine.organizationId, 'dial-1'), // known
          dial(2, other.organizationId, 'dial-2'),
          dial(3, mine.organizationId, 'dial-2'),
          dial(4, mine.organizationId, null),
          dial(5, mine.organizationId, null),
        ]);
        const stored = (n: number, organizationId: string) => ({
          [`dial_inbox ${idAt(WORLD_NOW, 1_000 + n)}`]: {
            id: idAt(WORLD_NOW, 1_000 + n),
            organization_id: organizationId,
            raw: `{"n":${n}}`,
            failed_at: null,
            error: null,
          },
        });
        const noted = (n: number, organizationId: string) => ({
          [`dial_ids ${organizationId} dial-2`]: { organization_id: organizationId, dial_id: 'dial-2', dial: idAt(WORLD_NOW, 1_000 + n) },
        });
        assert.deepEqual(await rows.changes(), {
          ...stored(2, other.organizationId),
          ...stored(3, mine.organizationId),
          ...stored(4, mine.organizationId),
          ...stored(5, mine.organizationId),
          ...noted(2, other.organizationId),
          ...noted(3, mine.organizationId),
        });
      }));

    test('uncleaned dials are taken oldest first, and those that failed are not', () =>
      world.trial(async ({ mine, other, tx }) => {
        await mine.add('dial_inbox', { id: idAt(WORLD_NOW - 1, 1), failed_at: NOW, error: 'e' });
        await other.add('dial_inbox', { id: idAt(WORLD_NOW - 1, 2), raw: '{"a":2}' });
        const first = { id: idAt(WORLD_NOW - 1, 2), organizationId: other.organizationId, raw: '{"a":2}' };
        const [second, third] = [mine, other].map((one) => ({ id: one.first.dial_inbox!, organizationId: one.organizationId, raw: '{}' }));
        assert.deepEqual(await takeUncleaned(tx, 2), [first, second]);
        assert.deepEqual(await takeUncleaned(tx, 9), [first, second, third]);
      }));

    test('cleaned dials leave the inbox, those for webhooks are gathered, and the others wait on', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const quiet = await mine.add('dial_inbox');
        await rows.changes();
        const [a, b] = [mine.first.dial_inbox!, quiet];
        const cleaned = { organizationId: mine.organizationId, event: '{"clean":1}' };
        await storeCleaned(
          tx,
          [
            { ...cleaned, id: a, gathered: true },
            { ...cleaned, id: b, gathered: false },
          ],
          LATER,
        );
        const stored = (id: string) => ({ id, organization_id: mine.organizationId, event: '{"clean":1}' });
        assert.deepEqual(await rows.changes(), {
          [`dial_inbox ${a}`]: null,
          [`dial_inbox ${b}`]: null,
          [`dials ${a}`]: stored(a),
          [`dials ${b}`]: stored(b),
          [`dial_gathered ${mine.organizationId} ${a}`]: {
            organization_id: mine.organizationId,
            dial: a,
            gathered_at: LATER.toISOString(),
          },
        });
        assert.equal((await takeUncleaned(tx, 9))[0]!.organizationId, other.organizationId);
      }));

    test('each dial that failed keeps its own reason', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const second = await mine.add('dial_inbox');
        await mine.add('dial_inbox');
        await rows.changes();
        await storeFailures(
          tx,
          [
            { id: second, error: 'two' },
            { id: other.first.dial_inbox!, error: 'one' },
          ],
          LATER,
        );
        assert.deepEqual(await rows.changes(), {
          [`dial_inbox ${second}`]: { failed_at: LATER.toISOString(), error: 'two' },
          [`dial_inbox ${other.first.dial_inbox}`]: { failed_at: LATER.toISOString(), error: 'one' },
        });
      }));

    test('a company sees its own failed dials, newest first and page by page, and lets them be cleaned again', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const add = (tenant: typeof mine, n: number) =>
          tenant.add('dial_inbox', { id: idAt(WORLD_NOW + n, 1), raw: `{"n":${n}}`, failed_at: LATER, error: `e${n}` });
        const own = [];
        for (const n of [2, 4, 6]) {
          own.unshift(await add(mine, n));
          await add(other, n + 1);
        }
        await rows.changes();
        const page = async (before: string | undefined, limit: number) => listFailures(tx, mine.organizationId, before, limit);
        assert.deepEqual(
          (await page(undefined, 9)).map(({ id }) => id),
          own,
        );
        assert.deepEqual(await page(own[0], 1), [{ id: own[1], raw: '{"n":4}', error: 'e4', failedAt: LATER }]);
        assert.equal(await retryFailures(tx, mine.organizationId), 3);
        assert.deepEqual(await rows.changes(), Object.fromEntries(own.map((id) => [`dial_inbox ${id}`, { failed_at: null, error: null }])));
      }));

    test('a company reads its own dials of a time, in both orders, page by page', () =>
      world.trial(async ({ mine, other, tx }) => {
        const add = (tenant: typeof mine, ms: number) =>
          tenant.add('dials', { id: idAt(WORLD_NOW + ms, 1 + (tenant === mine ? 0 : 1)), event: `{"ms":${ms}}` });
        const ids: string[] = [];
        for (const ms of [1, 2, 3, 4, 5]) {
          ids.push(await add(mine, ms));
          await add(other, ms);
        }
        const range = { since: ids[1]!, until: ids[4]! }; // the second to the fourth
        const read = async (newestFirst: boolean, after?: string, limit = 9) =>
          (await listDials(tx, mine.organizationId, { ...range, newestFirst, after }, limit)).map(({ id }) => ids.indexOf(id));
        assert.deepEqual(await read(true), [3, 2, 1]);
        assert.deepEqual(await read(false), [1, 2, 3]);
        assert.deepEqual([await read(true, ids[3], 1), await read(false, ids[1], 1)], [[2], [2]]);
        assert.deepEqual(await listDials(tx, mine.organizationId, { ...range, newestFirst: true, after: ids[2] }, 9), [
          { id: ids[1], event: '{"ms":2}' },
        ]);
      }));

    test('the dials of a company are counted hour by hour', () =>
      world.trial(async ({ mine, other, tx }) => {
        // The world began with one of each, at the first moment of the hour.
        for (const [tenant, count] of [
          [mine, 3],
          [other, 1],
        ] as const)
          for (let n = 0; n < count; n++) await tenant.add('dials', { id: idAt(WORLD_NOW - HOUR + n, tenant === mine ? 1 : 2) });
        await mine.add('dials', { id: idAt(WORLD_NOW + HOUR, 1) }); // of the next hour
        await mine.add('dials', { id: idAt(WORLD_NOW - 2 * HOUR - 1, 1) }); // of the hour before
        const floors = [WORLD_NOW - 2 * HOUR, WORLD_NOW - HOUR, WORLD_NOW].map(uuidFloor);
        assert.deepEqual(await countDials(tx, mine.organizationId, floors, uuidFloor(WORLD_NOW + HOUR)), [0, 3, 1]);
        assert.deepEqual(await countDials(tx, other.organizationId, floors, uuidFloor(WORLD_NOW + HOUR)), [0, 1, 1]);
      }));

    test('what is gathered is counted for each company and taken oldest first, from one company alone', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const gather = async (tenant: typeof mine, ms: number) => {
          const dial = await tenant.add('dials', { id: idAt(WORLD_NOW + ms, tenant === mine ? 1 : 2), event: `{"ms":${ms}}` });
          await tenant.add('dial_gathered', { dial, gathered_at: new Date(WORLD_NOW + ms) });
          return dial;
        };
        const [early, late] = [await gather(mine, -5), await gather(mine, 7)];
        await gather(mine, 9);
        await other.add('dial_gathered', { dial: early });
        await mine.add('dials', { id: idAt(WORLD_NOW, 3_000) }); // not gathered, between the others
        await rows.changes();
        const gatherings = (await listGatherings(tx)).toSorted((a, b) => b.count - a.count);
        assert.deepEqual(gatherings, [
          { organizationId: mine.organizationId, count: 4, oldest: new Date(WORLD_NOW - 5) },
          { organizationId: other.organizationId, count: 2, oldest: NOW },
        ]);
        assert.deepEqual(await takeGathered(tx, mine.organizationId, 3), ['{"ms":-5}', '{"a":1}', '{"ms":7}']);
        const taken = [early, mine.first.dials!, late];
        assert.deepEqual(await rows.changes(), Object.fromEntries(taken.map((id) => [`dial_gathered ${mine.organizationId} ${id}`, null])));
        await takeGathered(tx, mine.organizationId, 3);
        await rows.changes();
        assert.deepEqual(await takeGathered(tx, mine.organizationId, 3), []);
        assert.deepEqual(await rows.changes(), {});
      }));

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
      const begin = async () =>
        (await database.query<{ n: number }>({ text: `select count(*) as n from dial_ids where ctid < '(3,0)'` }))[0]!.n;
      const untouched = await begin();
      const pages = await sweepDialIds(database, oldest, 3, 1);
      assert.ok(pages > 6, `${pages} pages`);
      assert.equal(await begin(), untouched, 'only the part whose turn it is');
      await sweepDialIds(database, oldest, 0, 3);
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
