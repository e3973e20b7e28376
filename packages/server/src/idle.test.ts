import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { migrate, engineMigrations, uuidv7, type DueSource } from '@dialhook/engine';
import { DATABASE_KINDS, freshDatabase, startTestServer, StatementCount } from '@dialhook/testing';
import { CAMPAIGNS_DUE } from './calls/store/campaigns.ts';
import { LIVE_CALLS_DUE, LOST_CALLS_DUE } from './calls/store/live-calls.ts';
import { REQUESTS_DUE } from './calls/store/workflow-leads.ts';
import { WORKFLOWS_DUE } from './calls/store/workflows.ts';
import { GATHERED_DUE, UNCLEANED_DUE } from './dials/store/dials.ts';
import { UPLOADS_DUE } from './lists/store/uploads.ts';
import { serverMigrations } from './migrations.ts';

/** Statements that a node with nothing to do may make in a minute, and those of the works that come once a minute, whenever they come. */
const IDLE_STATEMENTS = 200;
const MINUTELY_STATEMENTS = 40;

const [SOON, LATER] = [Date.parse('2100-01-01T00:00:00Z'), Date.parse('2100-01-02T00:00:00Z')];
const SOURCES = [UNCLEANED_DUE, GATHERED_DUE, UPLOADS_DUE, CAMPAIGNS_DUE, WORKFLOWS_DUE, LIVE_CALLS_DUE, LOST_CALLS_DUE, REQUESTS_DUE];

for (const kind of DATABASE_KINDS) {
  test(`a whole node with nothing to do makes few statements, on ${kind}`, async () => {
    const place = await startTestServer(kind, { DIALHOOK_CALL_ENGINE: 'simulator', DIALHOOK_APPLICATION_URL: 'http://127.0.0.1:1/' });
    const asked = new StatementCount();
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const allowed = MINUTELY_STATEMENTS + (IDLE_STATEMENTS * (performance.now() - began)) / 60_000;
    asked.stop();
    await place.stop();
    assert.ok(asked.count <= allowed, `${asked.count} statements, ${allowed} allowed`);
  });

  test(`each kind of work says when it is due next, and not what cannot be done, on ${kind}`, async (t) => {
    const { close, database } = await freshDatabase(kind);
    t.after(close);
    await migrate(database, [engineMigrations, serverMigrations]);
    const due = async (source: DueSource) => {
      const [row] = await database.query<{ due: Date | null }>({ text: `select (${source.text}) as due` });
      return row!.due?.getTime() ?? null;
    };
    const dues = async () => Promise.all(SOURCES.map(due));
    /** Rows without those that they refer to. */
    const insert = (table: string, row: Record<string, unknown>) =>
      database.transaction(async (tx) => {
        await tx.query({ text: 'set local session_replication_role = replica' });
        const columns = Object.keys(row);
        await tx.query({
          text: `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, n) => `$${n + 1}`).join(', ')})`,
          values: Object.values(row),
        });
      });
    const ids = () => ({ id: uuidv7(Date.now()), organization_id: randomUUID() });
    const now = new Date();
    const times = { created_at: now, updated_at: now };
    const upload = (status: string, at: number, more: object = {}) => {
      const texts = { user_id: randomUUID(), source: 'api', status, original_filename: 'a', file_size_bytes: 1, skip_mobile_lookup: false };
      const counts = {
        total_rows: 1,
        valid_row_count: 1,
        invalid_row_count: 0,
        duplicate_row_count: 0,
        credits_required: 1,
        credits_charged: 1,
      };
      return insert('uploads', { ...ids(), ...texts, ...counts, ...times, start_after: new Date(at), ...more });
    };
    const campaign = (dueAt: Date | null) =>
      insert('campaigns', {
        ...ids(),
        name: 'a',
        agent_id: 'a',
        status: 'running',
        max_concurrent_calls: 1,
        max_retries: 0,
        retry_interval_minutes: 1,
        due_at: dueAt,
        ...times,
      });
    const workflow = async (status: string, dueAt: Date | null) => {
      const row = { ...ids(), title: 'a', description: '', status, due_at: dueAt, ...times };
      await insert('workflows', row);
      return row.id;
    };
    const lead = (workflowId: string, phase: string, dueAt: number) =>
      insert('workflow_leads', {
        ...ids(),
        workflow_id: workflowId,
        phone_number: '1',
        metadata: '{}',
        status: 'in_progress',
        phase,
        due_at: new Date(dueAt),
        enrolled_at: now,
      });

    assert.deepEqual(
      await dues(),
      SOURCES.map(() => null),
    );
    // What cannot be done, or needs nobody.
    await insert('dial_inbox', { ...ids(), raw: '{}', failed_at: now });
    const node = randomUUID();
    await insert('nodes', { id: node, started_at: now, heartbeat_at: now });
    await upload('processing', 0, { leased_by: node });
    await upload('completed', 0);
    await campaign(null);
    await workflow('active', null);
    await lead(await workflow('paused', null), 'request', 0);
    assert.deepEqual(
      await dues(),
      SOURCES.map(() => null),
    );

    await insert('dial_inbox', { ...ids(), raw: '{}' });
    await insert('dial_gathered', { organization_id: randomUUID(), dial: randomUUID(), gathered_at: now });
    for (const at of [LATER, SOON]) {
      await upload('ready_for_processing', at);
      await campaign(new Date(at));
      await lead(await workflow('active', new Date(at)), 'request', at);
      await insert('live_calls', {
        call: randomUUID(),
        organization_id: randomUUID(),
        stage: 'waiting',
        due_at: new Date(at),
        ends_at: new Date(at + 1),
      });
    }
    assert.deepEqual(await dues(), [0, 0, SOON, SOON, SOON, SOON, SOON + 1, SOON]);
    // A list whose node is dead.
    await upload('processing', 1, { leased_by: randomUUID() });
    assert.equal(await due(UPLOADS_DUE), 1);
  });
}
