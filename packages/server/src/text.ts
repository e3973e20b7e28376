/** What is said of a text that `isFitText` refuses, after its name. */
export const UNFIT_TEXT = 'must not contain U+0000 or half of a surrogate pair';

/**
 * Whether a text can be stored and comes back as it was: PostgreSQL has every character but U+0000, and half of a surrogate pair is not
 * a character (RFC 7493, 2.1): it would come back as U+FFFD.
 */
export function isFitText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
