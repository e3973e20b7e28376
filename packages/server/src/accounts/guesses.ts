import { createHash, randomUUID } from 'node:crypto';
import type { Clock, Database } from '@dialhook/engine';
import { AccountError } from './model.ts';
import { SESSION_LIMITS } from './session-limits.ts';
import { countGuess, takeBackGuess } from './store/guesses.ts';

/** Bounds guesses of passwords by e-mail and by network address. They are counted in the database, so that all nodes share the bounds. */
export class Guesses {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Counts a guess before the password is looked at; throws `too_many_attempts`. Gives what takes it back when it was right. */
  async count(account: string, address: string): Promise<() => Promise<void>> {
    const { failureWindowMs, failuresPerAddress, failuresPerEmail } = SESSION_LIMITS;
    const now = this.#clock.now();
    const attempt = randomUUID();
    const subjects = [
      { subject: digest(accountSubject(account)), most: failuresPerEmail },
      { subject: digest(addressSubject(address)), most: failuresPerAddress },
    ];
    const isCounted = await this.#database.transaction((tx) =>
      countGuess(tx, attempt, subjects, new Date(now - failureWindowMs), new Date(now)),
    );
    if (!isCounted) throw new AccountError('too_many_attempts', 'Too many failed attempts. Try again in a quarter of an hour.');
    return () => takeBackGuess(this.#database, attempt, subjects);
  }
}

/** An account by what people sign in with; upper and lower case are one. */
export function accountSubject(email: string): string {
  return `email ${email.toLowerCase()}`;
}

/** A network address; of IPv6 the first 64 bits, since a single customer of a provider has all addresses below. */
export function addressSubject(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!plain.includes(':')) return `address ${plain}`;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const [first, last] = [head.split(':').filter(Boolean), (tail ?? '').split(':').filter(Boolean)];
  const zeros = Array.from({ length: tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length) }, () => '0');
  const groups = [...first, ...zeros, ...last].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `address ${groups.join(':')}::/64`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
