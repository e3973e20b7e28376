import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { chaosRun, parseChaosOptions, summarize } from '@dialhook/testing';

/** Short enough for every run; `npm run bench -- chaos` does more, for longer. A seed that failed once is added here. */
const SEEDS = [1];
const MINUTES = 0.3;
/** Left to the long runs: what needs another server, or waits for a minute for leases of a claim whose answer was lost. */
const WITHOUT = ['promotion', 'network', 'disk', 'clock', 'snapshot'] as const;
/** Retries are over in half a minute. */
const RETRY_DELAY_SCALE = 0.0001;

for (const seed of SEEDS) {
  test(`${MINUTES * 60} seconds of chaos with seed ${seed}: nothing is lost, and every repeat has its cause`, async (t) => {
    const report = await chaosRun({ seed, minutes: MINUTES, without: WITHOUT, retryDelayScale: RETRY_DELAY_SCALE });
    t.diagnostic(summarize(report));
    assert.deepEqual(report.verdict.unexplained, []);
    assert.ok(report.good);
    assert.ok(report.events.accepted > 0, 'the load was real');
    assert.ok(report.faults.kill! > 0, 'nodes were killed');
  });
}

test('what the command line does not know is refused', () => {
  assert.throws(() => parseChaosOptions(['--without', 'weather']), /There is no fault weather/);
  assert.throws(() => parseChaosOptions(['--seed', '-1']), /--seed must be a number above 0/);
  assert.throws(() => parseChaosOptions(['--speed', '1']), /not --speed/);
});
