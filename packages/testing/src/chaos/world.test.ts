import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Random } from './random.ts';
import { beginChange, dropChange, observe, subscribedDuring, World, type Change, type ChaosEndpoint } from './world.ts';

/** How long a call whose answer was lost may still take effect, in the time of these worlds. */
const SETTLE_MS = 400;
const END_MS = 10_000;
const WINDOWS = 100;

function endpointOf(world: World): ChaosEndpoint {
  return world.add('north', 'optimaldial', null);
}

test('what was switched off for its failures before a tenant switched it off is not believed to have been on', () => {
  const endpoint = endpointOf(new World());
  beginChange(endpoint, true, 0).to = 1;
  observe(endpoint, true, 50, 60, SETTLE_MS);
  // Nobody looks any more: at 70 it is switched off for its failures, at 100 by a tenant.
  beginChange(endpoint, false, 100).to = 110;
  observe(endpoint, false, 200, 210, SETTLE_MS);
  assert.equal(subscribedDuring(endpoint, 20, 40), 'yes', 'it was seen to be on afterwards');
  assert.equal(subscribedDuring(endpoint, 80, 90), 'maybe');
  assert.equal(subscribedDuring(endpoint, 120, 130), 'no');
});

test('a call that was refused leaves nothing behind', () => {
  const endpoint = endpointOf(new World());
  beginChange(endpoint, true, 0).to = 1;
  dropChange(endpoint, beginChange(endpoint, false, 100));
  observe(endpoint, true, 200, 210, SETTLE_MS);
  assert.equal(subscribedDuring(endpoint, 50, 150), 'yes');
});

test('a look that was asked for before an endpoint was made says nothing of it', () => {
  const endpoint = endpointOf(new World());
  beginChange(endpoint, true, 10).to = 20;
  assert.equal(observe(endpoint, false, 5, 30, SETTLE_MS), false);
  assert.equal(subscribedDuring(endpoint, 40, 50), 'yes');
  assert.equal(observe(endpoint, true, 60, 70, SETTLE_MS), true);
});

test('what is said of an endpoint is true in worlds made at random, with lost answers, slow looks, and endpoints that are switched off unseen', () => {
  const counts = { yes: 0, no: 0, maybe: 0 };
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(seed, 'world');
    const { endpoint, switches } = live(random);
    for (let n = 0; n < WINDOWS; n++) {
      const from = random.between(0, END_MS);
      const to = Math.min(from + random.pick([0, 5, 50]), END_MS);
      const subscribed = subscribedDuring(endpoint, from, to);
      counts[subscribed] += 1;
      if (subscribed === 'maybe') continue;
      const states = statesDuring(switches, from, to);
      assert.deepEqual(
        [...states],
        [subscribed === 'yes'],
        `seed ${seed}, from ${from} to ${to}: ${JSON.stringify({ endpoint, switches })}`,
      );
    }
  }
  const windows = counts.yes + counts.no + counts.maybe;
  assert.ok(counts.yes > 0.2 * windows && counts.no > 0.2 * windows, `most is known: ${JSON.stringify(counts)}`);
});

interface Switch {
  readonly at: number;
  readonly isActive: boolean;
}

/** One endpoint, from its creation on: what its tenant knows, and when it was really switched on and off. */
function live(random: Random): { endpoint: ChaosEndpoint; switches: Switch[] } {
  const endpoint = endpointOf(new World());
  const switches: Switch[] = [];
  const later: { at: number; run: (at: number) => void }[] = [];
  const plan = (at: number, run: (at: number) => void) => void later.push({ at, run });
  const isOn = () => switches.at(-1)?.isActive ?? false;

  /** Takes effect at some time before its answer, or, when that is lost, until it has settled, or never. */
  const call = (change: Change) => {
    const isLost = random.chance(0.15);
    const answerAt = change.calledAt + random.between(1, 100);
    const effectAt = isLost ? change.calledAt + random.between(0, SETTLE_MS) : random.between(change.calledAt, answerAt);
    const { isActive } = change;
    if (!isLost || random.chance(0.5)) plan(effectAt, (at) => switches.push({ at, isActive }));
    if (!isLost) plan(answerAt, (at) => (change.to = at));
    plan(answerAt, act);
  };
  const act = (at: number) => {
    plan(at + random.between(10, 1_500), (time) => {
      const isOpen = endpoint.changes.some(({ to }) => to === Infinity);
      if (time > END_MS) return;
      if (isOpen) act(time);
      else call(beginChange(endpoint, !endpoint.changes.at(-1)!.isActive, time));
    });
  };
  const look = (askedAt: number) => {
    const answerAt = askedAt + random.pick([1, 10, 300]);
    let seen = false;
    plan(random.between(askedAt, answerAt), () => (seen = isOn()));
    const isAnswered = askedAt > END_MS || random.chance(0.7);
    if (isAnswered) plan(answerAt, (at) => void observe(endpoint, seen, askedAt, at, SETTLE_MS));
  };

  call(beginChange(endpoint, true, 0));
  for (let at = 0; at < END_MS; at += random.between(10, 150)) plan(at, look);
  plan(END_MS + 2 * SETTLE_MS, look); // a run ends with one
  for (let at = 0; at < END_MS; at += random.between(10, 2_500)) plan(at, (time) => isOn() && switches.push({ at: time, isActive: false }));
  for (;;) {
    later.sort((a, b) => a.at - b.at);
    const next = later.shift();
    if (next === undefined) return { endpoint, switches };
    next.run(next.at);
  }
}

/** Each state that an endpoint was in at some moment of this time. */
function statesDuring(switches: readonly Switch[], from: number, to: number): Set<boolean> {
  const before = switches.findLast(({ at }) => at <= from);
  const during = switches.filter(({ at }) => at > from && at <= to);
  return new Set([before?.isActive ?? false, ...during.map(({ isActive }) => isActive)]);
}
