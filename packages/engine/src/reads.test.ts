import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, Watched, type TestDatabase } from '@dialhook/testing';
import { measureBacklog, measureOrganization } from './backlog.ts';
import { DeliveryLog } from './delivery-log.ts';
import { countReplayable } from './replay-count.ts';
import { Engine, LIMITS, Sealer, standard, systemClock, uuidFloor, uuidv7, type DeliveryFilter } from './index.ts';
import { checkKey } from './store/key-check.ts';
import { ensurePartitions } from './store/upkeep.ts';

const DAY_MS = 86_400_000;
/** Of each organization; a statement that reads all of them is found by its work. */
const HISTORY = 30_000;
const QUEUE = 15_000;
const ENDPOINTS = 30;
/** An index look-up and the row that it leads to, in two places. */
const MOST_ROWS = 3 * LIMITS.maxReadStepRows;
/** Enough for any machine: what is asked here is the work of a statement, not its time. */
const NO_LIMIT_MS = 600_000;

for (const kind of DATABASE_KINDS)
  describe(`long reads on ${kind}`, () => {
    let place: TestDatabase;
    let watched: Watched;
    const sealer = new Sealer(Buffer.alloc(32, 7));
    const now = Math.floor(Date.now() / 1000) * 1000;
    const organizations = [randomUUID(), randomUUID()] as const;
    const [ours, theirs] = organizations;
    const endpoints = organizations.map(() => Array.from({ length: ENDPOINTS }, () => uuidv7(now - 10 * DAY_MS)).sort());
    const run = (text: string, values: readonly unknown[] = []) => place.database.query<Record<string, unknown>>({ text, values });

    before(async () => {
      place = await freshDatabase(kind);
      await checkKey(place.database, sealer); // before there are endpoints whose secrets nobody sealed
      for (const days of [0, 3, 6]) await ensurePartitions(place.database.upkeep, now - days * DAY_MS, 3);
      // An id of any time, and of any number to go with it.
      await run(`create function made_id(ms float8, n bigint) returns uuid language sql immutable as
                 $$ select (lpad(to_hex(floor(ms)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid $$`);
      for (const [index, organizationId] of organizations.entries()) {
        await run(
          `insert into endpoints (id, organization_id, dialect, url, sealed, paused_at, created_at, updated_at)
           select id, $1, 'standard', 'https://example.com/', '', case when n = 1 then now() end, now(), now()
             from unnest($2::uuid[]) with ordinality as e (id, n)`,
          [organizationId, endpoints[index]],
        );
        await run(
          `insert into endpoint_versions (endpoint_id, version, organization_id, dialect, url, created_at)
           select id, 1, organization_id, dialect, url, created_at from endpoints where organization_id = $1`,
          [organizationId],
        );
        // Six days, every endpoint in turn; the oldest is of a rare type, and every thousandth was given up.
        await run(
          `insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count, scheduled_at, finished_at)
           select made_id($3::float8 - n * ${(6 * DAY_MS) / HISTORY}, $4::int), $1, ($2::uuid[])[1 + n % ${ENDPOINTS}], made_id($3, n),
                  case when n = ${HISTORY} then 'rare' else 'a' end, case when n % 1000 = 0 then 'exhausted' else 'delivered' end, now(), 1, now(), now()
             from generate_series(1, ${HISTORY}) n`,
          [organizationId, endpoints[index], now, index],
        );
        await run(
          `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at, attempt_count)
           select made_id($3::float8 - n * 1000, 1000 + $4::int), $1, ($2::uuid[])[1 + n % ${ENDPOINTS}], made_id($3, n),
                  case when n = ${QUEUE} then 'rare' else 'a' end, now(), now(), now() + case when n % 3 = 0 then 1 else -1 end * interval '1 h', n % 2
             from generate_series(1, ${QUEUE}) n`,
          [organizationId, endpoints[index], now, index],
        );
      }
    });
    after(() => place.close());

    /** All pages of a listing, and what its statements read. */
    async function pages(filter: DeliveryFilter, limit: number): Promise<string[]> {
      const ids: string[] = [];
      for (let before: string | undefined; ;) {
        watched = new Watched(place.database.reads);
        const { deliveries, isCut, next } = await new DeliveryLog(watched, systemClock, { ...filter, before }, limit).read(NO_LIMIT_MS);
        assert.ok(watched.mostRows <= MOST_ROWS, JSON.stringify(watched.statements));
        assert.ok(!isCut);
        assert.ok(deliveries.every(({ organizationId }) => organizationId === filter.organizationId));
        ids.push(...deliveries.map(({ id }) => id));
        if (next === null) return ids;
        assert.equal(deliveries.length, limit);
        before = next;
      }
    }
    const expected = async (organizationId: string, queue: string, history: string) => {
      const rows = await run(
        `select id from deliveries where organization_id = $1 and ${queue}
         union all select id from finished_deliveries where organization_id = $1 and ${history} order by id desc`,
        [organizationId],
      );
      return rows.map(({ id }) => id);
    };

    test('a listing that no index answers reads a few rows with each statement, and finds all of its own', async () => {
      for (const organizationId of organizations) {
        const rare = await pages({ organizationId, eventType: 'rare' }, 10);
        assert.deepEqual(rare, await expected(organizationId, `event_type = 'rare'`, `event_type = 'rare'`));
        assert.equal(rare.length, 2);
        assert.ok(watched.statements.length > HISTORY / MOST_ROWS, 'it went in steps');
        const given = await pages({ organizationId, status: 'exhausted' }, 7);
        assert.deepEqual(given, await expected(organizationId, 'false', `status = 'exhausted'`));
        assert.equal(given.length, HISTORY / 1000);
        assert.deepEqual(await pages({ organizationId, eventType: 'rare', status: 'pending' }, 1), [rare[0]]);
        assert.deepEqual(await pages({ organizationId, eventType: 'rare', status: 'undelivered' }, 1), rare.slice(1));
        assert.deepEqual(await pages({ organizationId, status: 'in_flight' }, 1), []);
      }
      assert.deepEqual(await pages({ organizationId: randomUUID() }, 10), []);
    });

    test('what a replay would find is counted in steps, by every part of its filter, and no further than asked', async () => {
      const range = { organizationId: ours, since: now - 4 * DAY_MS, until: now - DAY_MS };
      const endpointId = endpoints[0]![3]!;
      for (const [more, condition] of [
        [{}, 'true'],
        [{ endpointId }, `endpoint_id = '${endpointId}'`],
        [{ deliveryStatus: 'exhausted' }, `status = 'exhausted'`],
        [{ eventType: 'rare', since: 0 }, `event_type = 'rare'`],
        [{ endpointId: endpoints[1]![3]! }, 'false'],
      ] as const) {
        const filter = { ...range, ...more };
        watched = new Watched(place.database.reads);
        const count = await countReplayable(watched, systemClock, filter, HISTORY);
        const [row] = await run(
          `select count(*) as count from finished_deliveries where organization_id = $1 and id >= $2 and id < $3 and ${condition}`,
          [ours, uuidFloor(filter.since), uuidFloor(filter.until)],
        );
        assert.equal(count, row!.count, JSON.stringify(more));
        assert.ok(watched.mostRows <= MOST_ROWS, JSON.stringify(watched.statements));
      }
      assert.equal(await countReplayable(watched, systemClock, range, 10), 10);
    });

    test('pages of everything come in order and without a gap, over the places and days', async () => {
      const since = now - DAY_MS;
      const filter = { organizationId: ours, since, until: now - DAY_MS / 2 };
      const rows = await expected(ours, 'true', 'true');
      const asked = rows.filter((id) => String(id) >= uuidFloor(since) && String(id) < uuidFloor(filter.until));
      assert.deepEqual(await pages(filter, 1_000), asked);
      const endpointId = endpoints[0]![3]!;
      assert.deepEqual(
        await pages({ organizationId: ours, endpointId }, 500),
        await expected(ours, `endpoint_id = '${endpointId}'`, `endpoint_id = '${endpointId}'`),
      );
      assert.deepEqual(await pages({ organizationId: theirs, endpointId }, 500), []);
    });

    test('a page whose time ran out says how far it came, and the next goes on from there', async () => {
      const slow = { ...systemClock, monotonic: () => (ms += 1) };
      let ms = 0;
      const filter = { organizationId: ours, eventType: 'rare' };
      const found: string[] = [];
      let cuts = 0;
      for (let before: string | undefined; ;) {
        const { deliveries, isCut, next } = await new DeliveryLog(place.database.reads, slow, { ...filter, before }, 10).read(40);
        found.push(...deliveries.map(({ id }) => id));
        if (next === null) break;
        assert.ok(isCut);
        assert.ok(before === undefined || next < before, 'it came further');
        before = next;
        cuts += 1;
      }
      assert.ok(cuts > 0);
      assert.deepEqual(found, await expected(ours, `event_type = 'rare'`, `event_type = 'rare'`));
      await assert.rejects(new DeliveryLog(place.database.reads, slow, filter, 10).read(0), { code: 'read_timeout' });
    });

    test('what waits is counted in steps, for all and for one', async () => {
      watched = new Watched(place.database.reads);
      const all = await measureBacklog(watched, systemClock);
      assert.ok(watched.mostRows <= MOST_ROWS, JSON.stringify(watched.statements));
      assert.ok(watched.statements.length > (2 * QUEUE) / MOST_ROWS);
      const [due] = await run(
        `select count(*) as due from deliveries d join endpoints e on e.id = d.endpoint_id where e.paused_at is null and d.due_at <= now()`,
      );
      assert.deepEqual([all.due, all.pending], [due!.due, 2 * QUEUE]);
      assert.ok(all.oldestDueMs >= 3_600_000);
      for (const organizationId of organizations) {
        watched = new Watched(place.database.reads);
        const one = await measureOrganization(watched, systemClock, organizationId);
        assert.ok(watched.mostRows <= 2 * LIMITS.countedDeliveries, JSON.stringify(watched.statements));
        assert.deepEqual([one.due, one.pending, one.retries, one.isAtLeast], [Number(due!.due) / 2, QUEUE, QUEUE / 2, false]);
      }
      const none = await measureOrganization(place.database.reads, systemClock, randomUUID());
      assert.deepEqual(none, { due: 0, pending: 0, retries: 0, oldestDueMs: 0, isAtLeast: false });
    });

    test('what is published during a long read is stored before the read ends', async (t) => {
      const engine = new Engine({
        database: place.database,
        dialects: [standard],
        sealer,
        deliver: false,
      });
      await engine.start();
      t.after(() => engine.stop());
      for (const read of [
        () => engine.deliveryPage({ organizationId: ours, eventType: 'not there' }, 10),
        () => engine.backlog(),
        () => engine.backlogOf(ours),
      ]) {
        let isOver = false;
        const reading = read().then(() => (isOver = true));
        await engine.submit([{ organizationId: randomUUID(), type: 'a', data: '{}' }]);
        assert.ok(!isOver, 'the read was still going on');
        await reading;
      }
    });
  });
