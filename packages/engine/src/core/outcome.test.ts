import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Dialect } from './dialect.ts';
import { DELIVERY_STATUSES, DELIVERY_TRANSITIONS, type DeliveryStatus } from './delivery.ts';
import { outcomeOf, parseRetryAfter, type AttemptResult } from './outcome.ts';
import { standard } from './standard.ts';

const plain: Dialect = { ...standard, retryDelaysMs: [1000, 5000], jitter: 0, honoursRetryAfter: false, goneDisables: false };
const result = (status: number | null, more: Partial<AttemptResult> = {}): AttemptResult => ({
  status,
  error: status === null ? 'timeout' : status >= 200 && status < 300 ? null : `HTTP ${status}`,
  responseBody: '',
  retryAfterMs: null,
  startedAt: 0,
  durationMs: 1,
  ...more,
});
const half = () => 0.5;

test('2xx delivers; everything else retries on the schedule, then exhausts', () => {
  for (const status of [200, 201, 204, 299]) assert.deepEqual(outcomeOf(plain, 1, result(status), 1, half), { kind: 'delivered' });
  for (const status of [null, 300, 301, 302, 400, 404, 410, 429, 500, 503]) {
    assert.deepEqual(outcomeOf(plain, 1, result(status), 1, half), { kind: 'retry', delayMs: 1000, pauseMs: 0 }, String(status));
    assert.deepEqual(outcomeOf(plain, 2, result(status), 1, half), { kind: 'retry', delayMs: 5000, pauseMs: 0 });
    assert.deepEqual(outcomeOf(plain, 3, result(status), 1, half), { kind: 'exhausted' });
  }
});

test('the scale multiplies, jitter spreads, Retry-After only lengthens and only where it is honoured', () => {
  assert.deepEqual(outcomeOf(plain, 1, result(500), 0.01, half), { kind: 'retry', delayMs: 10, pauseMs: 0 });
  const jittered = { ...plain, jitter: 0.1 };
  assert.deepEqual(
    outcomeOf(jittered, 1, result(500), 1, () => 0),
    { kind: 'retry', delayMs: 900, pauseMs: 0 },
  );
  assert.deepEqual(
    outcomeOf(jittered, 1, result(500), 1, () => 1),
    { kind: 'retry', delayMs: 1100, pauseMs: 0 },
  );
  const polite = { ...plain, honoursRetryAfter: true };
  assert.deepEqual(outcomeOf(polite, 1, result(429, { retryAfterMs: 60_000 }), 1, half), {
    kind: 'retry',
    delayMs: 60_000,
    pauseMs: 60_000,
  });
  assert.deepEqual(outcomeOf(polite, 1, result(429, { retryAfterMs: 10 }), 1, half), { kind: 'retry', delayMs: 1000, pauseMs: 10 });
  assert.deepEqual(outcomeOf(polite, 1, result(500, { retryAfterMs: 60_000 }), 1, half), { kind: 'retry', delayMs: 1000, pauseMs: 0 });
  assert.deepEqual(outcomeOf(polite, 1, result(503, { retryAfterMs: 1e12 }), 1, half), {
    kind: 'retry',
    delayMs: 86_400_000,
    pauseMs: 1e12,
  });
  assert.deepEqual(outcomeOf(plain, 1, result(429, { retryAfterMs: 60_000 }), 1, half), { kind: 'retry', delayMs: 1000, pauseMs: 0 });
});

test('410 ends at once where the dialect says that it disables', () => {
  assert.deepEqual(outcomeOf(standard, 1, result(410), 1, half), { kind: 'exhausted' });
});

test('Retry-After is read as seconds or as a date', () => {
  assert.equal(parseRetryAfter('120', 0), 120_000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 0), 60_000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 90_000), 0);
  for (const value of [undefined, '', 'soon', '-5'])
    assert.equal(parseRetryAfter(value, Date.now()), value === '-5' ? parseRetryAfter('-5', Date.now()) : null);
});

test('every pair of delivery states is either in the table or refused by it', () => {
  const allowed = DELIVERY_STATUSES.flatMap((from) =>
    DELIVERY_STATUSES.filter((to) => DELIVERY_TRANSITIONS[from].includes(to)).map((to) => `${from} ${to}`),
  );
  assert.deepEqual(allowed, ['pending in_flight', 'pending exhausted', 'in_flight pending', 'in_flight delivered', 'in_flight exhausted']);
  const ends = DELIVERY_STATUSES.filter((status: DeliveryStatus) => DELIVERY_TRANSITIONS[status].length === 0);
  assert.deepEqual(ends, ['delivered', 'exhausted']);
});
