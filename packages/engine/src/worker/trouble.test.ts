import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { eventually, FakeClock, freshDatabase, Receiver, type TestDatabase } from '@dialhook/testing';
import { ATTEMPT_ERRORS, Engine, LIMITS, Sealer, silentLog, standard, type Dialect } from '../index.ts';
import { DialectRegistry } from '../core/dialect.ts';
import type { AttemptResult } from '../core/outcome.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import type { DeliveryResult } from '../store/record/result.ts';
import { Dispatcher } from './dispatcher.ts';
import { HealthBook } from './health.ts';
import { sealSecrets, TargetCache } from './targets.ts';

/** A dialect of a later version, and one whose body cannot be made of every event. */
const later: Dialect = { ...standard, name: 'later' };
const picky: Dialect = {
  ...standard,
  name: 'picky',
  retryDelaysMs: [],
  encode: (event) => {
    if (event.data === '"bad"') throw new Error('nothing can be made of this');
    return event.data;
  },
};

describe('endpoints that a node cannot send to', () => {
  let place: TestDatabase;
  let receiver: Receiver;
  let engine: Engine;
  const logged: { fields: object; message: string }[] = [];
  const sealer = new Sealer(Buffer.alloc(32));
  const log = { ...silentLog, error: (fields: object, message: string) => void logged.push({ fields, message }) };

  before(async () => {
    place = await freshDatabase('postgres');
    receiver = await Receiver.start();
    const { database } = place;
    // A node of a later version makes the endpoints, this one sends.
    engine = new Engine({ database, dialects: [standard, picky, later], sealer, allowPrivateTargets: true, deliver: false });
    await engine.start();
  });
  after(async () => {
    await engine.stop();
    await receiver.stop();
    await place.close();
  });
  async function node(): Promise<Engine> {
    const { database } = place;
    const older = new Engine({ database, dialects: [standard, picky], sealer, log, allowPrivateTargets: true });
    await older.start();
    return older;
  }
  const create = async (organizationId: string, path: string, dialect = 'standard') =>
    (await engine.endpoints.create({ organizationId, dialect, url: receiver.url(path) })).endpoint;
  const to = (path: string) => receiver.received.filter((request) => request.path === path).length;
  const rows = (endpointId: string) =>
    place.database.query<{ id: string; lease: number; attempt_count: number; last_error: string | null }>({
      text: 'select id, lease, attempt_count, last_error from deliveries where endpoint_id = $1 order by id',
      values: [endpointId],
    });

  test('deliveries of a dialect that this version does not know wait quietly, and the log says once what for', async () => {
    const organizationId = randomUUID();
    const waiting = [await create(organizationId, '/later', 'later'), await create(organizationId, '/later/too', 'later')];
    await create(organizationId, '/bystander');
    const older = await node();
    for (let n = 1; n <= 5; n++) {
      await older.submit(Array.from({ length: 20 }, () => ({ organizationId, type: 'a', data: '1' })));
      await receiver.until(() => to('/bystander') === 20 * n);
    }
    const leases = async () => (await Promise.all(waiting.map(({ id }) => rows(id)))).flat();
    const all = await eventually('all of them wait', async () => {
      const found = await leases();
      return found.length === 200 && found;
    });
    // Each was touched by one release at most, and a few by a look: not by one look after the other.
    const touched = all.reduce((sum, { lease }) => sum + lease, 0);
    assert.ok(touched <= 2 * 200, `${touched} changes of 200 rows`);
    // Meanwhile others are served, and what waits is left alone.
    await older.submit(Array.from({ length: 50 }, () => ({ organizationId, type: 'b', data: '1' })));
    await receiver.until(() => to('/bystander') === 150);
    const told = logged.filter(({ message }) => /does not know/.test(message));
    assert.deepEqual(
      told.map(({ fields }) => (fields as { dialect: string }).dialect),
      ['later'],
    );
    assert.equal(to('/later') + to('/later/too'), 0);
    await older.stop();
  });

  test('a secret that cannot be opened holds up its endpoint alone, shows why, and uses up no attempt', async () => {
    const organizationId = randomUUID();
    const broken = await create(organizationId, '/broken');
    const others = [await create(organizationId, '/whole'), await create(organizationId, '/whole/too')];
    const foreign = sealSecrets(new Sealer(Buffer.alloc(32, 9)), { secrets: [{ value: 'x', until: null }], headers: {} }, broken.id);
    await place.database.query({ text: 'update endpoints set sealed = $2 where id = $1', values: [broken.id, foreign] });
    const older = await node();
    await older.submit(Array.from({ length: 30 }, () => ({ organizationId, type: 'a', data: '1' })));
    await receiver.until(() => to('/whole') === 30 && to('/whole/too') === 30);
    const waiting = await eventually('they show why they wait', async () => {
      const found = await rows(broken.id);
      return found.length === 30 && found.every(({ last_error: error }) => error === 'secret_unreadable') && found;
    });
    assert.ok(waiting.every(({ attempt_count: count }) => count === 0));
    assert.ok('secret_unreadable' in ATTEMPT_ERRORS);
    const log = await older.deliveries({ organizationId, endpointId: broken.id }, 1);
    assert.deepEqual([log[0]!.status, log[0]!.lastError], ['pending', 'secret_unreadable']);
    assert.equal(logged.filter(({ message }) => /secret could not be opened/.test(message)).length, 1);
    // Mended: what waited is delivered, and the others got nothing twice.
    await older.endpoints.update({ organizationId }, broken.id, { name: 'to be mended' });
    await older.endpoints.rotateSecret({ organizationId }, broken.id);
    await receiver.until(() => to('/broken') === 30);
    await eventually('all are delivered', async () => (await older.deliveries({ organizationId, status: 'delivered' }, 100)).length === 90);
    assert.deepEqual(
      ['/broken', '/whole', '/whole/too'].map((path) => to(path)),
      [30, 30, 30],
    );
    assert.equal(others.length, 2);
    await older.stop();
  });

  test('a request that cannot be made is an attempt that failed, and its slot is free again', async () => {
    const organizationId = randomUUID();
    await create(organizationId, '/picky', 'picky');
    await create(organizationId, '/plain');
    const older = await node();
    const events = Array.from({ length: 100 }, (_, n) => ({ organizationId, type: 'a', data: n < 60 ? '"bad"' : '1' }));
    for (const event of events) await older.submit([event]);
    await receiver.until(() => to('/plain') === 100 && to('/picky') === 40);
    const exhausted = await eventually('the bad ones are given up', async () => {
      const found = await older.deliveries({ organizationId, status: 'exhausted' }, 100);
      return found.length === 60 && found;
    });
    assert.ok(exhausted.every(({ attemptCount, lastError }) => lastError === 'internal_error' && attemptCount === 1));
    assert.equal(older.activity.inFlight, 0);
    await older.stop();
  });
});

describe('the dispatcher by itself', () => {
  const id = randomUUID();
  const organizationId = randomUUID();
  const sealer = new Sealer(Buffer.alloc(32));
  const row = {
    id,
    organizationId,
    dialect: 'standard',
    url: 'http://receiver.test/',
    version: 1,
    rateLimit: null,
    sealed: sealSecrets(sealer, { secrets: [{ value: standard.secret.generate(), until: null }], headers: {} }, id),
    consecutiveFailures: 0,
    msSinceSuccess: null,
  };
  const answer: AttemptResult = { status: 200, error: null, responseBody: '', retryAfterMs: null, startedAt: 0, durationMs: 1 };
  const fault: AttemptResult = { ...answer, status: null, error: 'connection_error', ours: true };

  let clock: FakeClock;
  let dispatcher: Dispatcher;
  let posts: number;
  /** What each request gives, and how the database answers. */
  let post: () => Promise<AttemptResult>;
  let load: () => Promise<unknown[]>;
  let recorded: [LeasedDelivery, DeliveryResult][];
  let released: { ids: string[]; error: string | undefined }[];

  beforeEach(() => {
    clock = new FakeClock();
    posts = 0;
    post = async () => answer;
    load = async () => [row];
    recorded = [];
    released = [];
    const db = { query: () => load() as Promise<never[]> };
    dispatcher = new Dispatcher({
      targets: new TargetCache(db, new DialectRegistry([standard]), sealer, silentLog),
      transport: {
        post: () => {
          posts += 1;
          return post();
        },
      },
      clock,
      log: silentLog,
      observer: undefined,
      isSilent: () => false,
      nodes: () => 1,
      retryDelayScale: 1,
      random: () => 0.5,
      maxEventBytes: LIMITS.eventMemoryBytes,
      record: (delivery, result) => void recorded.push([delivery, result]),
      onRoom: () => {},
      release: (deliveries, error) => void released.push({ ids: deliveries.map((delivery) => delivery.id), error }),
    });
  });

  const delivery = (name: string, leaseMs: number = LIMITS.leaseMs): LeasedDelivery => ({
    id: name,
    endpointId: id,
    endpointVersion: 1,
    event: { id: randomUUID(), organizationId, type: 'a', data: '1', occurredAt: 0 },
    batch: null,
    lease: 1,
    leaseEndsAt: clock.monotonic() + leaseMs,
    attempt: 1,
  });
  /** Lets everything run that waits for no time. */
  const settle = async () => {
    for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve));
  };

  test('a lease that ends too soon is given back unsent; those with time left are sent', async () => {
    const short = standard.timeoutMs + LIMITS.leaseMarginMs - 1;
    dispatcher.accept([delivery('a', short), delivery('b'), delivery('c', short), delivery('d', short + 1)]);
    await settle();
    assert.deepEqual(
      released.map(({ ids }) => ids),
      [['a', 'c']],
    );
    assert.deepEqual(
      recorded.map(([{ id: name }, { outcome }]) => [name, outcome]),
      [
        ['b', 'delivered'],
        ['d', 'delivered'],
      ],
    );
    assert.equal(dispatcher.held, 2, 'until they are recorded');
  });

  test('endpoints that cannot be loaded are asked for again; their deliveries wait and are sent then', async () => {
    let asked = 0;
    load = () => (++asked < 3 ? Promise.reject(new Error('the database is away')) : Promise.resolve([row]));
    dispatcher.accept([delivery('a')]);
    await settle();
    assert.deepEqual([asked, posts, dispatcher.held], [1, 0, 1]);
    clock.advance(LIMITS.storeRetryMs);
    await settle();
    assert.deepEqual([asked, posts], [2, 0]);
    clock.advance(LIMITS.storeRetryMs);
    await settle();
    assert.deepEqual([asked, posts, recorded.length], [3, 1, 1]);
  });

  test('endpoints that come too late give back what can no longer be sent', async () => {
    load = () => Promise.reject(new Error('the database is away'));
    dispatcher.accept([delivery('a')]);
    await settle();
    for (let waited = 0; waited < LIMITS.leaseMs - LIMITS.leaseMarginMs; waited += LIMITS.storeRetryMs) {
      clock.advance(LIMITS.storeRetryMs);
      await settle();
    }
    load = async () => [row];
    clock.advance(LIMITS.storeRetryMs);
    await settle();
    assert.deepEqual([posts, released.map(({ ids }) => ids), dispatcher.held], [0, [['a']], 0]);
  });

  test('the deliveries of an endpoint that is gone are given back, where they are ended, and nothing is held', async () => {
    load = async () => [];
    dispatcher.accept([delivery('a'), delivery('b')]);
    await settle();
    assert.deepEqual([posts, dispatcher.held, released], [0, 0, [{ ids: ['a', 'b'], error: undefined }]]);
  });

  test('what the database knows of an endpoint stands for what this node has not seen yet', async () => {
    const kindAfter = async (past: { consecutiveFailures: number; msSinceSuccess: number | null }) => {
      load = async () => [{ ...row, ...past }];
      dispatcher.releaseEndpoint(id);
      post = () => new Promise(() => {}); // the first one stays in flight, the next ones wait for it
      dispatcher.accept([delivery('a')]);
      await settle();
      return { full: dispatcher.fullEndpoints().length, room: dispatcher.intake.rooms().rooms.get(id)! };
    };
    assert.deepEqual(await kindAfter({ consecutiveFailures: 40, msSinceSuccess: 1_000 }), { full: 1, room: LIMITS.failingWaiting });
    dispatcher.releaseEndpoint(id);
    assert.deepEqual(await kindAfter({ consecutiveFailures: 0, msSinceSuccess: 1_000 }), { full: 0, room: LIMITS.endpointWaiting - 1 });
    dispatcher.releaseEndpoint(id);
    assert.deepEqual(await kindAfter({ consecutiveFailures: 0, msSinceSuccess: null }), { full: 0, room: LIMITS.doubtfulWaiting - 1 });
  });

  test('a node remembers a bounded number of endpoints, those that were used last', () => {
    const book = new HealthBook();
    const fault: AttemptResult = { ...answer, status: null, error: 'timeout' };
    const first = book.of('first');
    const second = book.of('second');
    for (const [name, health] of [
      ['first', first],
      ['second', second],
    ] as const) {
      health.note(0, fault, true);
      book.review(name, health, 0);
    }
    assert.deepEqual(
      [...book.troubled(0)].map(([name]) => name),
      ['first', 'second'],
    );
    for (let n = 0; n < LIMITS.rememberedEndpoints - 2; n++) book.of(`other ${n}`);
    book.of('first');
    book.of('one more');
    assert.equal(book.of('first'), first);
    assert.notEqual(book.of('second'), second, 'it was not used for longest');
    assert.deepEqual(
      [...book.troubled(0)].map(([name]) => name),
      ['first'],
    );
    assert.deepEqual([...book.troubled(LIMITS.rememberedMs + 1)], []);
  });

  test('a transport that throws frees its slot, and the next one is sent', async () => {
    post = () => (posts === 1 ? Promise.reject(new Error('a fault')) : Promise.resolve(answer));
    dispatcher.accept([delivery('a'), delivery('b')]);
    await settle();
    assert.deepEqual(
      recorded.map(([{ id: name }, { error, outcome }]) => [name, outcome, error]),
      [
        ['a', 'retry', 'internal_error'],
        ['b', 'delivered', null],
      ],
    );
    assert.equal(dispatcher.inFlight, 0);
  });

  test('a fault of ours is tried again at growing distances, is not recorded, and is over when one gets through', async () => {
    post = async () => (posts <= 3 ? fault : answer);
    dispatcher.accept([delivery('a')]);
    await settle();
    const made: number[] = [posts];
    for (const ms of [LIMITS.ownFaultMs, 2 * LIMITS.ownFaultMs, 4 * LIMITS.ownFaultMs]) {
      clock.advance(ms - 1);
      await settle();
      assert.equal(posts, made.at(-1), 'not before its time');
      clock.advance(1);
      await settle();
      made.push(posts);
    }
    assert.deepEqual(made, [1, 2, 3, 4]);
    assert.deepEqual(
      recorded.map(([{ attempt }, { outcome }]) => [attempt, outcome]),
      [[1, 'delivered']],
    );
    assert.deepEqual(dispatcher.fullEndpoints(), []);
  });

  test('after some rounds the queue has it back with the reason, and the endpoint is left alone for a while', async () => {
    post = async () => fault;
    dispatcher.accept([delivery('a'), delivery('b')]);
    for (let n = 0; n < LIMITS.ownFaultTries; n++) {
      if (n > 0) clock.advance(LIMITS.ownFaultMs * 2 ** (n - 1));
      await settle();
    }
    assert.equal(posts, LIMITS.ownFaultTries);
    assert.deepEqual([recorded, dispatcher.held], [[], 0]);
    assert.deepEqual(
      released.map(({ error, ids }) => [ids, error]),
      [[['a', 'b'], 'connection_error']],
    );
    assert.deepEqual(dispatcher.fullEndpoints(), [id]);
    assert.equal(dispatcher.intake.rooms().rooms.get(id), 0);
    clock.advance(LIMITS.avoidMs);
    assert.ok(dispatcher.intake.rooms().rooms.get(id)! > 0);
  });
});
