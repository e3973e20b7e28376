import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { FakeClock } from '@dialhook/testing';
import type { Clock } from '../core/clock.ts';
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
  assert.deepEqual(runs, [0, 100, 300, 800], 'the interval is counted from the last run, whoever asked for it');
  await alarm.stop();
  alarm.at(1_000_000 + 900);
  await advance(1000);
  assert.equal(runs.length, 4);
});

test('a timer that comes early, and thousands of announced times, leave one run for each interval', async () => {
  const clock = new FakeClock(1_000_000);
  /** As Node's: up to a millisecond early. */
  const early: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, effect) => clock.after(Math.max(0, ms - 1), effect),
  };
  let runs = 0;
  const alarm = new Alarm({ clock: early, intervalMs: 500, work: async () => ((runs += 1), false) });
  alarm.start();
  for (let at = 0; at < 10_000; at += 7) alarm.at(1_000_000 + at);
  const advance = async (ms: number) => {
    for (let step = 0; step < ms; step++) {
      clock.advance(1);
      await settle();
    }
  };
  await advance(10_000);
  runs = 0;
  await advance(5_000);
  assert.ok(runs >= 9 && runs <= 10, `${runs} runs in ten intervals`);
  await alarm.stop();
});

test('an alarm without an interval runs when it is told to, and once more when that comes while it runs', async () => {
  const clock = new FakeClock(1_000_000);
  let runs = 0;
  const alarm = new Alarm({ clock, work: async () => ((runs += 1), await settle(), false) });
  alarm.now();
  assert.equal(runs, 0, 'not before it is started');
  alarm.start();
  clock.advance(0);
  alarm.now();
  alarm.now();
  assert.equal(runs, 1);
  for (let n = 0; n < 5; n++) {
    await settle();
    clock.advance(10);
  }
  assert.equal(runs, 2);
  clock.advance(1_000_000);
  await settle();
  assert.equal(runs, 2);
  await alarm.stop();
  alarm.now();
  assert.equal(runs, 2);
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
