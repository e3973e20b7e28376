import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { FakeClock } from '@dialhook/testing';
import { Alarm } from './alarm.ts';

/** Lets promises settle: the alarm arms itself again in a microtask. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('runs at each announced time and at the interval, and not after stop', async () => {
  const clock = new FakeClock(1_000_000);
  const runs: number[] = [];
  const alarm = new Alarm({ clock, intervalMs: 500, work: async () => (runs.push(clock.now() - 1_000_000), false) });
  alarm.start();
  const advance = async (ms: number) => {
    for (let step = 0; step < ms; step += 10) {
      clock.advance(10);
      await settle();
    }
  };
  await advance(10);
  alarm.at(1_000_000 + 300);
  alarm.at(1_000_000 + 100);
  alarm.at(1_000_000 + 300);
  await advance(790);
  assert.deepEqual(runs, [0, 100, 300, 510, 600, 800], 'announced times are kept beside the interval that each run sets');
  await alarm.stop();
  alarm.at(1_000_000 + 900);
  await advance(1000);
  assert.equal(runs.length, 6);
});

test('goes on at once while there is more, one run at a time', async () => {
  const clock = new FakeClock(0);
  let left = 3;
  let inside = 0;
  const alarm = new Alarm({
    clock,
    intervalMs: 1000,
    work: async () => {
      inside += 1;
      assert.equal(inside, 1);
      await settle();
      inside -= 1;
      left -= 1;
      return left > 0;
    },
  });
  alarm.start();
  for (let i = 0; i < 20; i++) {
    clock.advance(1);
    await settle();
  }
  assert.equal(left, 0);
  await alarm.stop();
});
