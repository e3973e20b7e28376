import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { EngineWorld, eventually, FakeClock, freshDatabase } from '@dialhook/testing';
import { Engine, Sealer, silentLog, standard, uuidv7 } from '../index.ts';
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
