import { AccountError } from './model.ts';

/** Refuses a password that somebody would guess first: `weak_password` says why. `known` is what is known of the user. */
export function refuseWeak(password: string, known: readonly string[]): void {
  const plain = fold(password);
  if (known.some((text) => text !== '' && fold(text) === plain))
    throw new AccountError('weak_password', 'The password must not be the e-mail address or the name.');
}

/** One form for what reads the same: letters in lower case, without spaces. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s/g, '');
}
