import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, insertRow, NODE, World, WORLD_NOW, type TestDatabase, type Trial } from '@dialhook/testing';
import { UPLOAD_STATUSES, type UploadStatus } from '../model.ts';
import { addContactHistory, findContactHistory, findContactPrefixes } from './contact-history.ts';
import {
  cancelUpload,
  claimUpload,
  existingUploads,
  findUpload,
  finishUpload,
  insertApiUpload,
  listUploads,
  removeEndedUploads,
} from './uploads.ts';
import { confirmUpload, insertWebUpload, moveUpload, releaseValidations, storeScan } from './web-uploads.ts';

const NOW = new Date(WORLD_NOW);
const LATER = new Date(WORLD_NOW + 60_000);
const at = (ms: number) => new Date(WORLD_NOW + ms);
const ANOTHER_NODE = '00000000-0000-7000-8000-0000000000bb';
const THIRD_NODE = '00000000-0000-7000-8000-0000000000cc';

for (const kind of DATABASE_KINDS) {
  describe(`the rows of lists in the ${kind} database`, () => {
    let place: TestDatabase;
    let world: World;
    before(async () => {
      place = await freshDatabase(kind);
      world = await World.make(place.database);
    });
    after(() => place.close());

    type Lists = Readonly<Record<UploadStatus, string>>;
    /** Both organizations have a list in every status. */
    const trial = (work: (trial: Trial & { readonly lists: Lists; readonly others: Lists }) => Promise<void>) =>
      world.trial(async (one) => {
        const [lists, others] = [{}, {}] as [Record<UploadStatus, string>, Record<UploadStatus, string>];
        for (const status of UPLOAD_STATUSES) {
          lists[status] = await one.mine.add('uploads', { status });
          others[status] = await one.other.add('uploads', { status });
        }
        await one.rows.changes();
        await work({ ...one, lists, others });
      });

    test('a list is found by its organization and its id', () =>
      trial(async ({ lists, mine, others, tx }) => {
        const found = await findUpload(tx, mine.organizationId, lists.completed);
        assert.deepEqual([found!.id, found!.organizationId, found!.status], [lists.completed, mine.organizationId, 'completed']);
        assert.equal(await findUpload(tx, mine.organizationId, others.completed), null);
      }));

    test('lists of one organization are given newest first, page by page', () =>
      trial(async ({ lists, mine, tx }) => {
        const own = [mine.first.uploads, ...Object.values(lists)].toReversed();
        const page = async (from: string | null, limit: number) =>
          (await listUploads(tx, mine.organizationId, from, limit)).map(({ id }) => id);
        assert.deepEqual(await page(null, 100), own);
        assert.deepEqual(await page(null, 4), own.slice(0, 4));
        assert.deepEqual(await page(own[3]!, 4), own.slice(4, 8));
      }));

    test('a list is cancelled by its organization alone, and only before it is started', () =>
      trial(async ({ lists, mine, other, rows, tx }) => {
        for (const id of Object.values(lists)) assert.equal(await cancelUpload(tx, other.organizationId, id, LATER), null);
        for (const [status, id] of Object.entries(lists))
          if (status !== 'ready_for_processing') assert.equal(await cancelUpload(tx, mine.organizationId, id, LATER), null, status);
        assert.deepEqual(await rows.changes(), {});
        const id = lists.ready_for_processing;
        assert.equal((await cancelUpload(tx, mine.organizationId, id, LATER))!.creditsRefunded, 5);
        const cancelled = { status: 'cancelled', credits_refunded: 5, updated_at: LATER.toISOString() };
        assert.deepEqual(await rows.changes(), { [`uploads ${id}`]: cancelled });
      }));

    test('organizations take turns, the longest wait comes first, and a list that is not due or that a living node has is not taken', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        await tx.query({ text: 'delete from uploads' });
        await insertRow(tx, 'nodes', { id: THIRD_NODE, started_at: NOW, heartbeat_at: NOW });
        const add = (tenant: typeof mine, status: string, start: number, node = NODE) =>
          tenant.add('uploads', { status, start_after: at(start), leased_by: node, updated_at: at(-90) });
        const [late, early, dead] = [
          await add(mine, 'ready_for_processing', 0),
          await add(mine, 'ready_for_processing', -20),
          await add(mine, 'processing', -10, ANOTHER_NODE),
        ];
        const [neighbor] = [await add(other, 'ready_for_processing', -15)];
        for (const tenant of [mine, other]) {
          await add(tenant, 'processing', -30); // its node lives
          await add(tenant, 'ready_for_processing', 1); // not due yet
          for (const status of UPLOAD_STATUSES)
            if (status !== 'ready_for_processing' && status !== 'processing') await add(tenant, status, -40);
        }
        await rows.changes();
        const claim = async (served: string[]) => (await claimUpload(tx, THIRD_NODE, served, NOW))?.id;
        const taken = { status: 'processing', leased_by: THIRD_NODE, lease: 4, updated_at: NOW.toISOString() };
        // Whoever was served longest ago, or never.
        assert.equal(await claim([mine.organizationId]), neighbor);
        assert.deepEqual(await rows.changes(), { [`uploads ${neighbor}`]: taken });
        for (const id of [early, dead, late]) {
          assert.equal(await claim([other.organizationId, mine.organizationId]), id);
          const { status, ...more } = taken;
          assert.deepEqual(await rows.changes(), { [`uploads ${id}`]: id === dead ? more : { status, ...more } });
        }
        assert.equal(await claim([]), undefined);
        const [first, second] = [await add(mine, 'ready_for_processing', -1), await add(other, 'ready_for_processing', -2)];
        assert.equal(await claim([other.organizationId, mine.organizationId]), second, 'its turn was before mine');
        assert.equal(await claim([]), first);
      }));

    test('a list is ended by whoever has its latest lease, once, and no other list ends', () =>
      trial(async ({ lists, rows, tx }) => {
        const end = { status: 'completed', errorMessage: null, summary: { statuses: {}, regions: {}, timeZones: {} }, now: LATER } as const;
        assert.equal(await finishUpload(tx, lists.processing, 2, end), null);
        for (const [status, id] of Object.entries(lists))
          if (status !== 'processing') assert.equal(await finishUpload(tx, id, 3, end), null, status);
        assert.deepEqual(await rows.changes(), {});
        assert.equal((await finishUpload(tx, lists.processing, 3, { ...end, errorMessage: 'e' }))!.id, lists.processing);
        const ended = {
          status: 'completed',
          error_message: 'e',
          leased_by: null,
          summary: '{"statuses":{},"regions":{},"timeZones":{}}',
          updated_at: LATER.toISOString(),
        };
        assert.deepEqual(await rows.changes(), { [`uploads ${lists.processing}`]: ended });
        assert.equal(await finishUpload(tx, lists.processing, 3, end), null);
      }));

    test('lists that ended before a time are removed, the oldest first', () =>
      trial(async ({ lists, mine, other, rows, tx }) => {
        const ended = ['validation_failed', 'completed', 'failed', 'cancelled'] as const;
        assert.deepEqual(await removeEndedUploads(tx, NOW, 100), []);
        const older = [
          await mine.add('uploads', { status: 'failed', updated_at: at(-2) }),
          await other.add('uploads', { status: 'completed', updated_at: at(-3) }),
          await mine.add('uploads', { status: 'cancelled', updated_at: at(-1) }),
        ];
        await rows.changes();
        assert.deepEqual(await removeEndedUploads(tx, NOW, 2), [older[1]!, older[0]!].sort(), 'the oldest two');
        assert.deepEqual(await rows.changes(), { [`uploads ${older[0]}`]: null, [`uploads ${older[1]}`]: null });
        assert.deepEqual(await removeEndedUploads(tx, NOW, 2), [older[2]]);
        await rows.changes();
        const removed = await removeEndedUploads(tx, LATER, 100);
        const changes = await rows.changes();
        assert.deepEqual(removed.length, 8);
        assert.deepEqual(Object.keys(changes).sort(), removed.map((id) => `uploads ${id}`).sort());
        for (const status of ended) assert.ok(removed.includes(lists[status]), status);
      }));

    test('it is told which of some ids are lists', () =>
      trial(async ({ lists, tx }) => {
        const asked = [lists.failed, lists.processing, ANOTHER_NODE];
        assert.deepEqual(await existingUploads(tx, asked), new Set([lists.failed, lists.processing]));
      }));

    test('a list is moved on from the states that are named, if it may leave them for the next one, and no other list is', () =>
      trial(async ({ lists, rows, tx }) => {
        const from = ['pending_mapping', 'awaiting_confirmation', 'completed'] as const;
        assert.equal(await moveUpload(tx, lists.awaiting_confirmation, ['pending_mapping'], 'cancelled', LATER), false);
        assert.equal(await moveUpload(tx, lists.completed, from, 'cancelled', LATER), false);
        assert.deepEqual(await rows.changes(), {});
        assert.equal(await moveUpload(tx, lists.pending_mapping, from, 'cancelled', LATER), true);
        const moved = { status: 'cancelled', updated_at: LATER.toISOString() };
        assert.deepEqual(await rows.changes(), { [`uploads ${lists.pending_mapping}`]: moved });
      }));

    test('what was found in a list is stored with it, while it is validated', () =>
      trial(async ({ lists, rows, tx }) => {
        const scan = {
          status: 'awaiting_confirmation',
          totalRows: 21,
          validRows: 22,
          invalidRows: 23,
          duplicateRows: 24,
          skipMobileLookup: true,
          errorMessage: 'e',
          now: LATER,
        } as const;
        for (const [status, id] of Object.entries(lists)) if (status !== 'validating') await assert.rejects(storeScan(tx, id, scan));
        assert.deepEqual(await rows.changes(), {});
        assert.equal((await storeScan(tx, lists.validating, scan)).id, lists.validating);
        assert.deepEqual(await rows.changes(), {
          [`uploads ${lists.validating}`]: {
            status: 'awaiting_confirmation',
            total_rows: 21,
            valid_row_count: 22,
            invalid_row_count: 23,
            duplicate_row_count: 24,
            credits_required: 22,
            skip_mobile_lookup: true,
            error_message: 'e',
            updated_at: LATER.toISOString(),
          },
        });
      }));

    test('a list is confirmed while it waits for that, and no other list is charged', () =>
      trial(async ({ lists, mine, rows, tx }) => {
        for (const [status, id] of Object.entries(lists))
          if (status !== 'awaiting_confirmation') assert.equal(await confirmUpload(tx, id, LATER, at(90_000)), null, status);
        assert.deepEqual(await rows.changes(), {});
        const id = await mine.add('uploads', { status: 'awaiting_confirmation', credits_required: 9, credits_charged: 0 });
        await rows.changes();
        assert.equal((await confirmUpload(tx, id, LATER, at(90_000)))!.creditsCharged, 9);
        const confirmed = { status: 'ready_for_processing', credits_charged: 9, start_after: at(90_000).toISOString() };
        assert.deepEqual(await rows.changes(), { [`uploads ${id}`]: { ...confirmed, updated_at: LATER.toISOString() } });
      }));

    test('validations that nobody does any more begin again, and younger ones go on', () =>
      trial(async ({ lists, mine, other, rows, tx }) => {
        const left = [
          await mine.add('uploads', { status: 'validating', updated_at: at(-1) }),
          await other.add('uploads', { status: 'validating', updated_at: at(-1) }),
        ];
        await mine.add('uploads', { status: 'processing', updated_at: at(-1) });
        await rows.changes();
        await releaseValidations(tx, NOW, LATER);
        const released = { status: 'pending_mapping', updated_at: LATER.toISOString() };
        assert.deepEqual(await rows.changes(), Object.fromEntries(left.map((id) => [`uploads ${id}`, released])));
        assert.equal((await findUpload(tx, mine.organizationId, lists.validating))!.status, 'validating');
      }));

    test('a new list is stored as it was received, and nothing else changes', () =>
      world.trial(async ({ mine, rows, tx }) => {
        const [api, web] = [ANOTHER_NODE, NODE];
        const base = { organizationId: mine.organizationId, userId: mine.member, originalFilename: 'b.csv', fileSizeBytes: 11, now: NOW };
        const counts = { totalRows: 21, validRows: 22, invalidRows: 23, duplicateRows: 24 };
        const stored = {
          organization_id: mine.organizationId,
          user_id: mine.member,
          original_filename: 'b.csv',
          file_size_bytes: 11,
          credits_refunded: null,
          error_message: null,
          leased_by: null,
          lease: 0,
          summary: null,
          created_at: NOW.toISOString(),
          updated_at: NOW.toISOString(),
        };
        const key = mine.first.api_keys!;
        const inserted = await insertApiUpload(tx, {
          ...base,
          ...counts,
          id: api,
          apiKeyId: key,
          skipMobileLookup: true,
          startAfter: LATER,
        });
        assert.deepEqual(await findUpload(tx, mine.organizationId, api), inserted);
        assert.deepEqual(await rows.changes(), {
          [`uploads ${api}`]: {
            ...stored,
            id: api,
            api_key_id: key,
            source: 'api',
            status: 'ready_for_processing',
            total_rows: 21,
            valid_row_count: 22,
            invalid_row_count: 23,
            duplicate_row_count: 24,
            credits_required: 22,
            credits_charged: 22,
            skip_mobile_lookup: true,
            start_after: LATER.toISOString(),
          },
        });
        await insertWebUpload(tx, { ...base, id: web });
        assert.deepEqual(await rows.changes(), {
          [`uploads ${web}`]: {
            ...stored,
            id: web,
            api_key_id: null,
            source: 'web',
            status: 'pending_mapping',
            total_rows: 0,
            valid_row_count: 0,
            invalid_row_count: 0,
            duplicate_row_count: 0,
            credits_required: 0,
            credits_charged: 0,
            skip_mobile_lookup: false,
            start_after: NOW.toISOString(),
          },
        });
      }));

    test('dials and contacts are added up for each number and each prefix, and only those that are asked for are given', () =>
      world.trial(async ({ rows, tx }) => {
        const prefixOf = (number: number) => Math.floor(number / 10_000);
        const add = (counts: readonly (readonly [number, number, number])[]) =>
          addContactHistory(
            tx,
            counts.map(([number, dials, contacts]) => ({ number, dials, contacts })),
            prefixOf,
          );
        await add([
          [13125550002, 4, 1],
          [13125550001, 2, 2],
          [17735550001, 8, 3],
        ]);
        await rows.changes();
        await add([
          [13125550001, 10, 5],
          [13125550003, 1, 0],
        ]);
        assert.deepEqual(await rows.changes(), {
          'contact_history 13125550001': { dials: 12, contacts: 7 },
          'contact_history 13125550003': { number: 13125550003, dials: 1, contacts: 0 },
          'contact_prefixes 1312555': { dials: 17, contacts: 8 },
        });
        assert.deepEqual(await findContactHistory(tx, [13125550002, 13125559999]), [{ number: 13125550002, dials: 4, contacts: 1 }]);
        assert.deepEqual(await findContactPrefixes(tx, [1773555, 1]), [{ prefix: 1773555, dials: 8, contacts: 3 }]);
      }));
  });
}
