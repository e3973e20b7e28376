import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AccountError } from './model.ts';
import { SESSION_LIMITS } from './session-limits.ts';

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** OWASP's choice: 32 MB and a tenth of a second for each guess. */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const MAX_MEMORY = 64 * 1024 * 1024;

/** A few at once, some wait, more are refused: many attempts together can take neither the memory nor everybody's turn. */
class Turnstile {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length >= SESSION_LIMITS.hashesWaiting)
      throw new AccountError('too_many_attempts', 'Too many people sign in at once. Try again in a few seconds.');
    if (this.#running >= SESSION_LIMITS.hashesAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

const turnstile = new Turnstile();

/** `scrypt$N$r$p$salt$key`, so that the cost can be raised later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await turnstile.pass(() => derive(password.normalize('NFKC'), salt, KEY_BYTES, { ...COST, maxmem: MAX_MEMORY }));
  return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

/** Takes the same time for a user that does not exist: pass null. */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [, n, r, p, salt, key] = (stored ?? decoy).split('$');
  const expected = Buffer.from(key!, 'base64url');
  const options = { N: Number(n), r: Number(r), p: Number(p), maxmem: MAX_MEMORY };
  const actual = await turnstile.pass(() => derive(password.normalize('NFKC'), Buffer.from(salt!, 'base64url'), expected.length, options));
  return timingSafeEqual(actual, expected) && stored !== null;
}

const decoy = `scrypt$${COST.N}$${COST.r}$${COST.p}$${randomBytes(SALT_BYTES).toString('base64url')}$${randomBytes(KEY_BYTES).toString('base64url')}`;
