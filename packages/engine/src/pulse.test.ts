import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, eventually, freshDatabase, Receiver, type TestDatabase } from '@dialhook/testing';
import { CorrectedClock, Engine, Sealer, standard, systemClock, uuidTime, uuidv7, type Clock } from './index.ts';
import { lookAtClock } from './store/retention-clock.ts';
import { ensurePartitions } from './store/upkeep.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** A system whose time can be wrong, and whose processes can be stopped or the whole of it suspended. */
class Host implements Clock {
  /** What its time is ahead of the true one. */
  ahead = 0;
  /** What its monotonic clock saw pass although nothing ran. */
  stopped = 0;
  now = () => Date.now() + this.ahead;
  monotonic = () => performance.now() + this.stopped;
  after = systemClock.after;
}

describe('several nodes on postgres', () => {
  let place: TestDatabase;
  let receiver: Receiver;
  const engines = new Set<Engine>();
  before(async () => {
    place = await freshDatabase('postgres');
    receiver = await Receiver.start();
  });
  after(async () => {
    for (const engine of engines) await engine.stop();
    await receiver.stop();
    await place.close();
  });

  async function start(host: Host, onDeadNodes?: (ids: readonly string[]) => void): Promise<Engine> {
    const engine = new Engine({
      database: place.database,
      dialects: [standard],
      sealer: new Sealer(Buffer.alloc(32)),
      allowPrivateTargets: true,
      clock: new CorrectedClock(host),
      onDeadNodes,
    });
    await engine.start();
    engines.add(engine);
    return engine;
  }
  async function stop(engine: Engine): Promise<void> {
    engines.delete(engine);
    await engine.stop();
  }
  const endpoint = async (engine: Engine) => {
    const organizationId = randomUUID();
    await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
    return { organizationId, arrived: () => receiver.received.filter(({ path }) => path === `/${organizationId}`) };
  };
  const partitions = async () =>
    (
      await place.database.query<{ name: string }>({
        text: `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass order by 1`,
      })
    ).map(({ name }) => name);

  test('a node whose clock is 60 days ahead drops nothing, works with the database’s time, and says so', async () => {
    const { database } = place;
    await ensurePartitions(database, Date.now() - 20 * DAY_MS, 0);
    const old = uuidv7(Date.now() - 20 * DAY_MS);
    await database.query({
      text: `insert into events (id, organization_id, type, data, occurred_at) values ($1, $1, 'a', '{}', now())`,
      values: [old],
    });
    const host = new Host();
    host.ahead = 60 * DAY_MS;
    const ahead = await start(host);
    const other = await start(new Host());
    const { arrived, organizationId } = await endpoint(other);
    const ids = [
      ...(await ahead.submit([{ organizationId, type: 'a', data: '1' }])),
      ...(await other.submit([{ organizationId, type: 'a', data: '2' }])),
    ];
    await receiver.until(() => arrived().length === 2);
    for (const id of ids) assert.ok(Math.abs(uuidTime(id) - Date.now()) < MINUTE_MS, 'ids carry the true time');
    for (const { headers } of arrived()) assert.ok(Math.abs(Number(headers['webhook-timestamp']) * 1000 - Date.now()) < MINUTE_MS);
    assert.ok(Math.abs(ahead.activity.systemAheadMs - host.ahead) < MINUTE_MS);
    assert.ok(Math.abs(other.activity.systemAheadMs) < MINUTE_MS);
    host.ahead = -400 * DAY_MS; // and set back
    const [id] = await ahead.submit([{ organizationId, type: 'a', data: '3' }]);
    assert.ok(Math.abs(uuidTime(id!) - Date.now()) < MINUTE_MS);
    const names = await partitions();
    assert.ok(
      names.every((name) => name < `events_${new Date(Date.now() + 5 * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`),
      'no days of a false future',
    );
    await stop(ahead);
    await stop(other);
    assert.equal((await database.query({ text: 'select 1 from events where id = $1', values: [old] })).length, 1);
  });

  test('after an outage live nodes do not take each other for dead; a node that did not come back is', async () => {
    const hosts = [new Host(), new Host()];
    const dead: string[] = [];
    const [a, b] = await Promise.all(hosts.map((host) => start(host, (ids) => dead.push(...ids))));
    // Heartbeats without a gap for more than ten seconds, as their clocks see it.
    const heardAt = () => [a!, b!].map((engine, n) => hosts[n]!.monotonic() - engine.activity.silentMs);
    const beats = async () => {
      const last = heardAt();
      await eventually('both are heard', () => heardAt().every((at, n) => at > last[n]! + 1));
    };
    const steady = async () => {
      for (let n = 0; n < 4; n++) {
        for (const host of hosts) host.stopped += 2_500;
        await beats();
      }
    };
    const bury = async () => {
      const gone = randomUUID();
      await place.database.query({
        text: `insert into nodes (id, started_at, heartbeat_at) values ($1, now(), now() - interval '11 s')`,
        values: [gone],
      });
      await eventually('the dead one is found', () => dead.length > 0);
      assert.deepEqual(dead.splice(0), [gone]);
    };
    await steady();
    await bury();
    const startedAt = () => place.database.query({ text: 'select id, started_at from nodes order by id' });
    const before = await startedAt();
    // What both find when the database is back after twelve seconds.
    await place.database.query({ text: `update nodes set heartbeat_at = now() - interval '12 s'` });
    for (const host of hosts) host.stopped += 12_000;
    await beats();
    await beats();
    assert.deepEqual(dead, []);
    assert.deepEqual(await startedAt(), before, 'neither was removed meanwhile');
    // Bystanders are judged as before, once both have been heard for long enough.
    await steady();
    await bury();
    await stop(a!);
    await stop(b!);
  });

  test('a node that was stopped or suspended for long starts nothing until it was heard', async () => {
    const host = new Host();
    const engine = await start(host);
    const { arrived, organizationId } = await endpoint(engine);
    for (const sleep of [() => (host.stopped += 12_000), () => (host.ahead += 12_000)]) {
      const before = arrived().length;
      sleep();
      // Not leased by this node, which others may take for dead.
      const [id] = await engine.submit([{ organizationId, type: 'a', data: '1' }]);
      const rows = await place.database.query({ text: 'select leased_by from deliveries where event_id = $1', values: [id] });
      assert.deepEqual(rows.length === 0 ? 'sent' : rows, [{ leased_by: null }]);
      await receiver.until(() => arrived().length === before + 1);
    }
    await stop(engine);
  });

  test('a node that was taken for dead drops what waits; another one sends it', async () => {
    const engine = await start(new Host());
    const { arrived, organizationId } = await endpoint(engine);
    const open: ServerResponse[] = [];
    receiver.answer = () => (_request, response) => void open.push(response);
    await engine.submit(Array.from({ length: 300 }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
    await eventually('they are leased', () => engine.activity.held > 100);
    await place.database.query({ text: 'delete from nodes where id = $1', values: [engine.nodeId] });
    // In every turn of the event loop: what it dropped it may claim again soon.
    const deadline = performance.now() + 60_000;
    while (engine.activity.held > engine.activity.inFlight) {
      assert.ok(performance.now() < deadline, `${engine.activity.held} are held, ${engine.activity.inFlight} are in flight`);
      await setImmediate();
    }
    assert.ok(arrived().length < 300);
    receiver.answer = () => 200;
    for (const response of open) response.end();
    await stop(engine);
  });
});

for (const kind of DATABASE_KINDS)
  test(`retention goes by the time that really passed, whatever the database's clock does, on ${kind}`, async (t) => {
    const place = await freshDatabase(kind);
    t.after(() => place.close());
    const { database } = place;
    // The minute that a look may go on by, and as long for a slow machine.
    const near = (time: number, wanted: number) =>
      assert.ok(Math.abs(time - wanted) < 2 * MINUTE_MS, `${(time - wanted) / DAY_MS} days off`);
    const set = (trusted: string, looked: string) =>
      database.query({
        text: `update retention_clock set trusted_at = now() + interval '${trusted}', looked_at = now() + interval '${looked}'`,
      });
    const look = async (elapsedMs: number | null) => (await lookAtClock(database, elapsedMs)).time;

    near(await look(null), Date.now());
    near(await look(MINUTE_MS), Date.now());
    // The clock leapt sixty days ahead since the last look; a minute passed.
    await set('-60 days', '-60 days');
    near(await look(MINUTE_MS), Date.now() - 60 * DAY_MS);
    for (let n = 0; n < 5; n++) near(await look(MINUTE_MS), Date.now() - 60 * DAY_MS); // other nodes too
    // From then on a day for each day.
    await set('-60 days', '-1 day');
    near(await look(5 * DAY_MS), Date.now() - 59 * DAY_MS);
    // A start cannot know how long nobody looked: it is given one day.
    await set('-60 days', '-60 days');
    near(await look(null), Date.now() - 59 * DAY_MS);
    near(await look(null), Date.now() - 59 * DAY_MS);
    // Set back, and forward again: nothing is made old by that.
    await set('0', '60 days');
    near(await look(MINUTE_MS), Date.now());
    await set('60 days', '60 days');
    near(await look(MINUTE_MS), Date.now());
  });

test('the clock agrees with the database, does not tremble, and never goes back a little', () => {
  const host = { time: 1_000_000, mono: 0, now: () => host.time, monotonic: () => host.mono, after: () => () => {} };
  const clock = new CorrectedClock(host);
  assert.equal(clock.now(), 1_000_000, 'the system’s, before anything is known');
  clock.correct(5_000_000, 0, 10);
  assert.equal(clock.now(), 4_999_995);
  host.time = 7; // whatever is done to it
  host.mono = 1_000;
  assert.equal(clock.now(), 5_000_995);
  clock.correct(5_001_500, 1_000, 2_000); // a slow answer that agrees changes nothing
  assert.equal(clock.now(), 5_000_995);
  clock.correct(5_000_000, 1_000, 1_010); // a second back: waited for
  assert.equal(clock.now(), 5_000_995);
  host.mono = 1_500;
  assert.equal(clock.now(), 5_000_995);
  host.mono = 3_000;
  assert.equal(clock.now(), 5_002_000);
  clock.correct(1_000_000, 3_000, 3_000); // a promoted standby, far back: followed, but ids are not
  assert.equal(clock.now(), 1_000_000);
  assert.ok(uuidTime(uuidv7(clock.now())) >= 5_002_000);
});
