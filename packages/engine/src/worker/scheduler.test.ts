import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { FakeClock } from '@dialhook/testing';
import type { AttemptResult } from '../core/outcome.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import { LIMITS } from '../core/limits.ts';
import type { Lane } from './lane.ts';
import { Scheduler } from './scheduler.ts';
import type { Target } from './targets.ts';

const SLOTS = LIMITS.nodeInFlight;
const answered = (status: number, durationMs = 5): AttemptResult => ({
  status,
  error: status < 300 ? null : `HTTP ${status}`,
  responseBody: '',
  retryAfterMs: null,
  startedAt: 0,
  durationMs,
});
const timedOut: AttemptResult = { ...answered(200, 20_000), status: null, error: 'timeout' };

/** A scheduler whose endpoints always have another delivery; only the clock is not real. */
class World {
  readonly clock = new FakeClock();
  readonly scheduler = new Scheduler(() => this.clock.monotonic());
  /** Requests that were sent, by endpoint. */
  readonly sent = new Map<string, number>();

  lane(id: string, organizationId = id): Lane {
    const lane = this.scheduler.open(id);
    lane.add({ attempt: 1 } as LeasedDelivery);
    lane.target = { organizationId } as Target;
    this.scheduler.offer(lane);
    return lane;
  }
  lanes(name: string, count: number, organizationId?: string): Lane[] {
    return Array.from({ length: count }, (_, n) => this.lane(`${name} ${n}`, organizationId));
  }
  /** Sends all that may be sent. */
  run(): void {
    for (let lane = this.scheduler.next(); lane !== null; lane = this.scheduler.next()) {
      lane.add(lane.take()!);
      this.sent.set(lane.id, (this.sent.get(lane.id) ?? 0) + 1);
      this.scheduler.began(lane, lane.target!.organizationId);
      this.scheduler.offer(lane);
    }
  }
  /** Sends, then ends requests of a lane: all in flight, unless said otherwise. Others go out in their place. */
  end(lane: Lane, result: AttemptResult, count?: number): void {
    this.run();
    for (let left = count ?? lane.inFlight; left > 0 && lane.inFlight > 0; left--) {
      const now = this.clock.monotonic();
      lane.health.note(now, result, lane.inFlight >= lane.health.limitAt(now));
      this.scheduler.ended(lane);
      this.scheduler.offer(lane);
      this.run();
    }
  }
  /** Lets time pass, and looks for what has stalled. */
  pass(ms: number): void {
    this.clock.advance(ms);
    this.scheduler.findStalled();
  }
  /** Many successes: it has as many slots then as it can get. */
  grow(lane: Lane): void {
    for (let round = 0; round < 2 * LIMITS.endpointInFlight; round++) this.end(lane, answered(200), 1);
  }
  inFlight(lanes: readonly Lane[]): number {
    return lanes.reduce((sum, lane) => sum + lane.inFlight, 0);
  }
}

describe('one endpoint', () => {
  test('begins with one request, doubles with each round of successes, and stops at its cap', () => {
    const world = new World();
    const lane = world.lane('one');
    const rounds: number[] = [];
    for (let round = 0; round < 7; round++) {
      world.run();
      rounds.push(lane.inFlight);
      world.end(lane, answered(200));
    }
    assert.deepEqual(rounds, [1, 2, 4, 8, 16, 32, LIMITS.endpointInFlight]);
  });

  test('gets less with timeouts and with 503, and is a failing one after three timeouts; one success makes it well again', () => {
    const world = new World();
    const lane = world.lane('one');
    world.grow(lane);
    const limits: number[] = [];
    for (const result of [answered(503), timedOut, answered(500), timedOut]) {
      world.run();
      world.end(lane, result, 1);
      limits.push(lane.health.limit);
    }
    assert.deepEqual(limits, [16, 8, 8, 4]);
    assert.equal(lane.kind, 'slow', 'a timeout is a slow answer too');
    world.end(lane, timedOut, 1);
    assert.deepEqual([lane.kind, lane.health.limitAt(world.clock.monotonic())], ['failing', 1]);
    world.end(lane, timedOut);
    world.run();
    assert.equal(lane.inFlight, 1, 'one probe');
    for (let round = 0; round < 6; round++) {
      world.end(lane, answered(200));
      world.run();
    }
    assert.equal(lane.inFlight, LIMITS.endpointInFlight);
  });

  test('refusals make it a failing one after a dozen in a row, and a success in between begins the count anew', () => {
    const world = new World();
    const lane = world.lane('one');
    const kinds = (results: readonly AttemptResult[]) =>
      results.map((result) => {
        world.run();
        world.end(lane, result, 1);
        return lane.kind;
      });
    const refusals = Array.from({ length: 11 }, () => answered(500));
    assert.ok(kinds([answered(200), ...refusals]).every((kind) => kind === 'quick'));
    assert.ok(kinds([answered(200), ...refusals]).every((kind) => kind === 'quick'));
    assert.deepEqual(kinds([answered(500)]), ['failing']);
  });

  test('one that was not heard of for long is as good as new', () => {
    const world = new World();
    const lane = world.lane('one');
    world.grow(lane);
    const waiting = lane.clear();
    world.end(lane, answered(200));
    assert.equal(lane.inFlight, 0);
    world.clock.advance(LIMITS.rememberedMs + 1);
    lane.add(waiting[0]!);
    world.scheduler.offer(lane);
    world.run();
    assert.deepEqual([lane.kind, lane.inFlight], ['new', 1]);
  });

  test('what is known outlives the lane, and is void when the endpoint is changed', () => {
    const world = new World();
    const lane = world.lane('one');
    world.run();
    world.end(lane, timedOut);
    world.scheduler.close(lane);
    assert.equal(world.lane('one').kind, 'failing');
    world.scheduler.forget('one');
    assert.equal(world.scheduler.open('one').kind, 'new');
  });
});

describe('many endpoints', () => {
  for (const count of [16, 32, 100, 500]) {
    test(`${count} black holes take one slot each, at most half of all, and one that answers well has as many as it wants`, () => {
      const world = new World();
      const healthy = world.lane('healthy');
      world.run();
      world.end(healthy, answered(200));
      const holes = world.lanes('hole', count);
      world.grow(healthy);
      world.run();
      assert.equal(world.inFlight(holes), Math.min(count, SLOTS / 2));
      assert.equal(healthy.inFlight, LIMITS.endpointInFlight);
      for (const hole of holes) world.end(hole, timedOut);
      world.run();
      assert.equal(world.inFlight(holes), Math.min(count, SLOTS / 4), 'failing ones: a quarter');
      for (let turn = 0; turn < 4; turn++) {
        for (const hole of holes) world.end(hole, timedOut);
        world.run();
      }
      const turns = holes.map(({ id }) => world.sent.get(id)!);
      assert.ok(Math.max(...turns) - Math.min(...turns) <= 1, `each had its turn: ${Math.min(...turns)} to ${Math.max(...turns)}`);
    });
  }

  test('endpoints that stop answering give way to those that were never tried, and get nothing more', () => {
    const world = new World();
    const holes = world.lanes('hole', SLOTS / 2);
    const fresh = world.lanes('fresh', 50);
    world.run();
    assert.deepEqual([world.inFlight(holes), world.inFlight(fresh)], [SLOTS / 2, 0]);
    world.pass(LIMITS.slowMs + 1);
    world.run();
    assert.deepEqual([world.inFlight(holes), world.inFlight(fresh)], [SLOTS / 2, 50]);
    for (const lane of fresh) world.end(lane, answered(200));
    world.run();
    assert.deepEqual([world.inFlight(holes), world.inFlight(fresh)], [SLOTS / 2, 100]);
  });

  test('busy endpoints that all fall silent at once leave slots to the others', () => {
    const world = new World();
    const busy = world.lanes('busy', SLOTS / LIMITS.endpointInFlight + 8);
    world.run();
    for (const lane of busy) world.end(lane, answered(200));
    for (const lane of busy) world.grow(lane);
    const healthy = world.lane('healthy');
    world.run();
    world.end(healthy, answered(200));
    world.run();
    assert.ok(world.inFlight(busy) > SLOTS / 2);
    world.pass(LIMITS.slowMs + 1);
    world.grow(healthy);
    world.run();
    assert.ok(healthy.inFlight > 0);
    assert.ok(world.sent.get('healthy')! > LIMITS.endpointInFlight, 'it is served again and again');
  });

  test('slow endpoints take half of the slots in turns, and a quick one waits for none of them', () => {
    const world = new World();
    const slow = world.lanes('slow', 100);
    for (let round = 0; round < 10; round++) {
      world.run();
      for (const lane of slow) world.end(lane, answered(200, 5_000));
    }
    const quick = world.lane('quick');
    world.run();
    world.end(quick, answered(200));
    world.grow(quick);
    world.run();
    assert.ok(world.inFlight(slow) <= SLOTS / 2 && world.inFlight(slow) > 0.9 * (SLOTS / 2), String(world.inFlight(slow)));
    assert.equal(quick.inFlight, LIMITS.endpointInFlight);
    const shares = slow.map(({ inFlight }) => inFlight);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, `${Math.min(...shares)} to ${Math.max(...shares)}`);
  });
});

describe('organizations', () => {
  test('one gets its cap over all its endpoints, in turns; another one is not touched', () => {
    const world = new World();
    const greedy = world.lanes('greedy', 20, 'greedy');
    const modest = world.lanes('modest', 2, 'modest');
    for (const lane of [...greedy, ...modest]) {
      world.run();
      world.end(lane, answered(200));
    }
    for (let round = 0; round < 20; round++) {
      world.run();
      for (const lane of [...greedy, ...modest]) world.end(lane, answered(200), Math.min(4, lane.inFlight));
    }
    world.run();
    assert.equal(world.inFlight(greedy), LIMITS.organizationInFlight);
    assert.equal(world.inFlight(modest), 2 * LIMITS.endpointInFlight);
    const turns = greedy.map(({ id }) => world.sent.get(id)!);
    assert.ok(Math.min(...turns) > 0.5 * Math.max(...turns), `each had its turn: ${Math.min(...turns)} to ${Math.max(...turns)}`);
  });

  test('one with 500 black holes serves its healthy endpoint, first of all or last of all', () => {
    const world = new World();
    const first = world.lane('first', 'one');
    const holes = world.lanes('hole', 500, 'one');
    const last = world.lane('last', 'one');
    for (let second = 0; second < 5; second++) {
      world.run();
      world.pass(LIMITS.slowMs + 1);
      world.run();
      world.end(first, answered(200));
      world.end(last, answered(200));
    }
    assert.deepEqual([first.kind, last.kind], ['quick', 'quick']);
    assert.ok(first.inFlight > 8 && last.inFlight > 8, `${first.inFlight} and ${last.inFlight}`);
    assert.ok(
      holes.every(({ id }) => world.sent.get(id) === 1),
      'each was tried, and once',
    );
    for (const hole of holes) world.end(hole, timedOut);
    world.run();
    assert.equal(world.inFlight(holes), LIMITS.organizationInFlight / 4);
  });
});
