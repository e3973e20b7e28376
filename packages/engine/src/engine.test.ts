import { strict as assert } from 'node:assert';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { standard as scheme, verify } from '@dialhook/webhooks';
import { DATABASE_KINDS, eventually, freshDatabase, Receiver, type Received, type TestDatabase } from '@dialhook/testing';
import { Engine, EngineError, LIMITS, PingFailed, Sealer, standard, type Delivery, type Dialect, type EngineOptions } from './index.ts';

/** A dialect that is no vendor's, with what `standard` lacks: a ping, quick retries, an automatic disable. */
const strict: Dialect = {
  ...standard,
  name: 'strict',
  eventTypes: ['thing.made', 'thing.gone'],
  defaultEvents: ['thing.made'],
  ping: { eventType: 'ping', timeoutMs: 500, data: () => '{"challenge":"c"}' },
  timeoutMs: 500,
  retryDelaysMs: [20, 20],
  jitter: 0,
  disableAfterFailures: 4,
  maxEndpoints: 2,
};

for (const kind of DATABASE_KINDS) {
  describe(`engine on ${kind}`, () => {
    let place: TestDatabase;
    let receiver: Receiver;
    const engines: Engine[] = [];
    before(async () => {
      place = await freshDatabase(kind);
      receiver = await Receiver.start();
    });
    after(async () => {
      for (const engine of engines) await engine.stop();
      await receiver.stop();
      await place.close();
    });

    async function start(options: Partial<EngineOptions> = {}): Promise<Engine> {
      const engine = new Engine({
        database: place.database,
        dialects: [standard, strict],
        sealer: new Sealer(Buffer.alloc(32, 7)),
        allowPrivateTargets: true,
        ...options,
      });
      await engine.start();
      engines.push(engine);
      return engine;
    }

    async function stop(engine: Engine): Promise<void> {
      engines.splice(engines.indexOf(engine), 1);
      await engine.stop();
    }

    const to = (path: string) => receiver.received.filter((request) => request.path === path);
    const finished = (engine: Engine, organizationId: string, count: number) =>
      eventually(`${count} deliveries are finished`, async () => {
        const rows = await engine.deliveries({ organizationId }, 1000);
        return rows.length === count && rows.every(({ finishedAt }) => finishedAt !== null) && rows;
      });

    test('an event reaches every subscribed endpoint, signed, and the log says so', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      const { endpoint, secret } = await engine.endpoints.create({
        organizationId,
        dialect: 'standard',
        url: receiver.url(path),
        headers: { 'X-Api-Key': 'k' },
      });
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`${path}/other`), events: ['other.type'] });
      const [eventId] = await engine.submit([{ organizationId, type: 'thing.made', data: '{"a": 1.0}' }]);
      await receiver.until(() => to(path).length === 1);
      const [request] = to(path);
      assert.match(request!.body, /^\{"type":"thing.made","timestamp":"[^"]+Z","data":\{"a": 1.0\}\}$/);
      assert.equal(request!.headers['x-api-key'], 'k');
      assert.equal(request!.headers['content-type'], 'application/json');
      await verify(scheme, { secret, body: request!.body, headers: request!.headers });
      const [delivery] = await finished(engine, organizationId, 1);
      assert.equal(delivery!.status, 'delivered');
      assert.equal(delivery!.eventId, eventId);
      assert.equal(delivery!.attemptCount, 1);
      const found = await engine.delivery(organizationId, delivery!.id);
      assert.deepEqual(
        found!.attempts.map(({ number, responseStatus, error }) => [number, responseStatus, error]),
        [[1, 200, null]],
      );
      const now = await engine.endpoints.find({ organizationId }, endpoint.id);
      assert.ok(now!.lastSuccessAt);
      assert.equal(to(`${path}/other`).length, 0);
      await stop(engine);
    });

    test('publish in a transaction that rolls back sends nothing and stores nothing', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
      const event = { organizationId, type: 'a', data: '{}' };
      await assert.rejects(
        place.database.transaction(async (tx) => {
          await engine.publish(tx, [event]);
          throw new Error('the domain change failed');
        }),
      );
      await place.database.transaction(async (tx) => void (await engine.publish(tx, [event])));
      await finished(engine, organizationId, 1);
      assert.equal(to(`/${organizationId}`).length, 1);
      await stop(engine);
    });

    test('a failing endpoint is retried on the schedule, then exhausted; a changed signature time each time', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      await engine.endpoints.create({ organizationId, dialect: 'strict', url: receiver.url(path) });
      receiver.answer = (r) => (r.path === path ? 500 : 200);
      await engine.submit([{ organizationId, type: 'thing.made', data: '{}' }]);
      const [delivery] = (await finished(engine, organizationId, 1)) as [Delivery];
      assert.equal(delivery.status, 'exhausted');
      assert.equal(delivery.attemptCount, 3);
      assert.equal(delivery.lastError, 'HTTP 500');
      assert.equal(delivery.lastResponseStatus, 500);
      assert.equal(to(path).length, 4, 'the ping and three attempts');
      receiver.answer = () => 200;
      await stop(engine);
    });

    test('an attempt that got no answer has no status in the log, whatever the one before it got', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      await engine.endpoints.create({ organizationId, dialect: 'strict', url: receiver.url(path) });
      receiver.answer = (r) => {
        if (r.path !== path) return 200;
        return to(path).length < 4 ? 500 : (request) => void request.socket.resetAndDestroy();
      };
      await engine.submit([{ organizationId, type: 'thing.made', data: '{}' }]);
      const [{ id }] = (await finished(engine, organizationId, 1)) as [Delivery];
      const { attempts } = (await engine.delivery(organizationId, id))!;
      assert.deepEqual(
        attempts.map(({ error, responseStatus }) => [responseStatus, error]),
        [
          [500, 'HTTP 500'],
          [500, 'HTTP 500'],
          [null, 'connection_error'],
        ],
      );
      receiver.answer = () => 200;
      await stop(engine);
    });

    test('failures in a row disable the endpoint; what waits continues after it is enabled again', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      const { endpoint } = await engine.endpoints.create({ organizationId, dialect: 'strict', url: receiver.url(path) });
      receiver.answer = (r) => (r.path === path ? 503 : 200);
      await engine.submit([{ organizationId, type: 'thing.made', data: '{"n":1}' }]);
      await finished(engine, organizationId, 1); // three failures
      await engine.submit([{ organizationId, type: 'thing.made', data: '{"n":2}' }]);
      const disabled = await eventually('the endpoint is disabled', async () => {
        const now = await engine.endpoints.find({ organizationId }, endpoint.id);
        return now?.isActive === false && now;
      });
      assert.equal(disabled.consecutiveFailures, 4);
      assert.equal(disabled.disabledReason, 'consecutive_failures');
      assert.ok(disabled.disabledAt);
      receiver.answer = () => 200;
      await engine.submit([{ organizationId, type: 'thing.made', data: '{"n":3}' }]);
      const waiting = await engine.deliveries({ organizationId, status: 'pending' }, 10);
      assert.equal(waiting.length, 1, 'the second waits, the third was skipped');
      const enabled = await engine.endpoints.update({ organizationId }, endpoint.id, { isActive: true });
      assert.equal(enabled!.consecutiveFailures, 0);
      assert.equal(enabled!.disabledAt, null);
      const rows = await finished(engine, organizationId, 2);
      assert.deepEqual(
        rows.map(({ status, attemptCount }) => [status, attemptCount]),
        [
          ['delivered', 2],
          ['exhausted', 3],
        ],
      );
      await stop(engine);
    });

    test('410 disables an endpoint of a dialect that says so', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const { endpoint } = await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
      receiver.answer = (r) => (r.path === `/${organizationId}` ? 410 : 200);
      await engine.submit([{ organizationId, type: 'a', data: '{}' }]);
      await finished(engine, organizationId, 1);
      const gone = await engine.endpoints.find({ organizationId }, endpoint.id);
      assert.deepEqual([gone!.isActive, gone!.disabledReason], [false, 'gone']);
      receiver.answer = () => 200;
      await stop(engine);
    });

    test('a ping that fails saves nothing, and a silent receiver costs the ping timeout', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      receiver.answer = () => 404;
      const input = { organizationId, dialect: 'strict', url: receiver.url('/p') };
      await assert.rejects(
        engine.endpoints.create(input),
        (error) => error instanceof PingFailed && error.status === 404 && error.reason === null,
      );
      receiver.answer = () => () => {};
      await assert.rejects(
        engine.endpoints.create(input),
        (error) => error instanceof PingFailed && error.status === null && error.reason === 'timeout',
      );
      receiver.answer = () => 200;
      assert.deepEqual(await engine.endpoints.list({ organizationId }), []);
      await stop(engine);
    });

    test('the endpoint limit holds under a race', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const create = () => engine.endpoints.create({ organizationId, dialect: 'strict', url: receiver.url('/race') });
      const results = await Promise.allSettled([create(), create(), create(), create(), create()]);
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 2);
      for (const result of results) if (result.status === 'rejected') assert.equal((result.reason as EngineError).code, 'endpoint_limit');
      await stop(engine);
    });

    test('deleting an endpoint ends its unfinished deliveries, and another organization cannot', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const { endpoint } = await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
      receiver.answer = (r) => (r.path === `/${organizationId}` ? 500 : 200);
      await engine.submit([{ organizationId, type: 'a', data: '{}' }]);
      await eventually(
        'the first attempt failed',
        async () => (await engine.deliveries({ organizationId }, 1))[0]?.lastError === 'HTTP 500',
      );
      assert.equal(await engine.endpoints.delete({ organizationId: randomUUID() }, endpoint.id), false);
      assert.equal(await engine.endpoints.delete({ organizationId }, endpoint.id), true);
      const [row] = await engine.deliveries({ organizationId }, 1);
      assert.deepEqual([row!.status, row!.lastError], ['exhausted', 'endpoint_deleted']);
      receiver.answer = () => 200;
      await stop(engine);
    });

    test('a replaced secret signs beside the new one in its overlap', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      const { endpoint, secret: old } = await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path) });
      const rotated = await engine.endpoints.rotateSecret({ organizationId }, endpoint.id);
      await engine.submit([{ organizationId, type: 'a', data: '{}' }]);
      await receiver.until(() => to(path).length === 1);
      const { body, headers } = to(path)[0]!;
      for (const secret of [old, rotated!.secret]) await verify(scheme, { secret, body, headers });
      await stop(engine);
    });

    test('rotations and header changes at once lose no secret that was shown', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      const { endpoint } = await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path) });
      const rotate = () => engine.endpoints.rotateSecret({ organizationId }, endpoint.id);
      const change = (n: number) => engine.endpoints.update({ organizationId }, endpoint.id, { headers: { 'X-N': String(n) } });
      const [a, , b, , c] = await Promise.all([rotate(), change(1), rotate(), change(2), rotate()]);
      await engine.submit([{ organizationId, type: 'a', data: '{}' }]);
      await receiver.until(() => to(path).length === 1);
      const { body, headers } = to(path)[0]!;
      for (const rotated of [a, b, c]) await verify(scheme, { secret: rotated!.secret, body, headers });
      assert.ok(headers['x-n']);
      await stop(engine);
    });

    test('what a node without senders accepted is sent by another; what a dead node held is taken over', async () => {
      const intake = await start({ deliver: false });
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      await intake.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path) });
      await intake.submit([{ organizationId, type: 'a', data: '1' }]);
      // A node that dies with a lease: its row and its lease stay as they were.
      await place.database.query({
        text: `insert into nodes (id, started_at, heartbeat_at) values ($1, now(), now() - $2 * interval '1 ms')`,
        values: [randomUUID(), LIMITS.deadAfterMs + 1],
      });
      await place.database.query({
        text: `update deliveries set leased_by = (select id from nodes where id <> $1), lease = lease + 1, due_at = now() + interval '1 min'
                where organization_id = $2`,
        values: [intake.nodeId, organizationId],
      });
      const worker = await start();
      await receiver.until(() => to(path).length === 1);
      await finished(worker, organizationId, 1);
      await stop(worker);
      await stop(intake);
    });

    test('a thousand concurrent submissions are stored and delivered once each', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path) });
      await Promise.all(Array.from({ length: 1000 }, (_, n) => engine.submit([{ organizationId, type: 'a', data: String(n) }])));
      await finished(engine, organizationId, 1000);
      assert.equal(new Set(to(path).map(({ headers }) => headers['webhook-id'])).size, 1000);
      assert.equal(to(path).length, 1000);
      await stop(engine);
    });

    test('an answer that never ends, or drips, costs its timeout and no more', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      await engine.endpoints.create({ organizationId, dialect: 'strict', url: receiver.url(path) });
      receiver.answer = (r) => (r.path !== path ? 200 : (_request, response) => response.writeHead(200).write('x'));
      await engine.submit([{ organizationId, type: 'thing.made', data: '{}' }]);
      const [row] = await finished(engine, organizationId, 1);
      assert.deepEqual([row!.status, row!.lastError, row!.lastResponseStatus], ['exhausted', 'timeout', null]);
      receiver.answer = (r) =>
        r.path !== path ? 200 : (_request, response) => response.writeHead(200).end(randomBytes(8 * LIMITS.responseBytes));
      await engine.submit([{ organizationId, type: 'thing.made', data: '{}' }]);
      const [big] = await finished(engine, organizationId, 2);
      assert.equal(big!.status, 'delivered', 'the status counts, the endless body is cut off');
      receiver.answer = () => 200;
      await stop(engine);
    });

    test('stopping waits for what is in flight, gives back what waits, and leaves no lease', async () => {
      const engine = await start();
      const organizationId = randomUUID();
      const path = `/${organizationId}`;
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path) });
      // The first ones are answered, so that several are in flight when the node stops.
      const answers: (() => void)[] = [];
      const hold = (r: Received) =>
        r.path === path && to(path).length > 20
          ? (_: unknown, response: { end(): unknown }) => void answers.push(() => response.end())
          : 200;
      receiver.answer = hold;
      await engine.submit(Array.from({ length: 100 }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
      await receiver.until(() => answers.length >= 4);
      const stopped = stop(engine);
      receiver.answer = () => 200;
      for (const answer of answers) answer();
      await stopped;
      const left = await engine.deliveries({ organizationId }, 1000);
      const count = (status: string) => left.filter((delivery) => delivery.status === status).length;
      const sent = to(path).length;
      assert.ok(sent < 100);
      assert.deepEqual([count('delivered'), count('pending')], [sent, 100 - sent]);
      const next = await start();
      await finished(next, organizationId, 100);
      assert.equal(to(path).length, 100, 'nothing was sent twice');
      await stop(next);
    });

    test('without permission, no private target is reached at all', async () => {
      const engine = await start({
        allowPrivateTargets: false,
        resolve: async (name) =>
          name === 'missing.example'
            ? []
            : [
                { address: '93.184.215.14', family: 4 },
                { address: '10.0.0.1', family: 4 },
              ],
      });
      const organizationId = randomUUID();
      const before = receiver.received.length;
      for (const url of [
        receiver.url(),
        'https://127.0.0.1/',
        'https://2130706433/',
        'https://[::ffff:127.0.0.1]/',
        'https://user@example.com/',
        'ftp://example.com/',
        'https://mixed.example/',
      ]) {
        await assert.rejects(
          engine.endpoints.create({ organizationId, dialect: 'standard', url }),
          (error) => error instanceof EngineError && error.code === 'invalid_url',
        );
      }
      // A name that leads into our network is told in the words for one that does not exist.
      for (const url of ['https://mixed.example/', 'https://missing.example/', 'https://10.0.0.1/']) {
        await assert.rejects(engine.endpoints.create({ organizationId, dialect: 'standard', url }), {
          message: 'must have a host name that resolves to public addresses',
          detail: 'dns_error',
        });
      }
      assert.equal(receiver.received.length, before);
      await stop(engine);
    });
  });
}
