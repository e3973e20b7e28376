import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { DATABASE_KINDS, killRun } from '@dialhook/testing';

/** Short enough for every run; `npm run bench -- kill` does fifty on each database. */
const KILLS = 4;

for (const kind of DATABASE_KINDS) {
  test(`a server on ${kind} that is killed ${KILLS} times under load loses nothing and completes nothing twice`, async (t) => {
    const report = await killRun(kind, KILLS, Math.random);
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.accepted > 0, 'the load was real');
    assert.ok(report.existing >= report.accepted);
    assert.deepEqual(report.lost, []);
    assert.deepEqual(report.doubled, []);
    assert.equal(report.missedEvents, 0);
    assert.equal(report.creditGap, 0);
  });
}
