import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { corpus, expected, outcome, SCHEMES } from './corpus.fixture.ts';
import * as sdk from './index.ts';

const cases = corpus();

// The same cases run through the built package in other runtimes: tools/sdk.test.ts.
for (const scheme of SCHEMES) {
  test(`${scheme}: what a receiver may be sent is accepted or refused for the right reason, by verify and by unwrap`, async () => {
    for (const one of cases) if (one.scheme === scheme) assert.deepEqual(await outcome(sdk, one), expected(one));
  });
}

test('the corpus has every kind of delivery for every scheme', () => {
  const kinds = ['valid', 'forged', 'truncated', 'extended', 're-encoded', 'old', 'future', 'wrong scheme', 'several signatures'];
  for (const scheme of SCHEMES)
    for (const kind of kinds)
      assert.ok(
        cases.some((one) => one.scheme === scheme && one.name.startsWith(kind)),
        `${scheme}: ${kind}`,
      );
  assert.equal(new Set(cases.map(({ name, scheme }) => `${scheme} ${name}`)).size, cases.length);
});
