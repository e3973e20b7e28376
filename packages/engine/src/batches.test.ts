import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { ServerResponse } from 'node:http';
import { DATABASE_KINDS, eventually, freshDatabase, Receiver, type TestDatabase } from '@dialhook/testing';
import {
  Engine,
  EngineError,
  isUniqueViolation,
  LIMITS,
  Sealer,
  standard,
  uuidFloor,
  uuidTime,
  uuidv7,
  type Dialect,
  type EngineOptions,
} from './index.ts';
import type { Batch } from './core/batch.ts';
import type { LeasedDelivery } from './core/delivery.ts';
import { explodeBatches, findAbandonedBatches, takeOverBatch } from './store/batches.ts';
import type { Transaction } from './store/database.ts';
import { DatabaseUnavailable } from './store/trouble.ts';
import { endWaiting } from './store/endings.ts';
import { endExpiredLeases, heartbeat, removeNode } from './store/nodes.ts';
import { publishEvents, type PublishOptions } from './store/publish.ts';
import { recordBatched } from './store/record/batched.ts';
import { recordDelivered } from './store/record/delivered.ts';
import { recordQueued } from './store/record/queued.ts';
import { NOTHING_SENT, type Result } from './store/record/result.ts';
import { insertReplay, stepReplay } from './store/replays.ts';

const DAY_MS = 86_400_000;
/** Gives up after two attempts and three failures in a row. */
const brief: Dialect = { ...standard, name: 'brief', retryDelaysMs: [10], jitter: 0, disableAfterFailures: 3 };

for (const kind of DATABASE_KINDS) {
  describe(`batches on ${kind}`, () => {
    let place: TestDatabase;
    let receiver: Receiver;
    const engines: Engine[] = [];
    /** A node that is alive and does nothing: its statements are made by hand. */
    const nodeId = randomUUID();
    before(async () => {
      place = await freshDatabase(kind);
      receiver = await Receiver.start();
      const first = await start({ deliver: false }); // makes the partitions
      await first.stop();
    });
    beforeEach(async () => {
      receiver.answer = () => 200;
      await heartbeat(place.database, nodeId, true);
    });
    after(async () => {
      for (const engine of engines) await engine.stop();
      await receiver.stop();
      await place.close();
    });

    async function start(options: Partial<EngineOptions> = {}): Promise<Engine> {
      const engine = new Engine({
        database: place.database,
        dialects: [standard, brief],
        sealer: new Sealer(Buffer.alloc(32, 7)),
        allowPrivateTargets: true,
        ...options,
      });
      await engine.start();
      return engine;
    }
    async function running(options: Partial<EngineOptions> = {}): Promise<Engine> {
      const engine = await start(options);
      engines.push(engine);
      await heartbeat(place.database, nodeId, true); // on the embedded database a process that starts takes over from all others
      return engine;
    }
    async function stop(engine: Engine): Promise<void> {
      engines.splice(engines.indexOf(engine), 1);
      await engine.stop();
    }

    /** An endpoint's row; no engine is needed for it. */
    async function endpoint(organizationId: string = randomUUID(), more: { failures?: number; dialect?: string } = {}): Promise<string> {
      const id = uuidv7(Date.now());
      await place.database.query({
        text: `insert into endpoints (id, organization_id, dialect, url, sealed, consecutive_failures, created_at, updated_at)
               values ($1, $2, $3, 'http://127.0.0.1:1/', '', $4, now(), now())`,
        values: [id, organizationId, more.dialect ?? 'standard', more.failures ?? 0],
      });
      return id;
    }
    const organizationOf = async (endpointId: string) =>
      (
        await place.database.query<{ organization_id: string }>({
          text: 'select organization_id from endpoints where id = $1',
          values: [endpointId],
        })
      )[0]!.organization_id;
    const placement = (more: Partial<PublishOptions> = {}): PublishOptions => ({
      nodeId,
      now: Date.now(),
      monotonicNow: performance.now(),
      room: 1_000,
      fullEndpoints: [],
      failingEndpoints: [],
      batchIds: [uuidv7(Date.now())],
      expected: 2, // fewer than most of these make
      ...more,
    });
    /** Publishes so many events for each of these organizations, in one statement. */
    async function publish(
      organizationIds: readonly string[],
      count: number,
      more: Partial<PublishOptions> = {},
    ): Promise<LeasedDelivery[]> {
      const events = organizationIds.flatMap((organizationId) =>
        Array.from({ length: count }, (_, n) => ({
          id: uuidv7(Date.now()),
          organizationId,
          type: 'a',
          data: String(n),
          occurredAt: Date.now(),
        })),
      );
      return (await publishEvents(place.database, events, placement(more))).deliveries;
    }
    const result = (delivery: LeasedDelivery, more: Partial<Result> = {}): Result => ({
      ...NOTHING_SENT,
      delivery,
      outcome: 'delivered',
      startedAt: Date.now(),
      durationMs: 1,
      status: 200,
      responseBody: '',
      endpointVersion: 1,
      signature: Buffer.alloc(32, 1),
      ...more,
    });
    const failure = (delivery: LeasedDelivery, more: Partial<Result> = {}): Result =>
      result(delivery, { outcome: 'retry', status: 500, error: 'HTTP 500', dueAt: Date.now() + 60_000, ...more });

    const everything = async (organizationId: string) => ({
      endpoints: await rows('select * from endpoints where organization_id = $1 order by id', organizationId),
      deliveries: await rows('select * from deliveries where organization_id = $1 order by id', organizationId),
      history: await rows('select * from finished_deliveries where organization_id = $1 order by id', organizationId),
      attempts: await rows('select * from attempts where organization_id = $1 order by delivery_id, number', organizationId),
      fanOuts: await rows('select * from fan_outs where organization_id = $1 order by event_id', organizationId),
      replays: await rows('select * from replays where organization_id = $1 order by id', organizationId),
    });
    const rows = (text: string, ...values: unknown[]) => place.database.query<Record<string, unknown>>({ text, values });
    const batchRow = (batch: Batch | null) => rows('select * from batches where id = $1', batch!.id);
    const states = async (organizationId: string) => {
      const { deliveries, history } = await everything(organizationId);
      return { waiting: deliveries.length, finished: history.length };
    };
    /** An organization with everything that the test's own one has; it must be afterwards what it was before. */
    async function bystander(): Promise<{ check(): Promise<void> }> {
      const organizationId = await organizationOf(await endpoint(undefined, { failures: 2 }));
      const deliveries = await publish([organizationId], 4);
      const [batched, done, failed] = deliveries;
      assert.ok(batched?.batch && done && failed);
      await recordBatched(place.database, [result(done), failure(failed)], new Set(), Date.now());
      const before = [await everything(organizationId), await batchRow(batched.batch)];
      return { check: async () => assert.deepEqual([await everything(organizationId), await batchRow(batched.batch)], before) };
    }

    test('what succeeds at once costs one row of the history, and nothing is left of its batch', async () => {
      const engine = await running();
      const other = await bystander();
      const organizationId = randomUUID();
      const { endpoint: made } = await engine.endpoints.create({
        organizationId,
        dialect: 'standard',
        url: receiver.url('/one?a=b'),
        headers: { 'X-Own': 'secret value' },
      });
      const ids = await engine.submit(Array.from({ length: 20 }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
      const history = await eventually('all are in the history', async () => {
        const { deliveries, history: found } = await everything(organizationId);
        assert.deepEqual(deliveries, []);
        return found.length === 20 && found;
      });
      assert.deepEqual(new Set(history.map((row) => row.event_id)), new Set(ids));
      for (const row of history) {
        assert.equal(row.endpoint_version, made.version);
        const request = receiver.received.find(
          ({ headers }) =>
            headers['webhook-id'] !== undefined && headers['webhook-signature']?.includes((row.signature as Buffer).toString('base64')),
        );
        assert.ok(request, 'the signature that was sent');
        assert.equal(
          request.headers['webhook-timestamp'],
          String(Math.floor((row.last_attempt_at as Date).getTime() / 1000)),
          'and its time',
        );
      }
      assert.deepEqual(
        await rows('select version, url, header_names, superseded_at from endpoint_versions where endpoint_id = $1', made.id),
        [{ version: 1, url: receiver.url('/one?a=b'), header_names: ['X-Own'], superseded_at: null }],
      );
      await stop(engine);
      assert.deepEqual(await rows('select 1 from batches where node_id = $1', engine.nodeId), []);
      await other.check();
    });

    test('successes are written all or not at all: a batch that was taken over takes its neighbors’ results along', async () => {
      const other = await bystander();
      const [mine, taken] = [await organizationOf(await endpoint(undefined, { failures: 2 })), await organizationOf(await endpoint())];
      const [kept, lost] = [await publish([mine], 3), await publish([taken], 2)];
      await place.database.transaction((tx) => takeOverBatch(tx, lost[0]!.batch!.id, new Date()));
      const before = [await everything(mine), await everything(taken), await batchRow(kept[0]!.batch)];
      const results = [...kept, ...lost].map((delivery) => result(delivery));
      const closing = new Set([kept[0]!.batch!.id, lost[0]!.batch!.id]);
      assert.deepEqual(await recordDelivered(place.database, results, closing, Date.now()), [lost[0]!.batch!.id]);
      assert.deepEqual([await everything(mine), await everything(taken), await batchRow(kept[0]!.batch)], before, 'nothing was written');
      await other.check();
    });

    test('a success resets its own endpoint’s failures and closes its own batch; one that is fresh is not written again', async () => {
      const other = await bystander();
      const [first, second] = [await endpoint(undefined, { failures: 2 }), await endpoint(undefined, { failures: 2 })];
      const [mine, neighbor] = [await organizationOf(first), await organizationOf(second)];
      const deliveries = await publish([mine, neighbor], 2);
      const [batch] = deliveries.map((delivery) => delivery.batch!);
      const own = deliveries.filter(({ endpointId }) => endpointId === first);
      const untouched = await everything(neighbor);
      const [at, body] = [Date.now(), 'thank you'];
      const write = (delivery: LeasedDelivery, more: Partial<Result>, closing: readonly string[]) =>
        recordDelivered(place.database, [result(delivery, { responseBody: body, startedAt: at, ...more })], new Set(closing), at + 500);
      assert.deepEqual(await write(own[0]!, {}, []), []);
      const [row] = (await everything(mine)).endpoints;
      assert.deepEqual([row!.consecutive_failures, (row!.last_success_at as Date).getTime()], [0, at + 1]);
      assert.equal((await batchRow(batch!)).length, 1, 'there is more in it');
      assert.deepEqual(await write(own[1]!, { startedAt: at + 900 }, [batch!.id]), []);
      const { deliveries: queue, endpoints, history: found } = await everything(mine);
      assert.deepEqual([endpoints, queue, found.length], [[row], [], 2], 'a second later at the earliest');
      const history = own.map((delivery) => found.find(({ id }) => id === delivery.id)!);
      assert.deepEqual(
        history.map((one) => [one.id, one.organization_id, one.endpoint_id, one.endpoint_version, one.event_id, one.event_type]),
        own.map((one) => [one.id, mine, first, 1, one.event.id, 'a']),
      );
      for (const [n, one] of history.entries()) {
        assert.deepEqual([one.status, one.attempt_count, one.last_response_status, one.last_error], ['delivered', 1, 200, null]);
        assert.deepEqual([one.last_duration_ms, one.last_response_body, one.signature], [1, body, Buffer.alloc(32, 1)]);
        const times = [one.created_at, one.scheduled_at, one.last_attempt_at, one.finished_at].map((time) => (time as Date).getTime());
        assert.deepEqual(times, [batch!.createdAt, batch!.createdAt, at + 900 * n, at + 500]);
      }
      assert.deepEqual(await batchRow(batch!), [], 'the caller says that nothing is left of it');
      assert.deepEqual(await everything(neighbor), untouched);
      await other.check();
    });

    test('a change or the deletion of an endpoint leaves its versions as they were', async () => {
      const engine = await running();
      const organizationId = randomUUID();
      const create = () =>
        engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url('/first'), headers: { 'X-Own': 'a' } });
      const [{ endpoint: changed }, { endpoint: untouched }] = [await create(), await create()];
      await engine.endpoints.update({ organizationId }, changed.id, { url: receiver.url('/second') });
      await engine.endpoints.update({ organizationId }, changed.id, { headers: { 'X-New': 'b' } });
      await engine.endpoints.delete({ organizationId }, changed.id);
      const versions = (id: string) =>
        rows(
          `select version, url, header_names as names, superseded_at is not null as old from endpoint_versions where endpoint_id = $1 order by version`,
          id,
        );
      assert.deepEqual(await versions(changed.id), [
        { version: 1, url: receiver.url('/first'), names: ['X-Own'], old: true },
        { version: 2, url: receiver.url('/second'), names: ['X-Own'], old: true },
        { version: 3, url: receiver.url('/second'), names: ['X-New'], old: true },
      ]);
      assert.deepEqual(await versions(untouched.id), [{ version: 1, url: receiver.url('/first'), names: ['X-Own'], old: false }]);
      await stop(engine);
    });

    test('deliveries of paused, limited, failing and full endpoints and those without room get rows of their own', async () => {
      const organizationId = randomUUID();
      const [healthy, paused, limited, failing, full, toldFailing] = [
        await endpoint(organizationId),
        await endpoint(organizationId),
        await endpoint(organizationId),
        await endpoint(organizationId),
        await endpoint(organizationId),
        await endpoint(organizationId),
      ];
      await rows('update endpoints set paused_at = now() where id = $1', paused);
      await rows('update endpoints set rate_limit = 5 where id = $1', limited);
      await rows('update endpoints set last_failure_at = now() where id = $1', failing);
      const deliveries = await publish([organizationId], 1, { fullEndpoints: [full], failingEndpoints: [toldFailing] });
      assert.deepEqual(
        new Map(deliveries.map((delivery) => [delivery.endpointId, delivery.batch !== null])),
        new Map([
          [healthy, true],
          [limited, false],
          [failing, false],
          [toldFailing, false],
        ]),
      );
      const queue = await rows('select endpoint_id, leased_by, lease from deliveries where organization_id = $1', organizationId);
      const expected = [
        { endpoint_id: paused, leased_by: null, lease: 0 },
        { endpoint_id: limited, leased_by: nodeId, lease: 1 },
        { endpoint_id: failing, leased_by: nodeId, lease: 1 },
        { endpoint_id: full, leased_by: null, lease: 0 },
        { endpoint_id: toldFailing, leased_by: nodeId, lease: 1 },
      ];
      assert.deepEqual(queue.toSorted(byEndpoint), expected.toSorted(byEndpoint));
      assert.deepEqual(await publish([organizationId], 1, { room: 0, batchIds: [] }), []);
      assert.equal((await states(organizationId)).waiting, 11);
      await removeNode(place.database, nodeId);
      assert.deepEqual(await publish([organizationId], 1), [], 'a node that counts as dead takes nothing');
    });

    test('results of a batch: history, queue and endpoint, and each counts once however often it is written', async () => {
      const other = await bystander();
      const [mine, quiet] = [await endpoint(undefined, { failures: 5 }), await endpoint()];
      const organizationId = await organizationOf(mine);
      const published = await publish([organizationId, await organizationOf(quiet)], 4);
      const [a, b, c, d] = published.filter(({ endpointId }) => endpointId === mine);
      assert.ok(a && b && c && d?.batch);
      const before = await everything(await organizationOf(quiet));
      const write = (isRepeated = false) =>
        recordBatched(
          place.database,
          [result(a), failure(b, { startedAt: Date.now() + 1 }), result(c, { ...NOTHING_SENT, outcome: 'released', dueAt: Date.now() })],
          new Set(),
          Date.now(),
          isRepeated,
        );
      assert.deepEqual(await write(), { lostBatches: [], disabled: [], missing: [] });
      const once = await everything(organizationId);
      assert.equal(once.endpoints[0]!.consecutive_failures, 1, 'the success began anew, one failure came after it');
      assert.deepEqual([once.deliveries.length, once.history.length, once.attempts.length], [2, 1, 1]);
      assert.deepEqual(
        once.deliveries
          .map(({ attempt_count: count, id, last_error: error, leased_by: by }) => ({ count, id, error, by }))
          .toSorted((x, y) => Number(y.count) - Number(x.count)),
        [
          { count: 1, id: b.id, error: 'HTTP 500', by: null },
          { count: 0, id: c.id, error: null, by: null },
        ],
      );
      await assert.rejects(write(), (error) => isUniqueViolation(error));
      await write(true); // the answer of the first was lost
      assert.deepEqual(await everything(organizationId), once);
      // Another node may have sent the failed one meanwhile: then only the history and the attempt know of it.
      await rows(
        `with gone as (delete from deliveries where id = $1 returning *)
         insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count, scheduled_at, finished_at)
         select id, organization_id, endpoint_id, event_id, event_type, 'delivered', created_at, 2, scheduled_at, now() from gone`,
        b.id,
      );
      const sent = await everything(organizationId);
      await write(true);
      assert.deepEqual(await everything(organizationId), sent);
      const closed = await recordBatched(place.database, [result(d)], new Set([d.batch.id]), Date.now());
      assert.deepEqual(closed.lostBatches, []);
      assert.deepEqual(await batchRow(d.batch), []);
      assert.deepEqual((await recordBatched(place.database, [result(d)], new Set([d.batch.id]), Date.now())).lostBatches, [d.batch.id]);
      assert.deepEqual(await everything(await organizationOf(quiet)), before);
      await other.check();
    });

    test('an endpoint is disabled by exactly so many failures in a row, and not by those that are not recorded', async () => {
      const other = await bystander();
      const id = await endpoint(undefined, { dialect: 'brief' });
      const organizationId = await organizationOf(id);
      const deliveries = await publish([organizationId], 6);
      const [one, two, three, four, five] = deliveries;
      assert.ok(one && two && three && four && five);
      const rule = { disableAfterFailures: 3 };
      const at = (n: number) => ({ startedAt: Date.now() + n });
      const write = (results: Result[]) => recordBatched(place.database, results, new Set(), Date.now(), true);
      await write([failure(one, { ...rule, ...at(1) }), failure(two, { ...rule, ...at(2) })]);
      await write([result(three, at(3))]);
      // Written again, and without a lease: neither counts.
      await write([failure(one, { ...rule, ...at(4) }), failure(two, { ...rule, ...at(5) })]);
      await recordQueued(place.database, [failure({ ...four, batch: null, lease: 7 }, { ...rule, ...at(6) })], [four.id], Date.now());
      const [row] = await rows('select is_active, consecutive_failures from endpoints where id = $1', id);
      assert.deepEqual(row, { is_active: true, consecutive_failures: 0 });
      await write([failure(four, { ...rule, ...at(7) })]);
      const claimed = await explode(five);
      const queued = (more: Partial<Result>, delivery = claimed.shift()!) =>
        recordQueued(place.database, [failure(delivery, { ...rule, ...more })], [delivery.id], Date.now());
      assert.deepEqual(await queued(at(8)), { lostBatches: [], disabled: [], missing: [] });
      assert.deepEqual((await queued(at(9))).disabled, [id]);
      const [off] = await rows('select is_active, disabled_reason, consecutive_failures from endpoints where id = $1', id);
      assert.deepEqual(off, { is_active: false, disabled_reason: 'consecutive_failures', consecutive_failures: 3 });
      await other.check();
    });

    /** Takes a delivery's batch apart; gives those of it that are in the queue now. */
    async function explode(delivery: LeasedDelivery): Promise<LeasedDelivery[]> {
      const batch = delivery.batch!;
      const ours = await explodeBatches(place.database, nodeId, [batch]);
      const now: LeasedDelivery[] = [];
      for (const member of batch.open) if (ours.has(member.id)) now.push(Object.assign(member, { batch: null, lease: 1 }));
      return now;
    }

    test('a batch that is taken apart goes on in the queue, however often that is tried', async () => {
      const other = await bystander();
      const organizationId = await organizationOf(await endpoint());
      const [done, open, late] = await publish([organizationId], 3);
      assert.ok(done?.batch && open && late);
      const { batch } = done;
      await recordBatched(place.database, [result(done)], new Set(), Date.now());
      batch.open.delete(done);
      const first = await explodeBatches(place.database, nodeId, [batch]);
      assert.deepEqual(first, new Set([open.id, late.id]));
      assert.deepEqual(await explodeBatches(place.database, nodeId, [batch]), first, 'its answer may have been lost');
      assert.deepEqual(await batchRow(batch), []);
      assert.deepEqual(await states(organizationId), { waiting: 2, finished: 1 });
      assert.deepEqual(await explodeBatches(place.database, randomUUID(), [batch]), new Set(), 'another node has none of it');
      await other.check();
    });

    test('a dead node’s batch is taken over once, without what it has recorded', async () => {
      const other = await bystander();
      const organizationId = await organizationOf(await endpoint());
      const dead = randomUUID();
      await heartbeat(place.database, dead, true);
      const [done, failed, open] = await publish([organizationId], 3, { nodeId: dead });
      assert.ok(done?.batch && failed && open);
      await recordBatched(place.database, [result(done), failure(failed)], new Set(), Date.now());
      assert.deepEqual(await findAbandonedBatches(place.database, 10, true), []);
      await removeNode(place.database, dead);
      assert.deepEqual(await findAbandonedBatches(place.database, 10, true), [done.batch.id]);
      const before = (await everything(organizationId)).deliveries.filter(({ id }) => id === failed.id);
      const takeOver = (tx: Transaction) => takeOverBatch(tx, done.batch!.id, new Date());
      assert.equal(await place.database.transaction(takeOver), 1);
      assert.equal(await place.database.transaction(takeOver), 0);
      const { deliveries } = await everything(organizationId);
      assert.deepEqual(new Set(deliveries.map(({ id }) => id)), new Set([failed.id, open.id]));
      assert.deepEqual(
        deliveries.filter(({ id }) => id === failed.id),
        before,
        'what waits for its retry goes on waiting',
      );
      assert.deepEqual(await findAbandonedBatches(place.database, 10, true), []);
      assert.deepEqual((await recordBatched(place.database, [result(open)], new Set([done.batch.id]), Date.now())).lostBatches, [
        done.batch.id,
      ]);
      await other.check();
    });

    test('a batch that its node lost track of is taken over when its time is up, and one of an event that is gone too', async () => {
      const [id, later] = [await endpoint(), await endpoint()];
      const [organizationId, laterOrganization] = [await organizationOf(id), await organizationOf(later)];
      const [lost] = await publish([organizationId], 1);
      const [young] = await publish([laterOrganization], 1, { batchIds: [uuidv7(Date.now())] });
      assert.ok(lost?.batch && young?.batch);
      await rows(`update batches set ends_at = now() - interval '1 second' where id = $1`, lost.batch.id);
      await rows('delete from events where id = $1', lost.event.id);
      assert.deepEqual(await findAbandonedBatches(place.database, 10, true), [lost.batch.id]);
      assert.deepEqual(await findAbandonedBatches(place.database, 10, false), [], 'not by a node that was away itself');
      assert.equal(await place.database.transaction((tx) => takeOverBatch(tx, lost.batch!.id, new Date())), 1);
      assert.deepEqual(await states(organizationId), { waiting: 1, finished: 0 });
      assert.equal((await batchRow(young.batch)).length, 1);
      const engine = await running();
      const [ended] = await eventually('it has ended', async () => {
        const { history } = await everything(organizationId);
        return history.length === 1 && history;
      });
      assert.deepEqual([ended!.status, ended!.last_error], ['exhausted', 'event_expired']);
      const [row] = await rows('select consecutive_failures, last_failure_at from endpoints where id = $1', id);
      assert.deepEqual(row, { consecutive_failures: 0, last_failure_at: null }, 'the receiver is not to blame');
      await stop(engine);
    });

    test('what takes long is seen in flight all the time, is taken apart, and is delivered once', async () => {
      const engine = await running();
      const organizationId = randomUUID();
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
      const open: ServerResponse[] = [];
      receiver.answer = ({ path }) => (path === `/${organizationId}` ? (_request, response) => void open.push(response) : 200);
      await engine.submit([1, 2, 3].map((n) => ({ organizationId, type: 'a', data: String(n) })));
      await receiver.until(() => open.length > 0);
      const list = (status?: 'in_flight' | 'pending') => engine.deliveries({ organizationId, status }, 10);
      const [some] = await list();
      assert.deepEqual([(await list()).length, (await list('in_flight')).length, (await list('pending')).length], [3, 3, 0]);
      assert.equal((await engine.delivery(organizationId, some!.id))?.delivery.status, 'in_flight');
      assert.equal(await engine.delivery(randomUUID(), some!.id), null);
      assert.deepEqual(await engine.deliveries({ organizationId: randomUUID() }, 10), []);
      await assert.rejects(
        engine.replays.resend(organizationId, some!.id),
        (error) => error instanceof EngineError && error.code === 'not_resendable',
      );
      await eventually('they have rows of their own', async () => {
        const listed = await list('in_flight');
        assert.equal(listed.length, 3, 'in every moment');
        return (await states(organizationId)).waiting === 3;
      });
      await eventually('all are answered', async () => {
        for (const response of open.splice(0)) response.writeHead(200).end();
        return (await states(organizationId)).finished === 3;
      });
      assert.equal(receiver.received.filter(({ path }) => path === `/${organizationId}`).length, 3);
      await stop(engine);
    });

    test('what is older than its day of the history ends cleanly, and takes no other result with it', async () => {
      const engine = await running();
      const [oldId, newId] = [randomUUID(), randomUUID()];
      const create = async (organizationId: string) =>
        (await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) })).endpoint.id;
      const [oldEndpoint, newEndpoint, deletedEndpoint] = [await create(oldId), await create(newId), await create(oldId)];
      const long = Date.now() - 60 * DAY_MS;
      const insert = (endpointId: string, count: number, attempts: number) =>
        rows(
          `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, attempt_count, scheduled_at, due_at)
           select (left($1, 13) || '-7' || right(gen_random_uuid()::text, 21))::uuid, $2, $3, $4, 'a', $5, $7, $5, $5 from generate_series(1, $6::int)`,
          uuidFloor(long),
          oldId,
          endpointId,
          uuidv7(long),
          new Date(long),
          count,
          attempts,
        );
      await engine.endpoints.update({ organizationId: oldId }, deletedEndpoint, { paused: true });
      await insert(deletedEndpoint, 5, 0);
      await insert(oldEndpoint, 50, 0);
      await insert(oldEndpoint, 50, 2);
      const ids = await engine.submit(Array.from({ length: 200 }, (_, n) => ({ organizationId: newId, type: 'a', data: String(n) })));
      assert.equal(await engine.endpoints.delete({ organizationId: oldId }, deletedEndpoint), true);
      const old = await eventually('the old ones have ended', async () => {
        const { deliveries, history } = await everything(oldId);
        return deliveries.length === 0 && history;
      });
      const reasons = old.map((row) => String(row.last_error));
      assert.deepEqual(
        [reasons.filter((reason) => reason === 'event_expired').length, reasons.filter((reason) => reason === 'endpoint_deleted').length],
        [100, 5],
      );
      for (const row of old) {
        assert.equal((row.created_at as Date).getTime(), long, 'the log says how old it is');
        assert.ok(uuidTime(row.id as string) > Date.now() - DAY_MS, 'in a day of the history that is there');
      }
      await eventually('the others are recorded', async () => (await states(newId)).finished === ids.length);
      assert.equal(receiver.received.filter(({ path }) => path === `/${newId}`).length, ids.length, 'each once');
      const [row] = await rows('select consecutive_failures, is_active from endpoints where id = $1', newEndpoint);
      assert.deepEqual(row, { consecutive_failures: 0, is_active: true });
      await stop(engine);
    });

    test('a result that cannot be stored ends alone', async () => {
      const engine = await running();
      const other = await bystander();
      const organizationId = randomUUID();
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
      // A status that the column cannot hold stands for whatever a database may refuse.
      const statement = place.database.hot.query.bind(place.database.hot);
      const broken = place.database.hot as unknown as { query: typeof statement };
      let culprit = '';
      /** In the binary form of an array: what precedes the first element's bytes. */
      const FIRST_ELEMENT = 24;
      const hasBody = (texts: Buffer) => texts.readInt32BE(FIRST_ELEMENT - 4) >= 0;
      broken.query = (one) => {
        const values = one.values as Buffer[];
        const ids = one.name === 'record-delivered' ? values[2]! : one.name === 'record-queued' && hasBody(values[7]!) ? values[0]! : null;
        if (ids !== null) {
          culprit ||= ids.toString('hex', FIRST_ELEMENT, FIRST_ELEMENT + 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
          if (ids.includes(culprit.replaceAll('-', ''), FIRST_ELEMENT, 'hex')) return statement({ text: 'select 1 / 0' });
        }
        return statement(one);
      };
      try {
        await engine.submit(Array.from({ length: 100 }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
        const history = await eventually('all have ended', async () => {
          const { history: found } = await everything(organizationId);
          return found.length === 100 && found;
        });
        assert.equal(receiver.received.filter(({ path }) => path === `/${organizationId}`).length, 100, 'none is sent twice');
        assert.deepEqual(new Set(history.map((row) => row.status)), new Set(['delivered']));
        assert.notEqual(culprit, '');
        assert.equal(history.filter(({ id }) => id === culprit).length, 0, 'one is kept under a new id');
        await eventually(
          'nothing is left',
          async () => (await rows('select 1 from batches where node_id = $1', engine.nodeId)).length === 0,
        );
      } finally {
        delete (broken as { query?: unknown }).query;
      }
      await stop(engine);
      await other.check();
    });

    test('results whose first try is committed late are stored once, under their own ids', async () => {
      const engine = await running();
      const other = await bystander();
      const organizationId = randomUUID();
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
      const statement = place.database.hot.query.bind(place.database.hot);
      const broken = place.database.hot as unknown as { query: typeof statement };
      const late = () => statement({ text: 'do $$ begin raise unique_violation; end $$' });
      const troubles = [
        // The answer is lost, and the look for what was stored comes before the commit.
        { name: 'record-delivered', trouble: () => Promise.reject(new DatabaseUnavailable('database_unavailable', 'lost')), left: 1 },
        { name: 'record-batched-again', trouble: late, left: 2 },
        // What was stored is in the way at the first try.
        { name: 'record-delivered', trouble: late, left: 1 },
      ];
      broken.query = async (one) => {
        const [next] = troubles;
        if (next === undefined || one.name !== next.name) return statement(one);
        next.left -= 1;
        if (next.left === 0) troubles.shift();
        if (one.name === 'record-delivered') await statement(one);
        return (await next.trouble()) as never;
      };
      try {
        for (let round = 0; round < 2; round++) {
          const ids = await engine.submit(Array.from({ length: 5 }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
          await eventually('they are in the history', async () => {
            const { history } = await everything(organizationId);
            return ids.every((id) => history.some((row) => row.event_id === id));
          });
        }
        await eventually('nothing is left', async () => {
          const { deliveries } = await everything(organizationId);
          return deliveries.length === 0 && (await rows('select 1 from batches where node_id = $1', engine.nodeId)).length === 0;
        });
      } finally {
        delete (broken as { query?: unknown }).query;
      }
      assert.deepEqual(troubles, []);
      const { history } = await everything(organizationId);
      assert.equal(history.length, 10);
      assert.deepEqual(new Set(history.map((row) => `${String(row.status)} ${String(row.last_error)}`)), new Set(['delivered null']));
      assert.ok(history.every((row) => row.last_response_body !== null));
      await stop(engine);
      await other.check();
    });

    test('a commit whose answer was lost is found, and what it stored is sent', async () => {
      const engine = await running();
      const other = await bystander();
      const organizationId = randomUUID();
      await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(`/${organizationId}`) });
      const { hot } = place.database;
      const statement = hot.query.bind(hot);
      let isLost = false;
      (hot as unknown as { query: typeof statement }).query = async (one) => {
        const answer = await statement(one);
        if (one.name !== 'publish-events' || isLost) return answer as never;
        isLost = true;
        throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
      };
      try {
        const ids = await engine.submit([{ organizationId, type: 'a', data: '1' }]);
        assert.equal(isLost, true);
        const [event] = await eventually('it is delivered', async () => {
          const { history } = await everything(organizationId);
          return history.length === 1 && history;
        });
        assert.equal(event!.event_id, ids[0]);
        assert.equal(receiver.received.filter(({ path }) => path === `/${organizationId}`).length, 1);
      } finally {
        delete (hot as unknown as { query?: unknown }).query;
      }
      await stop(engine);
      await other.check();
    });

    test('a wide event is fanned out in steps; others are not in its way, nor it in theirs', async () => {
      const [wide, small] = [randomUUID(), randomUUID()];
      await rows(
        `insert into endpoints (id, organization_id, dialect, url, sealed, events, created_at, updated_at)
         select (left($2, 13) || '-7' || right(gen_random_uuid()::text, 21))::uuid, $1, 'standard', 'http://127.0.0.1:1/', '',
                case when n % 2 = 0 then array['b'] end, now(), now() from generate_series(1, $3::int) n`,
        wide,
        uuidFloor(Date.now()),
        2 * LIMITS.fanOutStep + 1,
      );
      await endpoint(small);
      const engine = await running({ deliver: false });
      const quiet = await bystander();
      const deliveries = await publish([wide, small], 1);
      assert.deepEqual(
        deliveries.map(({ event }) => event.organizationId),
        [small],
      );
      await endpoint(wide); // registered after the event: not for it
      await eventually('all of it is made', async () => (await everything(wide)).fanOuts.length === 0);
      const made = await rows(
        `select count(*) as n, count(distinct endpoint_id) as endpoints from deliveries where organization_id = $1`,
        wide,
      );
      assert.deepEqual(made, [{ n: LIMITS.fanOutStep + 1, endpoints: LIMITS.fanOutStep + 1 }], 'each that subscribes, once');
      await stop(engine);
      await quiet.check();
    });

    test('what waits for a deleted endpoint ends in small steps, also very much; the others keep theirs', async () => {
      const engine = await running({ deliver: false });
      const organizationId = randomUUID();
      const create = async () =>
        (await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url('/never') })).endpoint.id;
      const [deleted, kept] = [await create(), await create()];
      const count = 2 * LIMITS.endedBatch + 10;
      await engine.submit(Array.from({ length: count }, (_, n) => ({ organizationId, type: 'a', data: String(n) })));
      const of = (id: string) => rows('select * from deliveries where endpoint_id = $1 order by id', id);
      const before = await of(kept);
      assert.equal(before.length, count);
      assert.equal(await engine.endpoints.delete({ organizationId: randomUUID() }, deleted), false);
      assert.equal(await engine.endpoints.delete({ organizationId }, deleted), true);
      await eventually('all of it has ended', async () => (await of(deleted)).length === 0);
      const history = await rows(
        'select endpoint_id, status, last_error from finished_deliveries where organization_id = $1',
        organizationId,
      );
      assert.deepEqual(
        new Set(history.map((row) => JSON.stringify(row))),
        new Set([JSON.stringify({ endpoint_id: deleted, status: 'exhausted', last_error: 'endpoint_deleted' })]),
      );
      assert.equal(history.length, count);
      assert.deepEqual(await of(kept), before);
      const ending = { endpointId: kept, reason: 'endpoint_disabled' as const, now: Date.now(), floorMs: 0 };
      assert.equal(await endWaiting(place.database, ending, 3), 3);
      assert.equal((await of(kept)).length, count - 3);
      await stop(engine);
    });

    test('what a replay sends again is not in the replay, also on a node whose clock is behind', async () => {
      const other = await bystander();
      const organizationId = await organizationOf(await endpoint());
      const deliveries = await publish([organizationId], 5);
      await recordBatched(
        place.database,
        deliveries.map((delivery) => result(delivery)),
        new Set(),
        Date.now(),
      );
      const [since, until, replayId] = [Date.now() - 60_000, Date.now() + 10, uuidv7(Date.now())];
      await insertReplay(place.database, replayId, { organizationId, since, until }, 5, new Date());
      const hourAgo = new Date(Date.now() - 3_600_000);
      while (await place.database.transaction((tx) => stepReplay(tx, 2, hourAgo)));
      const { deliveries: again, replays } = await everything(organizationId);
      assert.equal(again.length, 5);
      for (const { id } of again) assert.ok(uuidTime(id as string) >= until, 'behind the range of the replay');
      assert.deepEqual([replays[0]!.status, replays[0]!.replayed], ['completed', 5]);
      await other.check();
    });

    test('leases that ran out end in steps; those that run go on', async () => {
      const organizationId = await organizationOf(await endpoint());
      await rows('update endpoints set rate_limit = 5 where organization_id = $1', organizationId);
      const deliveries = await publish([organizationId], 5);
      const [running_, ...over] = deliveries;
      await rows(
        `update deliveries set due_at = now() - interval '1 second' where id = any ($1::uuid[])`,
        over.map(({ id }) => id),
      );
      const before = await rows('select * from deliveries where id = $1', running_!.id);
      assert.deepEqual(
        [
          await endExpiredLeases(place.database, new Date(), 3),
          await endExpiredLeases(place.database, new Date(), 3),
          await endExpiredLeases(place.database, new Date(), 3),
        ],
        [3, 1, 0],
      );
      assert.deepEqual(await rows('select * from deliveries where id = $1', running_!.id), before);
      const leases = await rows(
        'select distinct leased_by, lease from deliveries where id = any ($1::uuid[])',
        over.map(({ id }) => id),
      );
      assert.deepEqual(leases, [{ leased_by: null, lease: 2 }]);
    });

    test('an organization has so many endpoints and no more, whatever their dialects', async () => {
      const engine = await running({ organizationEndpoints: 3, deliver: false });
      const organizationId = randomUUID();
      const create = (of: string, dialect: string) => engine.endpoints.create({ organizationId: of, dialect, url: receiver.url() });
      const made = await Promise.allSettled(
        ['standard', 'brief', 'standard', 'brief', 'standard'].map((dialect) => create(organizationId, dialect)),
      );
      assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 3);
      for (const one of made)
        if (one.status === 'rejected')
          assert.ok(one.reason instanceof EngineError && one.reason.code === 'endpoint_limit' && /at most 3/.test(one.reason.message));
      await create(randomUUID(), 'standard');
      await stop(engine);
    });
  });
}

test('taking over waits for a recorder that is committing, and leaves out what it has recorded', async (t) => {
  const place = await freshDatabase('postgres');
  t.after(() => place.close());
  const { database } = place;
  const engine = new Engine({ database, dialects: [standard], sealer: new Sealer(Buffer.alloc(32)), deliver: false });
  await engine.start(); // makes the partitions
  await engine.stop();
  const [nodeId, organizationId, endpointId] = [randomUUID(), randomUUID(), uuidv7(Date.now())];
  await heartbeat(database, nodeId, true);
  await database.query({
    text: `insert into endpoints (id, organization_id, dialect, url, sealed, created_at, updated_at) values ($1, $2, 'standard', 'http://x', '', now(), now())`,
    values: [endpointId, organizationId],
  });
  const events = [1, 2].map((n) => ({ id: uuidv7(Date.now()), organizationId, type: 'a', data: String(n), occurredAt: Date.now() }));
  const options = {
    nodeId,
    now: Date.now(),
    monotonicNow: 0,
    room: 10,
    fullEndpoints: [],
    failingEndpoints: [],
    batchIds: [uuidv7(Date.now())],
    expected: 2,
  };
  const { deliveries } = await publishEvents(database, events, options);
  const [delivered, open] = deliveries;
  assert.ok(delivered?.batch && open);
  const sent = { ...NOTHING_SENT, startedAt: Date.now(), durationMs: 1, status: 200, endpointVersion: 1 };
  let takingOver: Promise<number> | undefined;
  await database.transaction(async (tx) => {
    await recordBatched(tx, [{ delivery: delivered, ...sent, outcome: 'delivered' }], new Set(), Date.now());
    takingOver = database.transaction((other) => takeOverBatch(other, delivered.batch!.id, new Date()));
    await eventually('the take-over waits for the recorder', async () => {
      const waiting = await database.query({
        text: `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%batches%'`,
      });
      return waiting.length === 1;
    });
  });
  assert.equal(await takingOver, 1);
  assert.deepEqual(await database.query({ text: 'select id from deliveries' }), [{ id: open.id }]);
  assert.deepEqual(await database.query({ text: 'select id from finished_deliveries' }), [{ id: delivered.id }]);
});

function byEndpoint(a: Record<string, unknown>, b: Record<string, unknown>): number {
  return String(a.endpoint_id) < String(b.endpoint_id) ? -1 : 1;
}
