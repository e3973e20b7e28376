import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { check, type Evidence } from './checker.ts';
import type { PublishedEvent } from './publishers.ts';
import type { ReceivedRequest } from './receivers.ts';
import type { StoredDelivery } from './store/state.ts';
import type { Trouble } from './troubles.ts';
import { beginChange, dropChange, observe, subscribedDuring, type ChaosEndpoint } from './world.ts';

/** A small world, told by hand: one event that was accepted, two endpoints that it goes to, and a second organization beside them. */

const ENDPOINT = endpoint('e0', 'north', 'optimaldial');
const OTHER = endpoint('e1', 'north', 'standard');
const BYSTANDER = endpoint('e2', 'east', 'standard');

function endpoint(key: string, organization: string, dialect: 'optimaldial' | 'standard'): ChaosEndpoint {
  const types = dialect === 'standard' ? null : ['upload.completed'];
  const changes = [{ from: 0, calledAt: 0, to: 1, isActive: true }];
  return {
    key,
    organization,
    dialect,
    types,
    id: `id-${key}`,
    isPaused: false,
    pauseAsked: 0,
    isDeleted: false,
    changes,
    seenAt: -Infinity,
  };
}

function event(name: string, organization: string): PublishedEvent {
  return { name, organization, type: 'upload.completed', sentAt: 10, answeredAt: 20, outcome: 'accepted', id: `id-${name}` };
}

function request(id: number, to: ChaosEndpoint, name: string, at: number, status: number | null, node = 0): ReceivedRequest {
  const deliveryId = to.dialect === 'standard' ? null : `${name}-${to.key}`;
  const answeredAt = status === null ? null : at + 5;
  return {
    id,
    endpoint: to.key,
    node,
    event: name,
    deliveryId,
    arrivedAt: at,
    status,
    answeredAt,
    closedAt: at + 5,
    isReused: false,
    isCut: false,
  };
}

function delivered(to: ChaosEndpoint, name: string, body: string): StoredDelivery {
  const attempts = [{ number: 1, status: 200, error: null, body }];
  const id = `${name}-${to.key}`;
  return { id, eventId: `id-${name}`, endpointId: to.id!, status: 'delivered', attemptCount: 1, dueInMs: 0, error: null, attempts };
}

function kill(at: number, node = 0): Trouble {
  return { node, kind: 'kill', start: at, end: at };
}

interface Told {
  readonly requests?: readonly ReceivedRequest[];
  readonly deliveries?: readonly StoredDelivery[];
  readonly troubles?: readonly Trouble[];
  readonly actions?: Evidence['actions'];
}

function judge(told: Told) {
  const events = [event('a', 'north'), event('b', 'east')];
  const bystander = { request: request(2, BYSTANDER, 'b', 30, 200), delivery: delivered(BYSTANDER, 'b', 'r2') };
  const requests = [...(told.requests ?? [request(0, ENDPOINT, 'a', 30, 200), request(1, OTHER, 'a', 30, 200)]), bystander.request];
  const deliveries = [...(told.deliveries ?? [delivered(ENDPOINT, 'a', 'r0'), delivered(OTHER, 'a', 'r1')]), bystander.delivery];
  return check({
    events,
    endpoints: [ENDPOINT, OTHER, BYSTANDER],
    actions: told.actions ?? [],
    requests,
    troubles: told.troubles ?? [],
    state: { events: new Map(events.map(({ name }) => [name, `id-${name}`])), deliveries },
    retryDelayScale: 1,
  });
}

const both = [request(0, ENDPOINT, 'a', 30, 200), request(1, OTHER, 'a', 30, 200)];

test('what was answered and recorded is delivered', () => {
  const verdict = judge({});
  assert.deepEqual([verdict.expected, verdict.delivered, verdict.unexplained], [3, 3, []]);
});

test('a delivery that is missing is found', () => {
  assert.match(
    judge({ deliveries: [delivered(OTHER, 'a', 'r1')] }).unexplained.join('\n'),
    /endpoint e0 \(optimaldial\): subscribed, and no delivery/,
  );
});

test('a delivery that no receiver answered is found', () => {
  const [, second] = both;
  const silent = request(0, ENDPOINT, 'a', 30, null);
  assert.match(judge({ requests: [silent, second!] }).unexplained.join('\n'), /attempt 1 has 200, and the receiver answered null/);
});

test('an answer that is not in the log is found, unless its node was killed just then', () => {
  const again = request(3, ENDPOINT, 'a', 5_000, 200, 1);
  const told = { requests: [...both, again], deliveries: [delivered(ENDPOINT, 'a', 'r3'), delivered(OTHER, 'a', 'r1')] };
  assert.match(judge(told).unexplained.join('\n'), /r0 from node 0 .* is no attempt in the log/);
  assert.match(judge({ ...told, troubles: [kill(100, 1)] }).unexplained.join('\n'), /r0 from node 0/, 'another node was killed');
  const { repeats, unexplained } = judge({ ...told, troubles: [kill(100)] });
  assert.deepEqual([repeats, unexplained], [{ 'kill: answered, not yet recorded': 1 }, []]);
  assert.deepEqual(judge({ ...told, troubles: [kill(32)] }).repeats, { 'kill: in flight': 1 });
});

test('a kill does not excuse what was due to be recorded long before: later answers of the node are in the log', () => {
  const later = request(4, OTHER, 'a', 8_000, 200);
  const again = request(3, ENDPOINT, 'a', 12_000, 200, 1);
  const told = {
    requests: [both[0]!, later, again],
    deliveries: [delivered(ENDPOINT, 'a', 'r3'), delivered(OTHER, 'a', 'r4')],
    troubles: [kill(9_000)],
  };
  assert.match(judge(told).unexplained.join('\n'), /r0 from node 0/);
});

test('what a killed node had sent may arrive late, until its new process speaks', () => {
  const late = request(0, ENDPOINT, 'a', 6_000, 200);
  const again = request(3, ENDPOINT, 'a', 30_000, 200);
  const told = (end: number) => ({
    requests: [late, both[1]!, again],
    deliveries: [delivered(ENDPOINT, 'a', 'r3'), delivered(OTHER, 'a', 'r1')],
    troubles: [{ ...kill(2_500), end }],
  });
  assert.deepEqual(judge(told(7_000)).repeats, { 'kill: in flight': 1 });
  assert.match(judge(told(3_000)).unexplained.join('\n'), /r0 from node 0/, 'it was sent by the new process');
});

test('a request on a used connection that the receiver cut is made once more; on a fresh one that was the attempt', () => {
  const cut = { ...request(0, ENDPOINT, 'a', 30, null), isCut: true };
  const again = request(3, ENDPOINT, 'a', 31, 200);
  const told = (first: ReceivedRequest, ...later: ReceivedRequest[]) =>
    judge({ requests: [first, both[1]!, ...later], deliveries: [delivered(ENDPOINT, 'a', 'r3'), delivered(OTHER, 'a', 'r1')] }).unexplained;
  assert.deepEqual(told({ ...cut, isReused: true }, again), []);
  assert.match(told(cut, again).join('\n'), /r0 .* is no attempt in the log/);
  assert.match(told(again, { ...cut, id: 4, isReused: true }).join('\n'), /r4 .* is no attempt in the log/);
});

test('what waits needs a reason', () => {
  const waiting = (dueInMs: number): StoredDelivery => ({
    ...delivered(ENDPOINT, 'a', 'r0'),
    status: 'pending',
    attemptCount: 0,
    dueInMs,
    attempts: [],
  });
  const reason = (dueInMs: number) =>
    judge({ requests: [both[1]!], deliveries: [waiting(dueInMs), delivered(OTHER, 'a', 'r1')] }).unexplained.join('\n');
  assert.equal(reason(60_000), '');
  assert.match(reason(-60_000), /due for 60000 ms/);
  assert.match(reason(100 * 3_600_000), /due only in/);
});

test('an attempt that was made long before its time is found', () => {
  const failed = request(0, ENDPOINT, 'a', 30, 500);
  const told = (secondAt: number) => {
    const attempts = [
      { number: 1, status: 500, error: 'HTTP 500', body: 'r0' },
      { number: 2, status: 200, error: null, body: 'r3' },
    ];
    const delivery: StoredDelivery = { ...delivered(ENDPOINT, 'a', 'r3'), attemptCount: 2, attempts };
    const requests = [failed, both[1]!, request(3, ENDPOINT, 'a', secondAt, 200)];
    return judge({ requests, deliveries: [delivery, delivered(OTHER, 'a', 'r1')] }).unexplained.join('\n');
  };
  assert.equal(told(60_100), '');
  assert.match(told(5_000), /attempt 2 came after 4965 ms/);
});

test('a delivery is given up after every attempt, or by a tenant', () => {
  const end = (error: string, attemptCount: number): StoredDelivery => ({
    ...delivered(ENDPOINT, 'a', 'r0'),
    status: 'exhausted',
    error,
    attemptCount,
    attempts: Array.from({ length: attemptCount }, (_, n) => ({ number: n + 1, status: null, error: 'timeout', body: null })),
  });
  const told = (delivery: StoredDelivery, actions: Evidence['actions'] = []) =>
    judge({ requests: [both[1]!], deliveries: [delivery, delivered(OTHER, 'a', 'r1')], actions });
  assert.deepEqual([told(end('timeout', 6)).givenUp, told(end('timeout', 6)).unexplained], [1, []]);
  assert.match(told(end('timeout', 5)).unexplained.join('\n'), /given up before 6 attempts/);
  assert.match(told(end('endpoint_deleted', 2)).unexplained.join('\n'), /nobody did anything/);
  const deletion = { kind: 'delete' as const, at: 40, endpoint: ENDPOINT, organization: 'north' };
  assert.match(told(end('endpoint_deleted', 2), [deletion]).unexplained.join('\n'), /since it was published/, 'its call changed nothing');
  const change = beginChange(ENDPOINT, false, 40);
  const excused = told(end('endpoint_deleted', 2), [deletion]);
  const kept = told(end('endpoint_disabled', 2), [{ ...deletion, kind: 'disable' }]);
  dropChange(ENDPOINT, change);
  assert.deepEqual([excused.excused, excused.unexplained], [{ endpoint_deleted: { count: 1, atMs: [40] } }, []]);
  assert.match(kept.unexplained.join('\n'), /its dialect keeps what waits/);
});

test('more deliveries than were asked for are found', () => {
  const second = { ...delivered(ENDPOINT, 'a', 'r3'), id: 'second' };
  const told = {
    requests: [...both, { ...request(3, ENDPOINT, 'a', 40, 200), deliveryId: 'second' }],
    deliveries: [delivered(ENDPOINT, 'a', 'r0'), second, delivered(OTHER, 'a', 'r1')],
  };
  assert.match(judge(told).unexplained.join('\n'), /2 deliveries, and 1 at most were asked for/);
  const resend = { kind: 'resend' as const, at: 35, endpoint: ENDPOINT, organization: 'north', eventId: 'id-a' };
  assert.deepEqual(judge({ ...told, actions: [resend] }).unexplained, []);
});

test('while a change is under way nobody knows who is subscribed', () => {
  const one = { ...ENDPOINT, changes: [...ENDPOINT.changes] };
  assert.equal(subscribedDuring(one, 10, 20), 'yes');
  observe(one, true, 13, 14, 5_000);
  beginChange(one, false, 15);
  assert.equal(subscribedDuring(one, 10, 20), 'maybe');
  assert.equal(subscribedDuring(one, 10, 12), 'yes');
  observe(one, true, 5_014, 5_014, 5_000);
  assert.equal(subscribedDuring(one, 200, 210), 'maybe', 'the lost statement may still be running');
  observe(one, true, 6_000, 6_010, 5_000);
  assert.equal(subscribedDuring(one, 7_000, 7_010), 'yes');
  observe(one, false, 8_000, 8_010, 5_000);
  assert.equal(subscribedDuring(one, 7_000, 7_010), 'maybe', 'it was switched off at some time since it was last known to be on');
  assert.equal(subscribedDuring(one, 9_000, 9_010), 'no');
});
