import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { HashQueue, type Asker } from './hash-queue.ts';
import { AccountError } from './model.ts';
import { SESSION_LIMITS } from './session-limits.ts';

/** Hashes that end when the test says so. */
class Hashes {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (error?: Error) => void>();
  readonly #queue = new HashQueue();

  /** Asks for a hash; `subjects` as the queue has them. */
  ask(name: string, asker: Asker = 'proven', subjects: readonly string[] = [name]): Promise<string> {
    return this.#queue.admit(asker, subjects, (hash) =>
      hash(async () => {
        this.begun.push(name);
        const { promise, reject, resolve } = Promise.withResolvers<void>();
        this.#ends.set(name, (error) => (error === undefined ? resolve() : reject(error)));
        await promise;
        return name;
      }),
    );
  }

  async end(name: string, error?: Error): Promise<void> {
    this.#ends.get(name)!(error);
    await settled();
  }
}

/** Everything that can go on has gone on. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a few hashes run at once, and each end lets the next one begin, whether it went well or not', async () => {
  const hashes = new Hashes();
  const names = Array.from({ length: SESSION_LIMITS.hashesAtOnce + 3 }, (_, n) => `p${n}`);
  const results = Promise.allSettled(names.map((name) => hashes.ask(name)));
  await settled();
  assert.deepEqual(hashes.begun, names.slice(0, SESSION_LIMITS.hashesAtOnce));
  for (const [n, name] of names.entries()) {
    await hashes.end(name, n % 2 === 0 ? undefined : new Error('it failed'));
    assert.deepEqual(hashes.begun, names.slice(0, SESSION_LIMITS.hashesAtOnce + n + 1));
  }
  assert.deepEqual(
    (await results).map(({ status }) => status),
    names.map((_, n) => (n % 2 === 0 ? 'fulfilled' : 'rejected')),
  );
  const again = names.map((name) => hashes.ask(name));
  await settled();
  assert.equal(hashes.begun.length, names.length + SESSION_LIMITS.hashesAtOnce, 'all places are free again, and no more');
  for (const name of names) await hashes.end(name);
  assert.deepEqual(await Promise.all(again), names);
});

test('people with a session and the others take turns', async () => {
  const hashes = new Hashes();
  const running = Array.from({ length: SESSION_LIMITS.hashesAtOnce }, (_, n) => `r${n}`);
  const all = running.map((name) => hashes.ask(name));
  for (const n of [1, 2]) all.push(hashes.ask(`other${n}`), hashes.ask(`other${n}b`), hashes.ask(`known${n}`, 'known'));
  await settled();
  for (const name of running) await hashes.end(name);
  const order = ['known1', 'other1', 'known2', 'other1b', 'other2', 'other2b'];
  for (const name of order) await hashes.end(name);
  assert.deepEqual(hashes.begun.slice(running.length), order);
  await Promise.all(all);
});

test('one account or address has a share, strangers beyond a few prove first, each kind has its places, and what has ended counts no more', async () => {
  const { hashesOfStrangers, hashesPending, hashesPerSubject } = SESSION_LIMITS;
  const hashes = new Hashes();
  const code = async (asked: Promise<string>) => asked.catch((error: unknown) => (error instanceof AccountError ? error.code : error));
  const many = (count: number, asker: Asker) => Array.from({ length: count }, (_, n) => hashes.ask(`${asker}${n}`, asker));
  const mine = Array.from({ length: hashesPerSubject }, (_, n) => hashes.ask(`mine${n}`, 'known', ['me', `a${n}`]));
  assert.equal(await code(hashes.ask('x', 'known', ['other', 'me'])), 'too_many_attempts');
  assert.equal(await code(hashes.ask('x', 'stranger', ['me'])), 'proof_needed');
  const all = [...mine, ...many(hashesOfStrangers, 'stranger')];
  assert.equal(await code(hashes.ask('x', 'stranger')), 'proof_needed');
  all.push(...many(hashesPending, 'proven'));
  assert.equal(await code(hashes.ask('x')), 'too_many_attempts');
  all.push(...many(hashesPending - hashesPerSubject, 'known'));
  assert.equal(await code(hashes.ask('x', 'known')), 'too_many_attempts');
  await settled();
  while (hashes.begun.length > 0) await hashes.end(hashes.begun.shift()!);
  await Promise.all(all);
  const free = [...many(hashesOfStrangers, 'proven'), hashes.ask('again', 'known', ['me', 'a0'])];
  assert.equal(await code(hashes.ask('x', 'stranger')), 'proof_needed', 'people with a proof are strangers too');
  await settled();
  while (hashes.begun.length > 0) await hashes.end(hashes.begun.shift()!);
  await Promise.all(free);
  const last = many(hashesOfStrangers, 'stranger');
  await settled();
  while (hashes.begun.length > 0) await hashes.end(hashes.begun.shift()!);
  assert.equal((await Promise.all(last)).length, hashesOfStrangers);
});
