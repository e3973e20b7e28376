import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, type TestDatabase } from '@dialhook/testing';
import { EngineError, LIMITS, Searches, systemClock, uuidv7 } from './index.ts';
import { ensurePartitions } from './store/upkeep.ts';

const EVENT_BYTES = 1_000_000;
/** More than one search reads. */
const EVENTS = Math.ceil(LIMITS.searchBytes / EVENT_BYTES) + 10;

for (const kind of DATABASE_KINDS)
  describe(`searching on ${kind}`, () => {
    let place: TestDatabase;
    let searches: Searches;
    const organizations = [randomUUID(), randomUUID()];
    const endpointId = randomUUID();
    before(async () => {
      place = await freshDatabase(kind);
      searches = new Searches(place.database, systemClock);
      await ensurePartitions(place.database.upkeep, Date.now(), 1);
      for (const [index, organizationId] of organizations.entries()) {
        await place.database.query({
          text: `insert into endpoint_versions (endpoint_id, version, organization_id, dialect, url, created_at) values ($1, $2, $3, 'standard', '', now())`,
          values: [endpointId, index, organizationId],
        });
        for (let n = 0; n < EVENTS; n++) {
          const now = Date.now() - (EVENTS - n) * 1_000;
          const ids = [uuidv7(now), uuidv7(now)];
          await place.database.query({
            text: `insert into events (id, organization_id, type, data, occurred_at)
                   values ($1, $2, 'a', '{"n":' || $3::text || ',"text":"Needle-' || $3 || '","filler":"' || repeat('x', $4) || '"}', now())`,
            values: [ids[0], organizationId, n, EVENT_BYTES],
          });
          await place.database.query({
            text: `insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count, scheduled_at, last_response_status, finished_at)
                   values ($1, $2, $3, $4, 'a', 'delivered', $5, 1, now(), $6, now())`,
            values: [ids[1], organizationId, endpointId, ids[0], new Date(now), 200 + (n % 2)],
          });
        }
      }
    });
    after(() => place.close());
    const [ours, theirs] = organizations as [string, string];

    test('it reads so many bytes at most, says how far it came, and goes on from there', async () => {
      const first = await searches.run({ organizationId: ours, text: 'needle-0"' }, 50);
      assert.deepEqual(first.found, [], 'the oldest is beyond what one search reads');
      assert.ok(first.lookedUntil !== null);
      let at = first;
      let steps = 1;
      while (at.lookedUntil !== null && at.found.length === 0) {
        const before = at.lookedUntil.id;
        at = await searches.run({ organizationId: ours, text: 'needle-0"', before }, 50);
        steps += 1;
        assert.ok(at.lookedUntil === null || at.lookedUntil.id < before);
        assert.ok(steps < EVENTS);
      }
      assert.equal(at.found.length, 1);
      assert.equal(at.found[0]!.organizationId, ours);
    });

    test('a full page, an id, an answer’s status, and nothing', async () => {
      const page = await searches.run({ organizationId: ours, text: 'NEEDLE' }, 3);
      assert.equal(page.found.length, 3);
      assert.equal(page.lookedUntil!.id, page.found[2]!.id);
      const { eventId, id } = page.found[1]!;
      for (const text of [id, eventId]) {
        const { found } = await searches.run({ organizationId: ours, text }, 1);
        assert.deepEqual(
          found.map((one) => one.id),
          [id],
        );
        assert.deepEqual((await searches.run({ organizationId: theirs, text }, 1)).found, [], 'not another organization’s');
      }
      const odd = await searches.run({ organizationId: ours, responseStatus: 201 }, EVENTS);
      assert.equal(odd.found.length, Math.floor(EVENTS / 2));
      assert.ok(odd.found.every(({ lastResponseStatus }) => lastResponseStatus === 201));
      assert.equal(odd.lookedUntil, null, 'all of it was looked at');
    });

    test('one at a time for an organization, and publishing goes on meanwhile', async () => {
      const searching = searches.run({ organizationId: ours, text: 'not there' }, 1);
      await assert.rejects(
        searches.run({ organizationId: ours, text: 'not there' }, 1),
        (error) => error instanceof EngineError && error.code === 'search_busy',
      );
      const other = searches.run({ organizationId: theirs, text: 'not there' }, 1);
      let isOver = false;
      void Promise.all([searching, other]).then(() => (isOver = true));
      let served = 0;
      while (!isOver) {
        await place.database.hot.query({ text: 'select 1' });
        await place.database.heartbeat.query({ text: 'select 1' });
        served += 1;
      }
      assert.ok(served >= 5, `${served} statements between the steps`);
      await searches.run({ organizationId: ours, text: 'NEEDLE' }, 1);
    });
  });
