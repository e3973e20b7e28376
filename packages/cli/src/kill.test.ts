import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { killRun, type DatabaseKind } from '@dialhook/testing';

/** Short enough for every run; `npm run bench -- kill` does fifty of each. */
const KILLS = 2;
const RUNS: readonly { readonly kind: DatabaseKind; readonly nodes: number }[] = [
  { kind: 'postgres', nodes: 1 },
  { kind: 'postgres', nodes: 2 },
  { kind: 'embedded', nodes: 1 },
];

for (const { kind, nodes } of RUNS) {
  test(`${nodes} node(s) on ${kind}, killed ${KILLS} times under load, lose nothing and complete nothing twice`, async (t) => {
    const report = await killRun(kind, { kills: KILLS, nodes, random: Math.random });
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.accepted > 0, 'the load was real');
    assert.ok(report.existing >= report.accepted);
    assert.deepEqual(report.lost, []);
    assert.deepEqual(report.doubled, []);
    assert.equal(report.missedEvents, 0);
    assert.equal(report.creditGap, 0);
  });
}
