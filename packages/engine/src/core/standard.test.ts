import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { standard } from './standard.ts';

test('Standard Webhooks: the published schedule, in milliseconds', () => {
  // 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h
  assert.deepEqual(
    standard.retryDelaysMs,
    [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000],
  );
  const { disableAfterFailures, goneDisables, honoursRetryAfter, jitter, maxEndpoints, ping, secret, timeoutMs, whenDisabled } = standard;
  assert.deepEqual(
    {
      disableAfterFailures,
      goneDisables,
      honoursRetryAfter,
      jitter,
      maxEndpoints,
      ping,
      overlapMs: secret.overlapMs,
      timeoutMs,
      whenDisabled,
    },
    {
      disableAfterFailures: null,
      goneDisables: true,
      honoursRetryAfter: true,
      jitter: 0.1,
      maxEndpoints: null,
      ping: null,
      overlapMs: 86_400_000, // both secrets sign for a day
      timeoutMs: 20_000,
      whenDisabled: 'keep',
    },
  );
});

test('Standard Webhooks: a key has 24 to 64 bytes', () => {
  const key = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
  for (const bytes of [24, 32, 64]) assert.equal(standard.secret.refuse(key(bytes)), null, String(bytes));
  for (const bytes of [0, 23, 65]) assert.match(standard.secret.refuse(key(bytes)) ?? '', /24 to 64 bytes/, String(bytes));
  assert.match(standard.secret.refuse('whsec_%') ?? '', /base64/);
  const generated = standard.secret.generate();
  assert.equal(Buffer.from(generated.slice('whsec_'.length), 'base64').length, 32);
  assert.equal(standard.secret.refuse(generated), null);
});
