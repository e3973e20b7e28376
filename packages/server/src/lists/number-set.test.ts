import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { NumberSet } from './number-set.ts';

test('agrees with Set, also on runs and through growth', () => {
  const numbers = fc.array(fc.oneof(fc.integer({ min: 12_000_000_000, max: 19_999_999_999 }), fc.integer({ min: 1, max: 9000 })), {
    maxLength: 20_000,
    size: 'max',
  });
  fc.assert(
    fc.property(numbers, (values) => {
      const ours = new NumberSet();
      const theirs = new Set<number>();
      for (const value of values) {
        assert.equal(ours.add(value), !theirs.has(value));
        theirs.add(value);
      }
      assert.equal(ours.size, theirs.size);
    }),
    { numRuns: 30 },
  );
  const run = new NumberSet();
  for (let n = 15_550_000_000; n < 15_550_200_000; n++) assert.ok(run.add(n));
  for (let n = 15_550_000_000; n < 15_550_200_000; n++) assert.ok(!run.add(n));
});
