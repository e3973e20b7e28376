import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, eventually, freshDatabase, Receiver, type Received, type TestDatabase } from '@dialhook/testing';
import { eventBytes } from '../core/event-memory.ts';
import { Engine, EngineError, LIMITS, Sealer, standard, uuidv7 } from '../index.ts';
import { loadEventsWithin } from '../store/events.ts';

const MIB = 1024 * 1024;
/** Four events of 1 MiB and a little may be held. */
const MEMORY = 18 * MIB;
const LEASED = MEMORY * LIMITS.leasedShare;
const large = (n: number) => JSON.stringify(`${n}`.padEnd(MIB - 2, 'x'));

for (const kind of DATABASE_KINDS) {
  describe(`memory for events on ${kind}`, () => {
    let place: TestDatabase;
    let receiver: Receiver;
    let engine: Engine;
    let most = 0;
    before(async () => {
      place = await freshDatabase(kind);
      receiver = await Receiver.start();
      engine = new Engine({
        database: place.database,
        dialects: [standard],
        sealer: new Sealer(Buffer.alloc(32)),
        allowPrivateTargets: true,
        eventMemoryBytes: MEMORY,
      });
      await engine.start();
    });
    after(async () => {
      await engine.stop();
      await receiver.stop();
      await place.close();
    });
    const note = () => {
      most = Math.max(most, engine.activity.heldBytes);
    };
    const create = async (organizationId: string, path: string) =>
      (await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url(path) })).endpoint;
    const to = (path: string) => receiver.received.filter((request) => request.path === path);
    const held = () => eventually('nothing is held', () => engine.activity.held === 0 && engine.activity.heldBytes === 0);

    test('a backlog of large events is delivered within the budget, once each, and small ones arrive beside it', async () => {
      const [big, small] = [randomUUID(), randomUUID()];
      const endpoint = await create(big, '/big');
      await create(small, '/small');
      await engine.endpoints.update({ organizationId: big }, endpoint.id, { paused: true });
      for (let n = 0; n < 24; n++) await engine.submit([{ organizationId: big, type: 'a', data: large(n) }]);
      assert.equal(engine.activity.heldBytes, 0);
      receiver.answer = () => {
        note();
        return 200;
      };
      await engine.endpoints.update({ organizationId: big }, endpoint.id, { paused: false });
      for (let n = 0; n < 20; n++) await engine.submit([{ organizationId: small, type: 'a', data: String(n) }]);
      await receiver.until(() => to('/big').length === 24 && to('/small').length === 20);
      await held();
      assert.ok(most > 2 * MIB && most <= LEASED + eventBytes(MIB), `${most} bytes at most`);
      assert.equal(new Set(to('/big').map(({ headers }) => headers['webhook-id'])).size, 24);
      assert.equal(to('/big').length, 24, 'nothing was sent twice');
      receiver.answer = () => 200;
    });

    test('large events to an endpoint that never answers leave memory for the others', async () => {
      const [hole, small] = [randomUUID(), randomUUID()];
      for (const path of ['/hole/1', '/hole/2', '/hole/3']) await create(hole, path);
      await create(small, '/quick');
      const answers: (() => void)[] = [];
      receiver.answer = ({ path }: Received) => {
        note();
        return path.startsWith('/hole') ? (_, response) => void answers.push(() => response.end()) : 200;
      };
      most = 0;
      for (let n = 0; n < 8; n++) {
        await engine.submit([{ organizationId: hole, type: 'a', data: large(n) }]);
        note();
        await engine.submit([{ organizationId: small, type: 'a', data: String(n) }]);
        await receiver.until(() => to('/quick').length === n + 1);
      }
      assert.ok(most <= LEASED + eventBytes(MIB), `${most} bytes at most`);
      receiver.answer = () => 200;
      for (const answer of answers) answer();
      await receiver.until(() => ['/hole/1', '/hole/2', '/hole/3'].every((path) => to(path).length === 8));
      await held();
    });

    test('an event that several endpoints get counts once', async () => {
      const organizationId = randomUUID();
      for (const path of ['/one', '/two', '/three']) await create(organizationId, path);
      const answers: (() => void)[] = [];
      receiver.answer = () => (_, response) => void answers.push(() => response.end());
      await engine.submit([{ organizationId, type: 'a', data: '"shared"' }]);
      await receiver.until(() => answers.length === 3);
      assert.deepEqual([engine.activity.held, engine.activity.heldBytes], [3, eventBytes(8)]);
      for (const answer of answers) answer();
      await held();
      receiver.answer = () => 200;
    });

    test('the inbox is full by bytes too, and then nothing of what was refused is stored', async () => {
      const organizationId = randomUUID();
      const events = Array.from({ length: 12 }, (_, n) => ({ organizationId, type: 'a', data: large(n) }));
      const results = await Promise.allSettled(events.map((event) => engine.submit([event])));
      const refused = results.filter((result) => result.status === 'rejected');
      const fits = Math.floor((MEMORY * LIMITS.inboxShare) / MIB);
      assert.equal(refused.length, events.length - fits);
      for (const { reason } of refused) assert.equal((reason as EngineError).code, 'inbox_full');
      const rows = await place.database.query({ text: 'select 1 from events where organization_id = $1', values: [organizationId] });
      assert.equal(rows.length, fits);
    });

    test('as many events are loaded as there is memory for, and the first in any case', async () => {
      const organizationId = randomUUID();
      const ids = Array.from({ length: 4 }, () => uuidv7(Date.now()));
      for (const [n, id] of ids.entries()) {
        await place.database.query({
          text: 'insert into events (id, organization_id, type, data, occurred_at) values ($1, $2, $3, $4, now())',
          values: [id, organizationId, 'a', n === 0 ? large(0) : `"é${n}"`],
        });
      }
      const gone = uuidv7(Date.now());
      const load = async (wanted: string[], bytes: number) => {
        const events = await loadEventsWithin(place.database, wanted, bytes);
        return wanted.map((id) => (events.has(id) ? (events.get(id)?.data.length ?? null) : undefined));
      };
      const [big, one, two, three] = ids as [string, string, string, string];
      const each = eventBytes(5);
      assert.deepEqual(await load([big, one, two], 0), [MIB, null, null]);
      assert.deepEqual(await load([one, two, three], 2 * each), [4, 4, null]);
      assert.deepEqual(await load([one, gone, big, two], 2 * each), [4, undefined, null, null]);
      assert.deepEqual(await load([one, big, two], 2 * each + eventBytes(MIB)), [4, MIB, 4]);
    });
  });
}
