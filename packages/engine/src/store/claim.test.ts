import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, type TestDatabase } from '@dialhook/testing';
import { Engine, Sealer, standard, uuidv7 } from '../index.ts';
import { FIRST_UUID } from '../core/ids.ts';
import { claimDeliveries, type Claim } from './claim.ts';
import { heartbeat } from './nodes.ts';

for (const kind of DATABASE_KINDS) {
  describe(`claims on ${kind}`, () => {
    let place: TestDatabase;
    before(async () => {
      place = await freshDatabase(kind);
      // Makes the partitions; it takes nothing itself.
      const engine = new Engine({ database: place.database, dialects: [standard], sealer: new Sealer(Buffer.alloc(32)), deliver: false });
      await engine.start();
      await engine.stop();
      await heartbeat(place.database, nodeId, true); // one that counts as dead gets nothing
    });
    after(() => place.close());
    afterEach(() => place.database.query({ text: 'delete from deliveries' }));

    const now = Date.now();
    const nodeId = randomUUID();

    /** An endpoint with so many due first attempts and retries of one event. */
    async function endpoint(due: { first?: number; retries?: number; data?: string; paused?: boolean; organizationId?: string }) {
      const { data = '1', first = 0, organizationId = randomUUID(), paused = false, retries = 0 } = due;
      const [id, eventId] = [uuidv7(now), uuidv7(now)];
      await place.database.query({
        text: `insert into endpoints (id, organization_id, dialect, url, sealed, paused_at, created_at, updated_at)
               values ($1, $2, 'standard', 'http://x', '', case when $3 then now() end, now(), now())`,
        values: [id, organizationId, paused],
      });
      await place.database.query({
        text: 'insert into events (id, organization_id, type, data, occurred_at) values ($1, $2, $3, $4, now())',
        values: [eventId, organizationId, 'a', data],
      });
      await place.database.query({
        text: `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at, attempt_count)
               select (left($1::text, 15) || right(gen_random_uuid()::text, 21))::uuid, $2, $3, $4, 'a', now(), now(),
                      now() - interval '1 minute', (n > $5::int)::int from generate_series(1, $5::int + $6::int) as n`,
        values: [eventId, organizationId, id, eventId, first, retries],
      });
      return id;
    }

    async function claim(options: { room: number; rooms?: [string, number][]; after?: string }): Promise<Claim> {
      const { after: from = FIRST_UUID, room, rooms = [] } = options;
      return claimDeliveries(place.database, {
        nodeId,
        now: now + 60_000,
        leaseEndsAt: 0,
        room,
        rooms: new Map(rooms),
        others: 1_000,
        after: from,
      });
    }
    const countBy = (claims: readonly Claim[]) => {
      const counts = new Map<string, number>();
      for (const { endpointId } of claims.flatMap(({ deliveries }) => deliveries))
        counts.set(endpointId, (counts.get(endpointId) ?? 0) + 1);
      return counts;
    };

    const snapshot = (ids: readonly string[]) =>
      place.database.query({ text: 'select * from deliveries where endpoint_id = any ($1::uuid[]) order by id', values: [ids] });

    test('the turn of each endpoint comes, however little room there is', async () => {
      const ids: string[] = [];
      for (let n = 0; n < 60; n++) ids.push(await endpoint({ first: 10, retries: 10 }));
      const bystanders = [await endpoint({ first: 10, paused: true })];
      const before = await snapshot(bystanders);
      const claims: Claim[] = [];
      for (let n = 0, from = FIRST_UUID; n < 20; n++) {
        const one = await claim({ room: 16, after: from });
        claims.push(one);
        from = one.next;
      }
      const counts = countBy(claims);
      assert.deepEqual([...counts.keys()].toSorted(), ids.toSorted());
      const shares = [...counts.values()];
      assert.ok(Math.max(...shares) <= 3 * Math.min(...shares), `from ${Math.min(...shares)} to ${Math.max(...shares)}`);
      assert.deepEqual(await snapshot(bystanders), before);
    });

    test('an endpoint gets no more than it has room for, of first attempts and of retries', async () => {
      const [full, failing, other] = [
        await endpoint({ first: 20, retries: 20 }),
        await endpoint({ first: 20, retries: 20 }),
        await endpoint({ first: 20, retries: 20 }),
      ];
      const before = await snapshot([full]);
      const claimed = await claim({
        room: 1_000,
        rooms: [
          [full, 0],
          [failing, 2],
        ],
      });
      assert.deepEqual(
        countBy([claimed]),
        new Map([
          [failing, 2],
          [other, 40],
        ]),
      );
      const attempts = claimed.deliveries.filter(({ endpointId }) => endpointId === failing).map(({ attempt }) => attempt);
      assert.deepEqual(
        attempts.toSorted((a, b) => a - b),
        [1, 2],
        'one of each kind',
      );
      assert.deepEqual(await snapshot([full]), before);
    });

    test('a backlog of one endpoint is taken in parts, and the walk begins anew at its end', async () => {
      const only = await endpoint({ first: 30 });
      const first = await claim({ room: 20 });
      assert.equal(countBy([first]).get(only), 3, 'a share of the room');
      assert.equal(first.next, FIRST_UUID);
      assert.equal((await claim({ room: 2_000 })).deliveries.length, 27);
      assert.equal((await claim({ room: 2_000 })).deliveries.length, 0);
    });
  });
}
