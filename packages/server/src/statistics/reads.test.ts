import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { uuidFloor } from '@dialhook/engine';
import { DATABASE_KINDS, freshDatabase, Watched, World, WORLD_NOW, type TestDatabase } from '@dialhook/testing';
import { countDials } from '../dials/store/dials.ts';
import { loadHours } from './store/endpoint-hours.ts';

const HOUR = 3_600_000;
const NOW = Math.floor(WORLD_NOW / HOUR) * HOUR;
const ENDPOINTS = 200;
const HOURS = 30;
const DIALS = 30_000;
/** Rows that one statement may read; all of an organization's are more. */
const MOST_HOURS = 4_001;
const MOST_DIALS = 20_001;

for (const kind of DATABASE_KINDS)
  describe(`counts for charts read a few rows with each statement on ${kind}`, () => {
    let place: TestDatabase;
    let organizations: readonly [string, string];
    const run = (text: string, values: readonly unknown[]) => place.database.query<Record<string, unknown>>({ text, values });

    before(async () => {
      place = await freshDatabase(kind);
      const [mine, other] = (await World.make(place.database)).tenants;
      organizations = [mine.organizationId, other.organizationId];
      await run(
        `create function made_id(ms float8, n bigint) returns uuid language sql immutable as
         $$ select (lpad(to_hex(floor(ms)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid $$`,
        [],
      );
      for (const [index, id] of organizations.entries()) {
        await run(
          `insert into endpoint_hours (organization_id, endpoint_id, hour, delivered, failed, exhausted, latencies)
           select $1, made_id(0, e), $2::timestamptz - h * interval '1 hour', 1, 2, 3, '{4,5}' from generate_series(1, ${ENDPOINTS}) e, generate_series(0, ${HOURS - 1}) h`,
          [id, new Date(NOW)],
        );
        await run(
          `insert into dials (id, organization_id, event) select made_id($2::float8 + n * ${HOUR / 10_000}, n * 2 + $3::int), $1, '{}' from generate_series(0, ${DIALS - 1}) n`,
          [id, NOW - 3 * HOUR, index],
        );
      }
    });
    after(() => place.close());

    test('hours of very many endpoints', async () => {
      const watched = new Watched(place.database.reads);
      const since = new Date(NOW - 24 * HOUR);
      const hours = await loadHours(watched, organizations[0], since);
      assert.equal(hours.length, ENDPOINTS * 25 + 1, 'and the one that the world has');
      assert.equal(new Set(hours.map(({ endpointId, hour }) => `${endpointId} ${hour.getTime()}`)).size, hours.length);
      assert.ok(hours.every(({ hour, organizationId }) => hour >= since && organizationId === organizations[0]));
      assert.ok(watched.statements.length > 1 && watched.mostRows <= MOST_HOURS, JSON.stringify(watched.statements));
    });

    test('very many dials', async () => {
      const watched = new Watched(place.database.reads);
      const floors = [3, 2, 1].map((hours) => uuidFloor(NOW - hours * HOUR));
      assert.deepEqual(await countDials(watched, organizations[1], floors, uuidFloor(NOW)), [10_000, 10_000, 10_000]);
      assert.deepEqual(await countDials(watched, organizations[1], floors.slice(1), uuidFloor(NOW - HOUR / 2)), [10_000, 5_000]);
      assert.deepEqual(await countDials(watched, randomUUID(), floors, uuidFloor(NOW)), [0, 0, 0]);
      assert.ok(watched.mostRows <= MOST_DIALS, JSON.stringify(watched.statements));
    });
  });
