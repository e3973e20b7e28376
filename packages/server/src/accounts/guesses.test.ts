import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { FakeClock } from '@dialhook/testing';
import { accountSubject, addressSubject } from './guesses.ts';
import { AccountError } from './model.ts';
import { refuseWeak } from './password-rules.ts';
import { Proofs } from './proof.ts';
import { SESSION_LIMITS } from './session-limits.ts';

test('addresses that one customer of a provider has are one', () => {
  const same = ['2001:db8:1:2::1', '2001:0DB8:0001:0002:ffff::', '2001:db8:1:2:3:4:5:6'].map(addressSubject);
  assert.deepEqual(new Set(same), new Set(['address 2001:db8:1:2::/64']));
  assert.equal(addressSubject('2001:db8::2:1'), 'address 2001:db8:0:0::/64');
  assert.equal(addressSubject('::1'), 'address 0:0:0:0::/64');
  assert.equal(addressSubject('::ffff:192.0.2.7'), addressSubject('192.0.2.7'));
  assert.notEqual(addressSubject('192.0.2.7'), addressSubject('192.0.2.8'));
  assert.equal(accountSubject('Ada@Example.com'), accountSubject('ada@example.com'));
});

test('a proof counts once, for two minutes, and only for a challenge of ours', () => {
  const clock = new FakeClock();
  const proofs = new Proofs(randomBytes(32), clock);
  const bits = (proof: string) => Math.clz32(createHash('sha256').update(proof).digest().readUInt32BE(0));
  const solve = (challenge: string, isRight = true) => {
    for (let n = 0; ; n++) if (bits(`${challenge}:${n}`) >= SESSION_LIMITS.proofBits === isRight) return `${challenge}:${n}`;
  };
  const { challenge } = proofs.challenge();
  assert.equal(proofs.use(solve(challenge, false)), false, 'not solved');
  assert.equal(proofs.use(solve(challenge)), true);
  assert.equal(proofs.use(solve(challenge)), false, 'used');
  assert.equal(new Proofs(randomBytes(32), clock).use(solve(proofs.challenge().challenge)), false, 'somebody else’s');
  for (const text of ['', ':', 'a.b.c:1', challenge, `${challenge}:x`]) assert.equal(proofs.use(text), false, text);
  const old = solve(proofs.challenge().challenge);
  clock.advance(SESSION_LIMITS.proofMs);
  assert.equal(proofs.use(old), false, 'too old');
});

test('passwords that are guessed first are refused, others are not', () => {
  const known = ['ada.lovelace@example.com', 'Ada Lovelace'];
  const weak = ['aaaaaaaaaa', '1212121212', 'abcd1abcd1', 'abcdefghij', '9876543210', '1234567890', 'Password123', 'QWERTYUIOP'];
  for (const password of [...weak, 'Ada.Lovelace@example.com', 'adalovelace'])
    assert.throws(
      () => refuseWeak(password, known),
      (error) => error instanceof AccountError && error.code === 'weak_password',
      password,
    );
  for (const password of ['correct horse battery', 'a long enough password', 'ada.lovelace@example.org', 'Xk3-91-parrots'])
    refuseWeak(password, known);
});
