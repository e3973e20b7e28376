import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DATABASE_KINDS, eventually, freshDatabase, Receiver } from '@dialhook/testing';
import { Engine, engineMigrations, migrate, migrationFiles, Sealer, standard, systemClock, uuidv7 } from './index.ts';
import { ensurePartitions } from './store/upkeep.ts';
import { sealSecrets } from './worker/targets.ts';

/** The last migration of the time in which every delivery had a row in the queue. */
const BEFORE_BATCHES = 3;

for (const kind of DATABASE_KINDS) {
  test(`a database with work in it is migrated to batches while the older version writes, on ${kind}`, async (t) => {
    const place = await freshDatabase(kind);
    const { database } = place;
    const receiver = await Receiver.start();
    const folder = mkdtempSync(join(tmpdir(), 'dialhook-migrations-'));
    let engine: Engine | null = null;
    t.after(async () => {
      await engine?.stop();
      await receiver.stop();
      await place.close();
      rmSync(folder, { recursive: true });
    });
    await database.upkeep.query({ text: 'drop schema public cascade' });
    await database.upkeep.query({ text: 'create schema public' });
    for (const file of migrationFiles(engineMigrations).slice(0, BEFORE_BATCHES))
      cpSync(join(engineMigrations.directory, file), join(folder, file));
    await migrate(database, [{ ...engineMigrations, directory: folder }]);
    await ensurePartitions(database, Date.now(), 1);

    const sealer = new Sealer(Buffer.alloc(32, 7));
    const [organizationId, endpointId, deadNode] = [randomUUID(), uuidv7(Date.now()), randomUUID()];
    const sealed = sealSecrets(sealer, { secrets: [{ value: standard.secret.generate(), until: null }], headers: {} }, endpointId);
    await database.query({
      text: `insert into endpoints (id, organization_id, dialect, url, sealed, version, created_at, updated_at)
             values ($1, $2, 'standard', $3, $4, 7, now(), now())`,
      values: [endpointId, organizationId, receiver.url('/hook'), sealed],
    });
    /** What the older version writes: an event, and its delivery as it is at that moment. */
    const publish = async (n: number, state: 'pending' | 'leased' | 'retry' | 'delivered') => {
      const [eventId, id] = [uuidv7(Date.now()), uuidv7(Date.now())];
      await database.query({
        text: `insert into events (id, organization_id, type, data, occurred_at) values ($1, $2, 'a', $3, now())`,
        values: [eventId, organizationId, String(n)],
      });
      const values = [id, organizationId, endpointId, eventId];
      if (state === 'delivered') {
        await database.query({
          text: `insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count,
                   scheduled_at, last_attempt_at, last_duration_ms, last_response_status, last_response_body, finished_at)
                 values ($1, $2, $3, $4, 'a', 'delivered', now(), 1, now(), now(), 5, 200, '', now())`,
          values,
        });
      } else {
        await database.query({
          text: `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, attempt_count, scheduled_at, due_at, leased_by, lease)
                 values ($1, $2, $3, $4, 'a', now(), $5, now(), now(), $6, 1)`,
          values: [...values, state === 'retry' ? 1 : 0, state === 'leased' ? deadNode : null],
        });
      }
    };
    for (let n = 0; n < 40; n++) await publish(n, (['pending', 'leased', 'retry', 'delivered'] as const)[n % 4]!);

    let written = 40;
    let isMigrating = true;
    const writing = (async () => {
      while (isMigrating) await publish(written, written++ % 2 === 0 ? 'pending' : 'delivered');
    })();
    const applied = await migrate(database, [engineMigrations]);
    isMigrating = false;
    await writing;
    assert.deepEqual(
      applied,
      migrationFiles(engineMigrations)
        .slice(BEFORE_BATCHES)
        .map((file) => `engine/${file}`),
    );
    for (let n = 0; n < 4; n++) await publish(written++, n % 2 === 0 ? 'pending' : 'delivered'); // the older version still runs

    // Twenty times as fast as life: before leases are taken over a node must have lived for ten seconds.
    const clock = {
      ...systemClock,
      monotonic: () => performance.now() * 20,
      after: (ms: number, effect: () => void) => systemClock.after(ms / 20, effect),
    };
    engine = new Engine({ database, dialects: [standard], sealer, clock, allowPrivateTargets: true });
    await engine.start();
    await engine.submit([{ organizationId, type: 'a', data: String(written++) }]);
    const listed = await eventually('all is delivered', async () => {
      const rows = await engine!.deliveries({ organizationId }, 1_000);
      return rows.every(({ status }) => status === 'delivered') && rows;
    });
    assert.equal(listed.length, written);
    const alreadyDelivered = 10 + Array.from({ length: written - 1 - 40 }, (_, n) => n).filter((n) => n % 2 === 1).length;
    assert.equal(receiver.received.length, written - alreadyDelivered, 'each once');
    const versions = await database.query({
      text: 'select version, url from endpoint_versions where endpoint_id = $1',
      values: [endpointId],
    });
    assert.deepEqual(versions, [{ version: 7, url: receiver.url('/hook') }]);
  });
}
