import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  DATABASE_KINDS,
  eventually,
  FakeClock,
  freshDatabase,
  openAdmin,
  Receiver,
  StatementCount,
  type TestDatabase,
} from '@dialhook/testing';
import { Agenda, Engine, LIMITS, Sealer, silentLog, standard, systemClock, uuidv7 } from './index.ts';
import { AT_ONCE, dueWhile, findDueTimes } from './store/agenda.ts';
import { ABANDONED_BATCHES_DUE } from './store/batches.ts';
import { DELIVERIES_DUE } from './store/claim.ts';
import { DEAD_NODES_DUE, EXPIRED_LEASES_DUE } from './store/nodes.ts';
import { REPLAYS_DUE } from './store/replays.ts';
import { ensurePartitions } from './store/upkeep.ts';

const HOUR_MS = 3_600_000;
/** Statements that an idle node may make in a minute, and those of the works that come once a minute, whenever they come. */
const IDLE_STATEMENTS = 200;
const MINUTELY_STATEMENTS = 20;

for (const kind of DATABASE_KINDS) {
  describe(`the agenda on ${kind}`, () => {
    let place: TestDatabase;
    let receiver: Receiver;
    before(async () => {
      place = await freshDatabase(kind);
      receiver = await Receiver.start();
      await ensurePartitions(place.database, Date.now(), 1);
    });
    after(async () => {
      await receiver.stop();
      await place.close();
    });
    const run = (text: string, values: unknown[] = []) => place.database.query({ text, values });
    const due = async (source = DELIVERIES_DUE) => (await findDueTimes(place.database, [source]))[0];
    const empty = () => run('truncate deliveries, endpoints, events, batches, nodes, replays');

    async function endpoint(more: { isActive?: boolean; isPaused?: boolean; url?: string } = {}): Promise<string> {
      const id = uuidv7(Date.now());
      const sealed = new Sealer(Buffer.alloc(32, 7)).seal(JSON.stringify({ secrets: [], headers: {} }), id);
      await run(
        `insert into endpoints (id, organization_id, dialect, url, sealed, is_active, paused_at, created_at, updated_at)
         values ($1, $2, 'standard', $3, $4, $5, case when $6 then now() end, now(), now())`,
        [id, randomUUID(), more.url ?? 'http://127.0.0.1:1/', sealed, more.isActive ?? true, more.isPaused ?? false],
      );
      return id;
    }
    async function delivery(endpointId: string, dueAt: number, more: { attempts?: number; leasedBy?: string } = {}): Promise<string> {
      const id = uuidv7(Date.now());
      await run(
        `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at, attempt_count, leased_by)
         values ($1, $2, $3, $2, 'a', now(), $4, $4, $5, $6)`,
        [id, randomUUID(), endpointId, new Date(dueAt), more.attempts ?? 0, more.leasedBy ?? null],
      );
      return id;
    }

    test('deliveries are due when a claim may take them: the soonest of all endpoints', async () => {
      await empty();
      assert.equal(await due(), null);
      const [soon, later] = [Date.now() + HOUR_MS, Date.now() + 2 * HOUR_MS];
      // Bystanders that nobody can send to now.
      const [paused, off, busy] = [await endpoint({ isPaused: true }), await endpoint({ isActive: false }), await endpoint()];
      await delivery(paused, 0);
      await delivery(off, 0, { attempts: 1 });
      await delivery(randomUUID(), 0);
      await delivery(busy, 0, { leasedBy: randomUUID() });
      assert.equal(await due(), null);
      const [one, two] = [await endpoint(), await endpoint()];
      await delivery(one, later, { attempts: 1 });
      assert.equal(await due(), later);
      await delivery(two, soon, { attempts: 3 });
      await delivery(two, later, { attempts: 1 });
      assert.equal(await due(), soon);
      await delivery(one, later);
      assert.ok((await due())! <= Date.now(), 'a first attempt is due whatever the clock says');
      await run('update deliveries set leased_by = $1 where attempt_count = 0', [randomUUID()]);
      assert.equal(await due(), soon);
      await run('update endpoints set paused_at = now() where id = $1', [two]);
      assert.equal(await due(), later);
    });

    test('a time within a millisecond is the next whole one: not a moment too early', async () => {
      const text = `select timestamptz '2026-01-01 00:00:00.0001+00'`;
      assert.equal(await due({ name: 'odd', text }), Date.parse('2026-01-01T00:00:00.001Z'));
    });

    test('with work for more endpoints than a claim looks at, it is due at once', async () => {
      await empty();
      await run(
        `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at, attempt_count)
         select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'a', now(), now(), now() + interval '1 hour', 1
           from generate_series(1, $1::int)`,
        [LIMITS.claimEndpoints - 1],
      );
      assert.equal(await due(), null, 'none of them has an endpoint');
      await delivery(randomUUID(), Date.now() + HOUR_MS, { attempts: 1 });
      assert.ok((await due())! <= Date.now());
    });

    test('leases that ran out, dead nodes, abandoned batches and running replays are due at once, others never', async () => {
      await empty();
      const alive = randomUUID();
      const sources = [EXPIRED_LEASES_DUE, DEAD_NODES_DUE, ABANDONED_BATCHES_DUE, REPLAYS_DUE];
      const isDue = async () => (await findDueTimes(place.database, sources)).map((time) => time !== null && time <= Date.now());
      await run(`insert into nodes (id, started_at, heartbeat_at) values ($1, now(), now())`, [alive]);
      await delivery(randomUUID(), Date.now() + HOUR_MS, { leasedBy: alive });
      const batch = (node: string, inSeconds: number) =>
        run(
          `insert into batches (id, node_id, ends_at, created_at, delivery_ids, event_ids, endpoint_ids)
           values (gen_random_uuid(), $1, now() + $2 * interval '1 s', now(), '{}', '{}', '{}')`,
          [node, inSeconds],
        );
      await batch(alive, 60);
      const replay = (status: string) =>
        run(
          `insert into replays (id, organization_id, since, until, cursor, status, total, created_at)
           values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $1, 0, now())`,
          [status],
        );
      await replay('completed');
      assert.deepEqual(await isDue(), [false, false, false, false]);
      await delivery(randomUUID(), Date.now() - HOUR_MS, { leasedBy: alive });
      assert.deepEqual(await isDue(), [true, false, false, false]);
      await run(`insert into nodes (id, started_at, heartbeat_at) values (gen_random_uuid(), now(), now() - interval '11 s')`);
      assert.deepEqual(await isDue(), [true, true, false, false]);
      await batch(randomUUID(), 60);
      assert.deepEqual(await isDue(), [true, true, true, false]);
      await run('delete from batches where node_id <> $1', [alive]);
      await batch(alive, -1);
      await replay('running');
      assert.deepEqual(await isDue(), [true, true, true, true]);
    });

    test('each kind of work is asked for as often as it needs, started in its time, and a wrong question stops nobody', async () => {
      await empty();
      const clock = new FakeClock();
      const agenda = new Agenda({ database: place.database, clock, log: silentLog, aloneSince: () => Infinity });
      const done: string[] = [];
      const item = (name: string, text: string, everyMs: number) =>
        agenda.alarm({ source: { name, text }, everyMs, work: async () => (done.push(name), false) });
      const at = (ms: number) => `select to_timestamp(${(clock.now() + ms) / 1000})`;
      const alarms = [
        item('soon', at(700), 500),
        item('far', at(60_000), 500),
        item('never', 'select null::timestamptz', 500),
        item('seldom', `select ${AT_ONCE}`, 2_000),
        agenda.alarm({ source: dueWhile('nodes', 'nodes'), everyMs: 500, work: async () => (done.push('nodes'), false) }),
      ];
      const stopped = item('stopped', `select ${AT_ONCE}`, 500);
      agenda.start();
      for (const alarm of alarms) alarm.start();
      await place.database.hot.query({ text: 'select 1' }); // its connection is open
      const asked = new StatementCount();
      const step = async () => {
        const before = asked.count;
        clock.advance(500);
        await eventually('it looked', () => asked.count > before);
        await asked.settled();
      };
      await step(); // the first look
      done.length = 0;
      const from = asked.count;
      for (let n = 0; n < 8; n++) await step();
      assert.equal(asked.count - from, 8, 'one statement for all of them');
      assert.deepEqual(
        { soon: done.filter((name) => name === 'soon').length > 0, seldom: done.filter((name) => name === 'seldom').length },
        { soon: true, seldom: 2 },
      );
      for (const name of ['far', 'never', 'nodes', 'stopped']) assert.ok(!done.includes(name), name);
      const wrong = item('wrong', 'select no_such_column', 500);
      done.length = 0;
      wrong.start();
      clock.advance(500);
      await eventually('all of them were tried', () => ['far', 'never', 'nodes'].every((name) => done.includes(name)));
      assert.ok(!stopped.isStarted && !done.includes('stopped'));
      asked.stop();
      await agenda.stop();
      for (const alarm of [...alarms, wrong]) await alarm.stop();
    });

    test('alone, and with nothing done since, it does not ask again until something is due, or seconds later', async () => {
      await empty();
      const clock = new FakeClock();
      let isAlone = true;
      const since = clock.monotonic() - 1;
      const agenda = new Agenda({ database: place.database, clock, log: silentLog, aloneSince: () => (isAlone ? since : Infinity) });
      let works = 0;
      const source = { name: 'work', text: 'select min(due_at) from deliveries' };
      const alarm = agenda.alarm({ source, everyMs: 500, work: async () => ((works += 1), false) });
      agenda.start();
      alarm.start();
      await place.database.hot.query({ text: 'select 1', isLook: true });
      const asked = new StatementCount();
      /** The looks in so many half seconds. */
      const looksIn = async (steps: number) => {
        const before = asked.count;
        for (let n = 0; n < steps; n++) {
          clock.advance(500);
          await asked.settled();
        }
        return asked.count - before;
      };
      assert.equal(await looksIn(1), 1);
      assert.equal(await looksIn(8), 0);
      assert.equal(await looksIn(4), 1, 'after five seconds');
      const other = uuidv7(Date.now());
      await delivery(other, clock.now() + 3_200, { attempts: 1 }); // a use of this process
      assert.equal(await looksIn(4), 1);
      works = 0;
      assert.ok((await looksIn(4)) > 0, 'asked once more as it comes close');
      assert.ok(works > 0, 'done in time');
      await run('truncate deliveries');
      assert.equal(await looksIn(4), 1);
      isAlone = false;
      assert.equal(await looksIn(4), 4, 'another node makes work unseen');
      asked.stop();
      await agenda.stop();
      await alarm.stop();
    });

    test('an idle engine makes few statements, and sends on time what nobody announced to it', async () => {
      await empty();
      const engine = new Engine({
        database: place.database,
        dialects: [standard],
        sealer: new Sealer(Buffer.alloc(32, 7)),
        allowPrivateTargets: true,
        clock: systemClock,
      });
      await engine.start();
      const organizationId = randomUUID();
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url('/late') });
      receiver.answer = () => 500;
      await engine.submit([{ organizationId, type: 'a', data: '1' }]);
      await eventually('its first attempt failed', async () => {
        const [found] = await engine.deliveries({ organizationId }, 1);
        return found?.status === 'pending' && found.attemptCount === 1;
      });
      receiver.answer = () => 200;
      await run(`update deliveries set due_at = now() + interval '1 hour' where organization_id = $1`, [organizationId]);

      const asked = new StatementCount();
      const began = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const allowed = MINUTELY_STATEMENTS + (IDLE_STATEMENTS * (performance.now() - began)) / 60_000;
      assert.ok(asked.count <= allowed, `${asked.count} statements, ${allowed} allowed`);
      asked.stop();

      // As another node would: nothing tells this one.
      const arrived = receiver.received.length;
      const dueAt = Date.now() + 1_200;
      const update = 'update deliveries set due_at = $2, scheduled_at = $2 where organization_id = $1';
      const stranger = kind === 'postgres' ? await openAdmin(place) : place.database;
      await stranger.query({ text: update, values: [organizationId, new Date(dueAt)] });
      if (stranger !== place.database) await stranger.close();
      await receiver.until(() => receiver.received.length > arrived);
      assert.ok(Date.now() >= dueAt, 'not before its time');
      await engine.stop();
    });
  });
}
