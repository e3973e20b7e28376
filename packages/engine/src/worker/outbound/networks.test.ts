import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockListOf, contains, formatNetwork, parseNetwork, without } from './networks.ts';

test('networks are read as people write them', () => {
  const read = (text: string) => {
    const network = parseNetwork(text);
    return network === null ? null : formatNetwork(network);
  };
  assert.equal(read('10.0.0.0/8'), '10.0.0.0/8');
  assert.equal(read('0.0.0.0/0'), '0.0.0.0/0');
  assert.equal(read('192.168.1.7'), '192.168.1.7/32');
  assert.equal(read('fd00::/8'), 'fd00:0:0:0:0:0:0:0/8');
  assert.equal(read('::1'), '0:0:0:0:0:0:0:1/128');
  assert.equal(read('::ffff:10.1.2.3/128'), '0:0:0:0:0:ffff:a01:203/128');
  for (const wrong of [
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.1/8',
    'fd00::1/8',
    '10.0.0.0/8/8',
    '10.0/8',
    'x',
    'fe80::1%lo',
    '10.0.0.0/-1',
    '10.0.0.0/ 8',
  ])
    assert.equal(parseNetwork(wrong), null, wrong);
});

const network = fc
  .tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 32 }))
  .map(([bits, prefix]) => ({ family: 4 as const, base: (BigInt(bits) >> BigInt(32 - prefix)) << BigInt(32 - prefix), prefix }));
const address = fc.ipV4();

test('what is left without the holes is what is in a network and in no hole', () => {
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 4 }),
      fc.array(network, { maxLength: 4 }),
      fc.array(address, { minLength: 1, maxLength: 20 }),
      (networks, holes, addresses) => {
        const left = without(networks, holes);
        const list = blockListOf(left);
        // The edges of everything, and some at random.
        const edges = [...networks, ...holes].map((each) => formatNetwork(each).split('/')[0]!);
        for (const each of [...addresses, ...edges]) {
          const expected = networks.some((one) => contains(one, each)) && !holes.some((one) => contains(one, each));
          assert.equal(
            left.some((one) => contains(one, each)),
            expected,
          );
          assert.equal(list.check(each), expected);
        }
      },
    ),
  );
});
