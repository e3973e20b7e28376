import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { EngineWorld, eventually, FakeClock, freshDatabase } from '@dialhook/testing';
import { Engine, LIMITS, Sealer, silentLog, standard, uuidv7 } from '../index.ts';
import { Agenda } from './agenda.ts';
import { Claimer } from './claimer.ts';

test('with room for one delivery, the turn of every endpoint comes, whatever waits for the first', async (t) => {
  const place = await freshDatabase('postgres');
  t.after(() => place.close());
  const { database } = place;
  const engine = new Engine({ database, dialects: [standard], sealer: new Sealer(Buffer.alloc(32)), deliver: false });
  await engine.start(); // makes the partitions
  await engine.stop();
  const world = await EngineWorld.make(database);
  for (const owner of ['ours', 'theirs'])
    for (let n = 0; n < 5; n++)
      await database.query({
        text: `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at)
               values ($1, $2, $3, $4, 'a', $5, $5, $5)`,
        values: [uuidv7(Date.now()), world.id(owner), world.id(`${owner}/a`), world.id(`${owner}/event`), world.now],
      });
  const clock = new FakeClock();
  const taken: string[] = [];
  const agenda = new Agenda({ database, clock, log: silentLog, aloneSince: () => Infinity });
  const claimer = new Claimer({
    agenda,
    database,
    clock,
    nodeId: world.id('node'),
    log: silentLog,
    observer: undefined,
    room: () => 1,
    roomBytes: () => 1_000_000,
    rooms: () => ({ rooms: new Map(), others: 100 }),
    accept: (deliveries) => taken.push(...deliveries.map(({ endpointId }) => endpointId)),
    expire: () => {},
    release: () => {},
  });
  claimer.start();
  agenda.start();
  await eventually('four are taken', () => {
    clock.advance(10);
    return taken.length >= 4;
  });
  await agenda.stop();
  await claimer.stop();
  const [first, second, third, fourth] = world.named(taken);
  assert.deepEqual(new Set([first, second]), new Set(['ours/a', 'theirs/a']));
  assert.deepEqual([third, fourth], [first, second], 'and then from the beginning');
});

test('when no endpoint may get more, all are looked at once and not again and again, however many there are', async (t) => {
  const place = await freshDatabase('postgres');
  t.after(() => place.close());
  const { database } = place;
  const organizationId = uuidv7(Date.now());
  const endpoints = Array.from({ length: LIMITS.claimEndpoints + 10 }, () => uuidv7(Date.now()));
  for (const text of [
    `insert into endpoints (id, organization_id, dialect, url, sealed, created_at, updated_at)
     select id, $2, 'standard', 'https://example.com/', '', now(), now() from unnest($1::uuid[]) id`,
    `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at)
     select id, $2, id, id, 'a', now(), now(), now() from unnest($1::uuid[]) id`,
  ])
    await database.query({ text, values: [endpoints, organizationId] });
  let claims = 0;
  const query = database.hot.query.bind(database.hot);
  t.mock.method(database.hot, 'query', (statement: Parameters<typeof query>[0]) => {
    if (statement.name === 'claim-deliveries') claims += 1;
    return query(statement);
  });
  const clock = new FakeClock();
  const agenda = new Agenda({ database, clock, log: silentLog, aloneSince: () => Infinity });
  const claimer = new Claimer({
    agenda,
    database,
    clock,
    nodeId: uuidv7(Date.now()),
    log: silentLog,
    observer: undefined,
    room: () => 1_000,
    roomBytes: () => 1_000_000,
    rooms: () => ({ rooms: new Map(), others: 0 }),
    accept: () => {},
    expire: () => {},
    release: () => {},
  });
  claimer.start();
  claimer.wakeAt(clock.now());
  await eventually('a round is made', () => {
    clock.advance(1);
    return claims >= 2;
  });
  for (let turn = 0; turn < 50; turn++) {
    clock.advance(1);
    await query({ text: 'select 1' }); // time for as many claims
  }
  assert.equal(claims, 2);
  await claimer.stop();
});
