import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { dialnexa } from './dialnexa.ts';
import { dialects } from './index.ts';
import { optimaldial } from './optimaldial.ts';
import { outboundiq } from './outboundiq.ts';

/** What the vendors publish, in milliseconds; `standard` has a test beside it in the engine. */
const PUBLISHED = [
  // contracts/optimaldial.md 6.5: 1 min, 5 min, 30 min, 2 h, 12 h; the ping has 5 s
  { dialect: optimaldial, retryDelaysMs: [60_000, 300_000, 1_800_000, 7_200_000, 43_200_000], timeoutMs: 10_000, pingTimeoutMs: 5_000 },
  // contracts/outboundiq.md 1.6: one retry, 500 ms later
  { dialect: outboundiq, retryDelaysMs: [500], timeoutMs: 10_000, pingTimeoutMs: undefined },
  // contracts/dialnexa.md 2.6: 1 s, 10 s, 60 s
  { dialect: dialnexa, retryDelaysMs: [1_000, 10_000, 60_000], timeoutMs: 10_000, pingTimeoutMs: undefined },
];

for (const { dialect, ...published } of PUBLISHED)
  test(`${dialect.name}: retries come when the vendor says`, () => {
    const { jitter, ping, retryDelaysMs, timeoutMs } = dialect;
    assert.deepEqual({ retryDelaysMs, timeoutMs, pingTimeoutMs: ping?.timeoutMs }, published);
    assert.equal(jitter, 0, 'and at no other time');
  });

test('every dialect but the engine’s own has its schedule here', () => {
  assert.deepEqual(
    dialects.map(({ name }) => name),
    ['standard', ...PUBLISHED.map(({ dialect }) => dialect.name)],
  );
});
