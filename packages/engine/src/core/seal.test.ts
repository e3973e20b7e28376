import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Sealer } from './seal.ts';

test('what is sealed opens again, only whole, only for its row, only with its key', () => {
  const sealer = new Sealer(Buffer.alloc(32, 1));
  const sealed = sealer.seal('whsec_secret', 'row 1');
  assert.ok(!sealed.includes('secret'));
  assert.equal(sealer.open(sealed, 'row 1'), 'whsec_secret');
  assert.notDeepEqual(sealer.seal('whsec_secret', 'row 1'), sealed, 'a fresh nonce each time');
  assert.throws(() => sealer.open(sealed, 'row 2'));
  assert.throws(() => new Sealer(Buffer.alloc(32, 2)).open(sealed, 'row 1'));
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    assert.throws(() => sealer.open(changed, 'row 1'), `byte ${at}`);
  }
  assert.throws(() => new Sealer(Buffer.alloc(16)), /must have 32/);
});
