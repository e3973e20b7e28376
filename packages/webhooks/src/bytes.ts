import { WebhookError } from './error.ts';

/** Bytes that Web Crypto takes. Strings are UTF-8; a string body is only right if it was never re-encoded. */
export type Bytes = string | Uint8Array;

const encoder = new TextEncoder();

export function toBytes(value: Bytes): Uint8Array<ArrayBuffer> {
  // The copy of a Uint8Array is deliberate: a Buffer may be a view on a pool that someone else writes to.
  return typeof value === 'string' ? encoder.encode(value) : new Uint8Array(value);
}

export function concat(head: string, body: Bytes): Uint8Array<ArrayBuffer> {
  const first = encoder.encode(head);
  const second = typeof body === 'string' ? encoder.encode(body) : body;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Decodes standard base64. Throws `malformed_secret`: only secrets are ever decoded here. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new WebhookError('malformed_secret', 'The secret is not base64.');
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

/**
 * Compares two texts in a time that depends on their lengths alone. `node:crypto` has this, edge runtimes do not.
 */
export function equalInConstantTime(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i);
  return difference === 0;
}
