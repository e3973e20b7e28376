import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, idAt, World, WORLD_NOW, type TestDatabase } from '@dialhook/testing';
import { addHours, countUploads, loadHours, sweepHours } from './endpoint-hours.ts';

const HOUR = 3_600_000;
const at = (hours: number) => new Date(WORLD_NOW + hours * HOUR);

for (const kind of DATABASE_KINDS) {
  describe(`counts for charts in the ${kind} database`, () => {
    let place: TestDatabase;
    let world: World;
    before(async () => {
      place = await freshDatabase(kind);
      world = await World.make(place.database);
    });
    after(() => place.close());

    test('attempts are added to the hour of their endpoint and to no other', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        await mine.add('endpoint_hours', { hour: at(-1) });
        await rows.changes();
        const of = { organizationId: mine.organizationId, endpointId: mine.first.endpoints! };
        const more = { delivered: 10, failed: 20, exhausted: 30, latencies: [40, 50] };
        await addHours(tx, [
          { ...of, hour: at(1), ...more },
          { ...of, hour: at(0), ...more },
        ]);
        const key = `endpoint_hours ${mine.organizationId} ${mine.first.endpoints}`;
        const changes = Object.entries(await rows.changes());
        const [added, changed] = changes.toSorted(([, a], [, b]) => Object.keys(b!).length - Object.keys(a!).length);
        assert.equal(changes.length, 2);
        assert.ok(changes.every(([name]) => name.startsWith(key)));
        assert.deepEqual(changed![1], { delivered: 13, failed: 22, exhausted: 31, latencies: [41, 52] });
        const ids = { organization_id: mine.organizationId, endpoint_id: mine.first.endpoints };
        assert.deepEqual(added![1], { ...ids, hour: at(1).toISOString(), ...more });
        const loaded = await loadHours(tx, mine.organizationId, at(0));
        assert.deepEqual(
          loaded.toSorted((a, b) => a.hour.getTime() - b.hour.getTime()),
          [
            { ...of, hour: at(0), delivered: 13, failed: 22, exhausted: 31, latencies: [41, 52] },
            { ...of, hour: at(1), ...more },
          ],
        );
        await sweepHours(tx, at(0));
        assert.equal(Object.keys(await rows.changes()).length, 1, 'the hour before');
        assert.equal((await loadHours(tx, mine.organizationId, at(-9))).length, 2);
        assert.equal((await loadHours(tx, other.organizationId, at(-9))).length, 1);
      }));

    test('the lists of an organization are counted by the hour in which they came', () =>
      world.trial(async ({ mine, other, tx }) => {
        for (const [tenant, hours] of [
          [mine, -2],
          [mine, -1.5],
          [mine, -1],
          [mine, -0.5],
          [other, -1],
        ] as const)
          await tenant.add('uploads', { id: idAt(WORLD_NOW + hours * HOUR, tenant === mine ? 1 : 2) });
        const counts = await countUploads(tx, mine.organizationId, at(-1));
        assert.deepEqual(
          counts,
          new Map([
            [at(-1).getTime(), 2],
            [at(0).getTime(), 1],
          ]),
        );
      }));
  });
}
