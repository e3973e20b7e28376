import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, World, type TestDatabase } from '@dialhook/testing';
import { DIAL_LIMITS } from '../limits.ts';
import { DialTranslations, TRANSLATIONS, type TranslationName } from '../translations.ts';
import { countRowsLocked, deleteRow, findCampaigns, findDispos, findRow, insertRow, listRows, updateRow } from './translations.ts';

/** The row that both organizations have, a change of it, and one more. */
const EXAMPLES = {
  campaigns: {
    key: 'c1',
    row: { id: 'c1', name: 'One', type: 'Inbound', inbound_pool_id: null },
    change: { name: 'Two', inbound_pool_id: 'p' },
    more: { id: 'c2', name: 'Two', type: 'Blended', inbound_pool_id: 'p2' },
  },
  dispos: {
    key: 'd1',
    row: { id: 'd1', name: 'SALE', type: 'Agent', contact: true, success: true },
    change: { success: false },
    more: { id: 'd2', name: 'NO', type: 'System', contact: false, success: false },
  },
  anis: {
    key: '3125550142',
    row: { number: '3125550142', country_code: '+1', inbound_group_id: 'g', is_branded: null, brand_name: null, carrier_id: null },
    change: { is_branded: true, brand_name: 'B' },
    more: { number: '3125550143', country_code: '+44', inbound_group_id: 'h', is_branded: false, brand_name: 'C', carrier_id: '1' },
  },
} as const;

for (const kind of DATABASE_KINDS) {
  describe(`translations in the ${kind} database`, () => {
    let place: TestDatabase;
    let world: World;
    before(async () => {
      place = await freshDatabase(kind);
      world = await World.make(place.database);
    });
    after(() => place.close());

    for (const [name, { change, key, more, row }] of Object.entries(EXAMPLES)) {
      const table = TRANSLATIONS[name as TranslationName];
      const [column] = table.columns;
      test(`${name}: a company's rows are its own, and each is found, changed and deleted by its key`, () =>
        world.trial(async ({ mine, other, rows, tx }) => {
          const place = (id: string) => `${table.table} ${mine.organizationId} ${id}`;
          assert.equal(await insertRow(tx, table, mine.organizationId, row), false);
          assert.deepEqual(await rows.changes(), {});
          assert.equal(await insertRow(tx, table, mine.organizationId, more), true);
          const last = more[column as never] as string;
          assert.deepEqual(await rows.changes(), { [place(last)]: { organization_id: mine.organizationId, ...more } });
          assert.deepEqual(await findRow(tx, table, mine.organizationId, key), row);
          assert.deepEqual(await findRow(tx, table, mine.organizationId, last), more);
          assert.equal(await findRow(tx, table, other.organizationId, last), null);
          assert.deepEqual(await updateRow(tx, table, mine.organizationId, { [column]: key, ...change }), { ...row, ...change });
          assert.equal(await updateRow(tx, table, other.organizationId, { [column]: last, ...change }), null);
          assert.deepEqual(await rows.changes(), { [place(key)]: change });
          assert.deepEqual(await updateRow(tx, table, mine.organizationId, { [column]: last }), more, 'nothing to change');
          assert.deepEqual(await rows.changes(), {});
          assert.equal(await deleteRow(tx, table, other.organizationId, last), false);
          assert.equal(await deleteRow(tx, table, mine.organizationId, key), true);
          assert.deepEqual(await rows.changes(), { [place(key)]: null });
        }));

      test(`${name}: a company's rows are listed by key, page by page, and counted without anybody else's`, () =>
        world.trial(async ({ mine, other, tx }) => {
          const keys = [];
          for (const n of [3, 1, 2]) {
            const id = `${key}-${n}`;
            keys.push(id);
            await insertRow(tx, table, mine.organizationId, { ...more, [column]: id });
            await insertRow(tx, table, other.organizationId, { ...more, [column]: `${id}-theirs` });
          }
          await other.add(table.table, { [column]: `${key}-4` });
          const own = [key, ...keys.toSorted()];
          const page = async (from: string, limit: number) =>
            (await listRows(tx, table, mine.organizationId, from, limit)).map((one) => one[column]);
          assert.deepEqual(await page('', 9), own);
          assert.deepEqual(await page(own[0]!, 2), own.slice(1, 3));
          assert.deepEqual(await listRows(tx, table, mine.organizationId, own[2]!, 9), [{ ...more, [column]: own[3] }]);
          assert.equal(await countRowsLocked(tx, table, mine.organizationId), 4);
          assert.equal(await countRowsLocked(tx, table, other.organizationId), 5);
        }));
    }

    test('the campaigns and dispositions that some dials name are found with their company', () =>
      world.trial(async ({ mine, other, tx }) => {
        await mine.add('dial_campaigns', { id: 'c2', name: 'Two', type: 'Blended', inbound_pool_id: 'p' });
        await other.add('dial_campaigns', { id: 'c2', name: 'Theirs' });
        const campaign = { organizationId: mine.organizationId, id: 'c2', name: 'Two', type: 'Blended', inbound_pool_id: 'p' };
        assert.deepEqual(await findCampaigns(tx, [mine.organizationId], ['c2', 'c3']), [campaign]);
        await mine.add('dial_dispos', { id: 'd0', name: 'NO_ANSWER', type: 'System', contact: false, success: false });
        await mine.add('dial_dispos', { id: 'd3', name: 'BUSY' });
        await other.add('dial_dispos', { id: 'd0', name: 'NO_ANSWER' });
        const quiet = { organizationId: mine.organizationId, id: 'd0', name: 'NO_ANSWER', type: 'System', contact: false, success: false };
        const sale = { organizationId: mine.organizationId, id: 'd1', name: 'SALE', type: 'Agent', contact: true, success: true };
        assert.deepEqual(await findDispos(tx, [mine.organizationId], ['d1', 'NO_ANSWER']), [quiet, sale], 'by id and by name');
        await mine.add('dial_dispos', { id: 'd2', name: 'SALE', success: false });
        assert.deepEqual(
          await findDispos(tx, [mine.organizationId], ['SALE']),
          [sale, { ...sale, id: 'd2', success: false }],
          'the least id first',
        );
      }));

    test('a company that has as many rows as it may adds no more, and its neighbor does', async () => {
      const { database } = place;
      const translations = new DialTranslations(database);
      const [mine, other] = ['00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b'];
      await database.query({
        text: `insert into dial_campaigns (organization_id, id, name, type) select $1, 'c' || n, 'n', 'Inbound' from generate_series(1, $2::int) n`,
        values: [mine, DIAL_LIMITS.translations - 1],
      });
      const add = (organizationId: string, id: string) => translations.add('campaigns', organizationId, { id, name: 'n', type: 'Inbound' });
      assert.equal(await add(mine, 'c1'), 'exists');
      assert.deepEqual((await Promise.all([add(mine, 'last'), add(mine, 'one too many')])).toSorted(), ['added', 'full']);
      assert.equal(await add(other, 'c1'), 'added');
      assert.deepEqual(
        (await translations.list('campaigns', other, '', 9)).map(({ id }) => id),
        ['c1'],
      );
    });
  });
}
