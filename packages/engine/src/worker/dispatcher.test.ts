import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { eventually, freshDatabase, Receiver, type Received, type TestDatabase } from '@dialhook/testing';
import { Engine, LIMITS, Sealer, standard } from '../index.ts';

describe('caps on requests in flight', () => {
  let place: TestDatabase;
  let receiver: Receiver;
  let engine: Engine;
  /** Answers that are held back until the test lets them go. */
  let held: { path: string; answer: () => void }[] = [];

  before(async () => {
    place = await freshDatabase('postgres');
    receiver = await Receiver.start();
    engine = new Engine({
      database: place.database,
      dialects: [standard],
      sealer: new Sealer(Buffer.alloc(32)),
      allowPrivateTargets: true,
    });
    await engine.start();
  });
  after(async () => {
    await engine.stop();
    await receiver.stop();
    await place.close();
  });

  const hold = ({ path }: Received) =>
    path.startsWith('/slow')
      ? (_request: unknown, response: { end(): unknown }) => void held.push({ path, answer: () => response.end() })
      : 200;
  const endpoint = (organizationId: string, path: string) =>
    engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path) });
  const submit = (organizationId: string, count: number) =>
    engine.submit(Array.from({ length: count }, () => ({ organizationId, type: 'a', data: '1' })));
  const to = (path: string) => receiver.received.filter((request) => request.path === path).length;

  test('black holes cost a slot each and few leases; the others get all their events meanwhile', async () => {
    receiver.answer = hold;
    const healthy = randomUUID();
    await endpoint(healthy, '/healthy');
    const holes = Array.from({ length: 40 }, (_, n) => ({ organizationId: randomUUID(), path: `/slow/${n}` }));
    for (const { organizationId, path } of holes) await endpoint(organizationId, path);
    await submit(healthy, 1);
    await receiver.until(() => to('/healthy') === 1);
    // Far more than the node may hold: none of it may cost the healthy one its leases.
    for (const { organizationId } of holes) await submit(organizationId, 210);
    for (let n = 0; n < 10; n++) {
      const before = to('/healthy');
      await submit(healthy, 30);
      await receiver.until(() => to('/healthy') === before + 30);
    }
    assert.deepEqual(
      holes.map(({ path }) => to(path)),
      holes.map(() => 1),
    );
    assert.ok(engine.activity.held <= LIMITS.nodeLeases * 0.75, `${engine.activity.held} leases`);
    // They recover: what was held up arrives, once each.
    receiver.answer = () => 200;
    for (const { answer } of held) answer();
    held = [];
    await receiver.until(() => holes.every(({ path }) => to(path) === 210), 60_000);
    await eventually('everything is recorded', async () => (await engine.backlog()).pending === 0 && engine.activity.held === 0);
    assert.deepEqual(
      holes.map(({ path }) => to(path)),
      holes.map(() => 210),
    );
  });

  test('an organization with many black holes serves its own healthy endpoint', async () => {
    receiver.answer = hold;
    const organizationId = randomUUID();
    const paths = Array.from({ length: 60 }, (_, n) => `/slow/own/${n}`);
    for (const path of paths) await endpoint(organizationId, path);
    await endpoint(organizationId, '/own');
    for (let n = 1; n <= 8; n++) {
      await submit(organizationId, 5);
      await receiver.until(() => to('/own') === 5 * n);
    }
    assert.ok(paths.every((path) => to(path) === 1));
    receiver.answer = () => 200;
    for (const { answer } of held) answer();
    held = [];
    await receiver.until(() => paths.every((path) => to(path) === 40), 60_000);
  });
});
