import { createHash, randomBytes } from 'node:crypto';
import type { KeyKind } from './model.ts';

/** What is kept of a new key, and the key itself, which is shown once. */
export interface NewKey {
  readonly key: string;
  readonly prefix: string;
  readonly hash: Buffer;
}

/** Characters that may be shown later to tell keys apart (contracts/optimaldial.md 2). */
const SHOWN_CHARACTERS = 12;

/** Makes a key in the vendor's form; 24 random bytes are 32 URL-safe characters. */
export function newKey(kind: KeyKind): NewKey {
  const key = format(kind);
  return { key, prefix: key.slice(0, SHOWN_CHARACTERS), hash: hashKey(key) };
}

/** SHA-256 suffices: the keys are random, so there is nothing to guess that a slow hash would protect. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function format(kind: KeyKind): string {
  const random = randomBytes(24).toString('base64url');
  switch (kind) {
    case 'optimaldial':
      return `od_live_${random}`;
    case 'outboundiq':
      return `oiq_${random}`;
    case 'dialnexa':
      return `key_${randomBytes(9).toString('base64url')}:${random}`;
    default:
      return kind satisfies never;
  }
}
