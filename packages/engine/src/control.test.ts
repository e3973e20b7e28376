import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, eventually, freshDatabase, Receiver, type TestDatabase } from '@dialhook/testing';
import {
  Engine,
  EngineError,
  LIMITS,
  Sealer,
  silentLog,
  standard,
  systemClock,
  uuidv7,
  type Dialect,
  type EngineOptions,
} from './index.ts';
import { Retention } from './retention.ts';

const DAY_MS = 86_400_000;

/** Gives up after two attempts, so that something is undelivered. */
const brief: Dialect = { ...standard, name: 'brief', retryDelaysMs: [10], jitter: 0 };

for (const kind of DATABASE_KINDS) {
  describe(`control on ${kind}`, () => {
    let place: TestDatabase;
    let receiver: Receiver;
    let engine: Engine;
    before(async () => {
      place = await freshDatabase(kind);
      receiver = await Receiver.start();
      engine = await start();
    });
    after(async () => {
      await engine.stop();
      await receiver.stop();
      await place.close();
    });

    async function start(options: Partial<EngineOptions> = {}): Promise<Engine> {
      const other = new Engine({
        database: place.database,
        dialects: [standard, brief],
        sealer: new Sealer(Buffer.alloc(32, 7)),
        allowPrivateTargets: true,
        ...options,
      });
      await other.start();
      return other;
    }
    const create = async (organizationId: string, more: { dialect?: string; rateLimit?: number; path?: string } = {}) => {
      const { path = `/${organizationId}`, ...rest } = more;
      return (await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path), ...rest })).endpoint;
    };
    const submit = (organizationId: string, count: number, type = 'a') =>
      engine.submit(Array.from({ length: count }, (_, n) => ({ organizationId, type, data: String(n) })));
    const to = (path: string) => receiver.received.filter((request) => request.path === path);
    const of = (organizationId: string, status?: 'delivered' | 'exhausted' | 'pending' | 'undelivered') =>
      engine.deliveries({ organizationId, status }, 1_000);
    const all = (organizationId: string, status: 'delivered' | 'exhausted' | 'pending', count: number) =>
      eventually(`${count} are ${status}`, async () => (await of(organizationId, status)).length === count);

    /** When requests were sent, by the sender's clock: on a busy machine they arrive in bunches. */
    const sendingTimes = (organizationId: string, endpointId: string, count: number) =>
      eventually(`${count} are delivered`, async () => {
        const rows = await engine.deliveries({ organizationId, endpointId, status: 'delivered' }, 1_000);
        return rows.length === count && rows.map(({ lastAttemptAt }) => lastAttemptAt!.getTime()).toSorted((a, b) => a - b);
      });

    test('a rate limit is kept in every second, and other endpoints are not slowed down', async () => {
      const organizationId = randomUUID();
      const endpoint = await create(organizationId, { rateLimit: 20 });
      await create(organizationId, { path: `/${organizationId}/free` });
      await submit(organizationId, 40);
      await receiver.until(() => to(`/${organizationId}/free`).length === 40);
      assert.ok(to(`/${organizationId}`).length < 30, 'the free one was done long before');
      const times = await sendingTimes(organizationId, endpoint.id, 40);
      for (const time of times) {
        const within = times.filter((other) => other >= time && other < time + 1_000).length;
        assert.ok(within <= 20 + 2, `${within} in one second`); // two more: what 100 ms may catch up
      }
      assert.ok(times.at(-1)! - times[0]! >= 1_800, 'forty at twenty a second');
    });

    test('nodes share a rate limit', async () => {
      const organizationId = randomUUID();
      const other = await start();
      await eventually('each knows of the other', async () => engine.activity.nodes === 2 && other.activity.nodes === 2);
      const { id } = await create(organizationId, { rateLimit: 20 });
      const half = (one: Engine) => one.submit(Array.from({ length: 20 }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
      await Promise.all([half(engine), half(other)]);
      const times = await sendingTimes(organizationId, id, 40);
      for (const time of times) {
        const within = times.filter((at) => at >= time && at < time + 1_000).length;
        assert.ok(within <= 20 + 4, `${within} in one second`); // each may catch up two
      }
      await other.stop();
    });

    test('a rate limit must be within its bounds, and can be taken away', async () => {
      const organizationId = randomUUID();
      for (const rateLimit of [0, -1, 0.01, 1e6, Number.NaN])
        await assert.rejects(
          create(organizationId, { rateLimit }),
          (error) => error instanceof EngineError && error.code === 'invalid_rate_limit',
        );
      const endpoint = await create(organizationId, { rateLimit: 0.5 });
      assert.equal(endpoint.rateLimit, 0.5);
      assert.equal((await engine.endpoints.update({ organizationId }, endpoint.id, { rateLimit: null }))!.rateLimit, null);
    });

    test('429 with Retry-After holds up the whole endpoint for that time', async () => {
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      await create(organizationId);
      receiver.answer = (request) =>
        request.path === path && to(path).length === 1 ? (_, response) => void response.writeHead(429, { 'retry-after': '1' }).end() : 200;
      await submit(organizationId, 1);
      await receiver.until(() => to(path).length === 1);
      await eventually('the answer is recorded', async () => (await of(organizationId, 'pending')).length === 1);
      await submit(organizationId, 5);
      await receiver.until(() => to(path).length === 6);
      const [first, ...others] = to(path).map(({ at }) => at);
      assert.ok(Math.min(...others) - first! >= 990, `the next came after ${Math.min(...others) - first!} ms`);
      receiver.answer = () => 200;
    });

    test('a backlog of retries does not hold up first attempts', async () => {
      const organizationId = randomUUID();
      const endpoint = await create(organizationId);
      await engine.endpoints.update({ organizationId }, endpoint.id, { paused: true });
      await submit(organizationId, 600, 'old');
      await place.database.query({
        text: `update deliveries set attempt_count = 1, due_at = due_at - interval '1 hour' where organization_id = $1`,
        values: [organizationId],
      });
      await submit(organizationId, 20, 'fresh');
      await engine.endpoints.update({ organizationId }, endpoint.id, { paused: false });
      await receiver.until(() => to(`/${organizationId}`).length === 620);
      const order = to(`/${organizationId}`).map(({ body }) => body.includes('"fresh"'));
      assert.ok(order.lastIndexOf(true) < 300, `the last fresh one came at ${order.lastIndexOf(true)}`);
    });

    test('a paused endpoint collects, also while another node has work for it, and sends after it is resumed', async () => {
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      // Before anything is in flight: on the embedded database a process that starts takes over from all others.
      const other = await start({ deliver: false });
      const endpoint = await create(organizationId, { rateLimit: 10 });
      await submit(organizationId, 30);
      await receiver.until(() => to(path).length >= 3);
      const paused = await other.endpoints.update({ organizationId }, endpoint.id, { paused: true });
      assert.ok(paused!.pausedAt);
      await eventually('nothing is in flight or waiting here', async () => {
        const rows = await engine.deliveries({ organizationId, status: 'in_flight' }, 100);
        return rows.length === 0;
      });
      const sent = to(path).length;
      assert.ok(sent < 25, `${sent} were sent before the pause was noticed`);
      await submit(organizationId, 10);
      await engine.endpoints.update({ organizationId }, endpoint.id, { rateLimit: null });
      await eventually('all of them wait', async () => (await of(organizationId, 'pending')).length === 40 - sent);
      assert.equal(to(path).length, sent);
      await other.endpoints.update({ organizationId }, endpoint.id, { paused: false });
      await all(organizationId, 'delivered', 40);
      assert.equal(to(path).length, 40, 'each was sent once');
      await other.stop();
    });

    test('a delivery is sent again: a finished one anew, a waiting one now, one of a deleted endpoint not', async () => {
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      const endpoint = await create(organizationId, { dialect: 'standard' });
      await submit(organizationId, 1);
      await all(organizationId, 'delivered', 1);
      const [done] = await of(organizationId);
      const again = await engine.replays.resend(organizationId, done!.id);
      assert.notEqual(again, done!.id);
      await all(organizationId, 'delivered', 2);
      const [a, b] = to(path);
      assert.equal(a!.body, b!.body);
      assert.equal(a!.headers['webhook-id'], b!.headers['webhook-id'], 'a receiver recognises it');
      receiver.answer = (request) => (request.path === path && to(path).length === 3 ? 500 : 200);
      await submit(organizationId, 1);
      await all(organizationId, 'pending', 1);
      const [waiting] = await of(organizationId, 'undelivered');
      assert.equal(waiting!.attemptCount, 1);
      assert.equal(await engine.replays.resend(organizationId, waiting!.id), waiting!.id);
      await all(organizationId, 'delivered', 3);
      await engine.endpoints.delete({ organizationId }, endpoint.id);
      const refused = (id: string, owner: string, code: string) =>
        assert.rejects(engine.replays.resend(owner, id), (error) => error instanceof EngineError && error.code === code);
      await refused(done!.id, organizationId, 'not_resendable');
      await refused(done!.id, randomUUID(), 'unknown_delivery');
      await refused(randomUUID(), organizationId, 'unknown_delivery');
      receiver.answer = () => 200;
    });

    test('a replay sends what its filter finds, once each, and leaves out what is gone', async () => {
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      const since = Date.now() - 60_000;
      await create(organizationId, { dialect: 'brief' });
      const doomed = await create(organizationId, { path: `${path}/doomed`, dialect: 'brief' });
      receiver.answer = (request) => (request.path.startsWith(path) ? 503 : 200);
      await submit(organizationId, 1_200, 'lost');
      await eventually(
        'everything is given up',
        async () => (await engine.replays.count({ organizationId, since, until: Date.now(), deliveryStatus: 'exhausted' })) === 2_400,
        30_000,
      );
      receiver.answer = () => 200;
      await submit(organizationId, 5, 'fine');
      await all(organizationId, 'delivered', 10);
      await engine.endpoints.delete({ organizationId }, doomed.id);
      receiver.received.length = 0;
      const filter = { organizationId, since, until: Date.now() + 60_000, deliveryStatus: 'exhausted', eventType: 'lost' } as const;
      assert.equal(await engine.replays.count(filter), 2_400);
      const started = await engine.replays.start(filter);
      assert.deepEqual([started.status, started.total], ['running', 2_400]);
      await eventually('it is done', async () => (await engine.replays.find(organizationId, started.id))!.status === 'completed');
      await receiver.until(() => to(path).length === 1_200);
      const { replayed, skipped, finishedAt } = (await engine.replays.find(organizationId, started.id))!;
      assert.deepEqual([replayed, skipped], [1_200, 1_200]);
      assert.ok(finishedAt);
      await eventually('nothing is left', async () => (await of(organizationId, 'pending')).length === 0);
      assert.equal(to(path).length, 1_200);
      assert.equal(new Set(to(path).map(({ headers }) => headers['webhook-id'])).size, 1_200);
      assert.deepEqual(
        (await engine.replays.list(organizationId)).map(({ id }) => id),
        [started.id],
      );
      assert.equal(await engine.replays.find(randomUUID(), started.id), null);
    });

    test('a replay can be stopped, needs a time range, and an organization has few at once', async () => {
      const organizationId = randomUUID();
      await create(organizationId);
      await submit(organizationId, 3);
      await all(organizationId, 'delivered', 3);
      const filter = { organizationId, since: Date.now() - 60_000, until: Date.now() + 1 };
      await assert.rejects(engine.replays.start({ ...filter, since: filter.until }), /since must be before until/);
      await place.database.transaction(async (tx) => {
        await tx.query({ text: 'lock table replays in share row exclusive mode' }); // no step is made meanwhile
        await tx.query({
          text: `insert into replays (id, organization_id, since, until, cursor, status, total, created_at)
                 select gen_random_uuid(), $1, $2, $2, $2, 'running', 0, now() + interval '1 hour' from generate_series(1, $3)`,
          values: [organizationId, uuidv7(Date.now()), LIMITS.runningReplays],
        });
        const [running] = await tx.query<{ id: string }>({
          text: `select id from replays where organization_id = $1`,
          values: [organizationId],
        });
        await tx.query({ text: `update replays set status = 'cancelled', finished_at = now() where id = $1`, values: [running!.id] });
      });
      const started = await engine.replays.start(filter);
      const cancelled = await engine.replays.cancel(organizationId, started.id);
      assert.notEqual(cancelled!.status, 'running');
      assert.equal(await engine.replays.cancel(randomUUID(), started.id), null);
    });

    test('an organization may keep its history for less time than the others', async () => {
      const [short, long] = [randomUUID(), randomUUID()];
      const past = await start({ clock: { ...systemClock, now: () => Date.now() - 6 * DAY_MS } });
      const history = (organizationId: string) =>
        of(organizationId, 'delivered').then((rows) => rows.map(({ eventType }) => eventType).sort());
      for (const organizationId of [short, long]) {
        await create(organizationId);
        await past.submit([{ organizationId, type: 'old', data: '1' }]);
        await submit(organizationId, 1, 'new');
        await all(organizationId, 'delivered', 2);
      }
      await past.stop();
      await assert.rejects(engine.retention.set(short, 3), (error) => error instanceof EngineError && /at least 4,/.test(error.message));
      assert.equal(await engine.retention.of(short), null);
      await engine.retention.set(short, 5);
      assert.deepEqual([await engine.retention.of(short), await engine.retention.of(long)], [5, null]);
      const trimming = await start({ deliver: false }); // every node trims when it starts, and then now and again
      await eventually('the old one is gone', async () => (await history(short)).length === 1);
      await trimming.stop();
      assert.deepEqual([await history(short), await history(long)], [['new'], ['new', 'old']]);
      const events = await place.database.query({ text: `select type from events where organization_id = $1`, values: [short] });
      assert.deepEqual(events, [{ type: 'new' }]);
      await engine.retention.set(short, null);
      assert.equal(await engine.retention.of(short), null);
    });

    test('a retention that is shorter than the longest retry schedule is raised to it', () => {
      const log = { ...silentLog, warn: (fields: unknown) => void warned.push(fields) };
      const warned: unknown[] = [];
      const days = (asked: number, retryDelayScale: number) =>
        new Retention({ database: place.database, dialects: [brief, standard], log, retryDelayScale, days: asked }).days;
      assert.deepEqual([days(1, 1), days(4, 1), days(1, 2), days(1, 0.001)], [4, 4, 7, 1]);
      assert.deepEqual(warned, [
        { asked: 1, days: 4 },
        { asked: 1, days: 7 },
      ]);
    });

    test('a system clock that is set back or forward loses nothing, sends nothing twice and does not stop anything', async () => {
      const organizationId = randomUUID();
      let offset = 0;
      const stepped = await start({ clock: { ...systemClock, now: () => Date.now() + offset } });
      await create(organizationId);
      const ids: string[] = [];
      for (const step of [0, -3_600_000, 1_800_000, -7_200_000, 0]) {
        offset = step;
        const batch = await stepped.submit(Array.from({ length: 50 }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
        ids.push(...batch);
        await receiver.until(() => to(`/${organizationId}`).length === ids.length);
      }
      await eventually('all are recorded', async () => (await of(organizationId, 'delivered')).length === ids.length);
      assert.equal(to(`/${organizationId}`).length, ids.length);
      await stepped.stop();
    });
  });
}
