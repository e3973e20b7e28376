import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { PLANTS } from './plants.ts';
import { chaosRun } from './run.ts';
import { FAULTS, type Fault } from './options.ts';
import { summarize } from './summary.ts';

/** The checker is checked: a defect that is planted in the nodes is found, and without it the same run finds nothing. */

const SEEDS = [1, 2, 3];

function without(faults: readonly Fault[]): Fault[] {
  return (Object.keys(FAULTS) as Fault[]).filter((fault) => !faults.includes(fault));
}

for (const [name, { faults, minutes }] of Object.entries(PLANTS)) {
  test(`${name} is found within ${SEEDS.length} seeds`, async (t) => {
    for (const seed of SEEDS) {
      const report = await chaosRun({ seed, minutes, without: without(faults), plant: name });
      t.diagnostic(summarize(report));
      if (report.verdict.unexplained.length > 0) return;
    }
    assert.fail('no seed found it');
  });

  test(`the same faults without ${name} are explained`, async (t) => {
    const report = await chaosRun({ seed: SEEDS[0]!, minutes, without: without(faults) });
    t.diagnostic(summarize(report));
    assert.deepEqual(report.verdict.unexplained, []);
  });
}
