import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AccountError } from './model.ts';

/** Characters of a digest in `common-passwords.json`: 48 bits, so that one in 10^11 other passwords is taken for a common one. */
const DIGEST_LENGTH = 8;
/** Fewer different characters than this are a pattern, such as `aaaaaaaaaa` and `1212121212`. */
const LEAST_DIFFERENT = 4;

/** Written by tools/generate-common-passwords.ts. */
const common = new Set(
  (JSON.parse(readFileSync(new URL('common-passwords.json', import.meta.url), 'utf8')) as string).match(
    new RegExp(`.{${DIGEST_LENGTH}}`, 'g'),
  ),
);

/** Refuses a password that somebody would guess first: `weak_password` says why. `known` is what is known of the user. */
export function refuseWeak(password: string, known: readonly string[]): void {
  const plain = fold(password);
  const reason = known.some((text) => text !== '' && fold(text) === plain)
    ? 'must not be the e-mail address or the name'
    : common.has(digestOf(password))
      ? 'is one that many people choose'
      : isPattern(plain)
        ? 'is a simple pattern'
        : null;
  if (reason !== null) throw new AccountError('weak_password', `The password ${reason}. Choose another one.`);
}

/** What stands for a password in the list of common ones. */
export function digestOf(password: string): string {
  return createHash('sha256').update(fold(password)).digest('base64url').slice(0, DIGEST_LENGTH);
}

/** A few characters over and over, something short repeated (`abcd1abcd1`), or a row of neighbors (`abcdefghij`, `9876543210`). */
function isPattern(text: string): boolean {
  if (new Set(text).size < LEAST_DIFFERENT || /^(.{1,6})\1+$/.test(text)) return true;
  const steps = Array.from({ length: text.length - 1 }, (_, n) => text.charCodeAt(n + 1) - text.charCodeAt(n));
  return steps.every((step) => step === 1 || step === -9) || steps.every((step) => step === -1 || step === 9);
}

/** One form for what reads the same: letters in lower case, without spaces. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s/g, '');
}
