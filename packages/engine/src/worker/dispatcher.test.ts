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

  test('an endpoint that does not answer gets its cap and no more, and holds up nobody else', async () => {
    receiver.answer = hold;
    const organizationId = randomUUID();
    await endpoint(organizationId, '/slow');
    await endpoint(organizationId, '/quick');
    await submit(organizationId, 300);
    await receiver.until(() => to('/quick') === 300 && to('/slow') === LIMITS.endpointInFlight);
    await eventually(
      'the quick ones are recorded',
      async () => (await engine.deliveries({ organizationId, status: 'delivered' }, 1000)).length === 300,
    );
    assert.equal(to('/slow'), LIMITS.endpointInFlight);
    receiver.answer = () => 200;
    for (const { answer } of held) answer();
    held = [];
    await receiver.until(() => to('/slow') === 300);
  });

  test('an organization gets its cap over all its endpoints, another organization is not touched, and all is sent in the end', async () => {
    receiver.answer = hold;
    const [greedy, modest] = [randomUUID(), randomUUID()];
    const paths = Array.from({ length: 12 }, (_, n) => `/slow/${n}`);
    for (const path of paths) await endpoint(greedy, path);
    await endpoint(modest, '/modest');
    await submit(greedy, 60);
    const slow = () => paths.reduce((sum, path) => sum + to(path), 0);
    await receiver.until(() => slow() >= LIMITS.organizationInFlight);
    await submit(modest, 50);
    await receiver.until(() => to('/modest') === 50);
    assert.equal(slow(), LIMITS.organizationInFlight);
    receiver.answer = () => 200;
    for (const { answer } of held) answer();
    await receiver.until(() => slow() === 12 * 60);
    await eventually(
      'everything is recorded',
      async () => (await engine.deliveries({ organizationId: greedy, status: 'delivered' }, 1000)).length === 720,
    );
  });
});
