import { strict as assert } from 'node:assert';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Engine, Sealer, silentLog, systemClock, uuidv7 } from '@dialhook/engine';
import { DATABASE_KINDS, freshDatabase } from '@dialhook/testing';
import { removeEndedCampaigns } from './calls/store/campaigns.ts';
import { dialects } from './dialects/index.ts';
import { DirectoryStore } from './lists/files.ts';
import { removeEndedUploads } from './lists/store/uploads.ts';
import { UploadFolders } from './lists/upload-folders.ts';
import { Retention } from './retention.ts';

const DAY = 86_400_000;
const NOW = Date.now();
/** Kept for 30 days: one is too old, the other is not. */
const AGES = [31 * DAY, 29 * DAY];
const TABLES = [
  'uploads',
  'campaigns',
  'campaign_leads',
  'workflows',
  'workflow_leads',
  'workflow_steps',
  'live_calls',
  'replays',
  'credit_entries',
  'organizations',
];

for (const kind of DATABASE_KINDS) {
  describe(`retention on ${kind}`, () => {
    test('what ended long ago is removed with its files; what is younger or has not ended stays as it is', async (t) => {
      const place = await freshDatabase(kind);
      t.after(place.close);
      const { database, dataDir } = place;
      const insert = (table: string, row: Record<string, unknown>) =>
        database.query({
          text: `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.keys(row)
            .map((_, n) => `$${n + 1}`)
            .join(', ')})`,
          values: Object.values(row),
        });
      /** Everything, but those ids and what belongs to them. */
      const all = async (but: ReadonlySet<string> = new Set()) => {
        const tables = await Promise.all(
          TABLES.map((table) => database.query<{ row: string }>({ text: `select to_jsonb(t)::text as row from ${table} t order by 1` })),
        );
        return tables.map((rows) => rows.map(({ row }) => row).filter((row) => ![...but].some((id) => row.includes(id))));
      };

      const gone = new Set<string>();
      const user = randomUUID();
      await insert('users', { id: user, name: 'u', created_at: new Date(NOW) });
      for (const slug of ['one', 'two']) {
        const organization_id = randomUUID();
        await insert('organizations', {
          id: organization_id,
          slug,
          name: slug,
          credits: 70,
          created_at: new Date(NOW),
          updated_at: new Date(NOW),
        });
        for (const age of AGES) {
          const at = new Date(NOW - age);
          const make = async (table: string, isGone: boolean, row: Record<string, unknown>) => {
            const id = uuidv7(at.getTime());
            if (isGone && age === AGES[0]) gone.add(id);
            await insert(table, { id, organization_id, ...row });
            return id;
          };
          const counts = {
            file_size_bytes: 1,
            total_rows: 1,
            valid_row_count: 1,
            invalid_row_count: 0,
            duplicate_row_count: 0,
            credits_required: 1,
          };
          const times = { created_at: at, updated_at: at };
          for (const status of [
            'completed',
            'failed',
            'cancelled',
            'validation_failed',
            'pending_mapping',
            'validating',
            'awaiting_confirmation',
            'ready_for_processing',
            'processing',
          ]) {
            const hasEnded = ['completed', 'failed', 'cancelled', 'validation_failed'].includes(status);
            const list = {
              user_id: user,
              source: 'api',
              status,
              original_filename: 'a.csv',
              ...counts,
              credits_charged: 1,
              skip_mobile_lookup: false,
              start_after: at,
            };
            const id = await make('uploads', hasEnded, { ...list, ...times });
            mkdirSync(join(dataDir, 'files', 'uploads', id), { recursive: true });
            writeFileSync(join(dataDir, 'files', 'uploads', id, 'original.csv'), 'x');
          }
          for (const [status, calling_leads] of [
            ['completed', 0],
            ['cancelled', 0],
            ['cancelled', 1],
            ['draft', 0],
            ['active', 0],
            ['running', 1],
            ['paused', 0],
          ] as const) {
            const isGone = (status === 'completed' || status === 'cancelled') && calling_leads === 0;
            const rules = { name: 'c', agent_id: 'a', max_concurrent_calls: 1, max_retries: 0, retry_interval_minutes: 1 };
            const campaign_id = await make('campaigns', isGone, { ...rules, status, calling_leads, ...times });
            for (let n = 0; n < 3; n++)
              await make('campaign_leads', isGone, {
                campaign_id,
                phone_number: '+1',
                notes: '{}',
                status: 'completed',
                due_at: at,
                created_at: at,
              });
          }
          const workflow_id = await make('workflows', false, { title: 'w', description: '', status: 'cancelled', ...times });
          for (const [status, phase, isGone] of [
            ['completed', 'ended', true],
            ['removed', 'ended', true],
            ['removed', 'ended', false],
            ['in_progress', 'call', false],
            ['in_progress', 'timer', false],
          ] as const) {
            const call_id = uuidv7(at.getTime());
            const completed_at = status === 'completed' ? at : null;
            const lead = { workflow_id, phone_number: '+1', metadata: '{}', status, phase, call_id, enrolled_at: at, completed_at };
            const lead_id = await make('workflow_leads', isGone, lead);
            await insert('workflow_steps', {
              lead_id,
              step: 1,
              node_id: randomUUID(),
              node_label: 'n',
              node_type: 'TIME',
              status: 'done',
              entered_at: at,
            });
            // Taken out while it was called.
            if (status === 'removed' && !isGone)
              await insert('live_calls', {
                call: call_id,
                organization_id,
                workflow_id,
                lead_id,
                stage: 'started',
                due_at: at,
                ends_at: at,
              });
          }
          for (const status of ['completed', 'cancelled', 'running']) {
            const range = { since: randomUUID(), until: randomUUID(), cursor: randomUUID() };
            await make('replays', status !== 'running', {
              ...range,
              status,
              total: 1,
              created_at: at,
              finished_at: status === 'running' ? null : at,
            });
          }
          await make('credit_entries', true, { amount: 35, balance: 35, reason: 'r', created_at: at });
        }
      }

      const engine = new Engine({ database, dialects, sealer: new Sealer(randomBytes(32)), clock: systemClock, log: silentLog });
      const files = new DirectoryStore(join(dataDir, 'files'));
      const folders = new UploadFolders({ database, files, clock: systemClock, log: silentLog });
      const keep = (days: number) =>
        new Retention({ database, engine, folders, days: { lists: days, campaigns: days, replays: days, credits: days }, log: silentLog });
      const before = await all();
      await keep(0).sweep(NOW);
      await keep(30).sweep(0); // the time is not known yet
      assert.deepEqual(await all(), before);

      const expected = await all(gone);
      // Never more at once than the bound.
      const old = new Date(NOW - 30 * DAY);
      for (const id of await removeEndedUploads(database, old, 3)) await folders.remove(id);
      assert.equal((await all())[0]!.length, before[0]!.length - 3);
      assert.equal(await removeEndedCampaigns(database, old, 2), 2);
      assert.deepEqual(
        [1, 2].map((n) => before[n]!.length),
        [28, 84],
      );
      assert.deepEqual(
        (await all()).slice(1, 3).map(({ length }) => length),
        [28, 82],
      );

      await keep(30).sweep(NOW);
      assert.deepEqual(await all(), expected);
      assert.ok(expected.every(({ length }) => length > 0));
      const lists = (JSON.parse(`[${before[0]!.join(',')}]`) as { id: string }[]).map(({ id }) => id);
      for (const id of lists) assert.equal(existsSync(join(dataDir, 'files', 'uploads', id)), !gone.has(id));
    });
  });
}
