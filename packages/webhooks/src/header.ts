import { WebhookError } from './error.ts';
import type { SignatureScheme } from './schemes.ts';

/** What a signature header says: the signed time, when the header holds one, and every candidate signature. */
export interface ParsedSignature {
  readonly timestamp: string | null;
  readonly signatures: readonly string[];
}

/** Enough for a rotation with overlap; more is somebody making the receiver work. */
const MAX_SIGNATURES = 16;
const MAX_HEADER_LENGTH = 4096;

/** Writes the signature header's value. Several signatures only fit `stripe` and `versioned`. */
export function formatSignatureHeader(scheme: SignatureScheme, signatures: readonly string[], timestamp: string): string {
  switch (scheme.format) {
    case 'stripe':
      return `t=${timestamp},${signatures.map((signature) => `v1=${signature}`).join(',')}`;
    case 'prefixed':
      return `sha256=${signatures[0]}`;
    case 'versioned':
      return signatures.map((signature) => `v1,${signature}`).join(' ');
    default:
      return scheme.format satisfies never;
  }
}

/** Reads the signature header's value; unknown versions are passed over, so that a sender can add one. */
export function parseSignatureHeader(scheme: SignatureScheme, value: string): ParsedSignature {
  if (value.length > MAX_HEADER_LENGTH) {
    throw new WebhookError('malformed_header', `${scheme.signatureHeader} is longer than ${MAX_HEADER_LENGTH} characters.`);
  }
  const parsed = read(scheme, value);
  if (parsed.signatures.length === 0) {
    throw new WebhookError('malformed_header', `${scheme.signatureHeader} holds no signature of a known version.`);
  }
  return { ...parsed, signatures: parsed.signatures.slice(0, MAX_SIGNATURES) };
}

function read(scheme: SignatureScheme, value: string): ParsedSignature {
  switch (scheme.format) {
    case 'stripe': {
      const parts = value.split(',').map((part) => part.trim());
      const timestamp = parts.find((part) => part.startsWith('t='))?.slice(2) ?? null;
      return { timestamp, signatures: parts.filter((part) => part.startsWith('v1=')).map((part) => part.slice(3)) };
    }
    case 'prefixed':
      return { timestamp: null, signatures: value.startsWith('sha256=') ? [value.slice('sha256='.length)] : [] };
    case 'versioned': {
      const parts = value.split(' ').filter((part) => part.startsWith('v1,'));
      return { timestamp: null, signatures: parts.map((part) => part.slice(3)) };
    }
    default:
      return scheme.format satisfies never;
  }
}

/** Headers as any HTTP library has them: a `Headers`, a record (Node's included), or entries. Names in any case. */
export type HeadersLike = Headers | Record<string, string | readonly string[] | undefined> | Iterable<readonly [string, string]>;

/** One header's value, or null. A header that came twice counts as its first. */
export function headerValue(headers: HeadersLike, name: string): string | null {
  if (typeof Headers !== 'undefined' && headers instanceof Headers) return headers.get(name);
  const entries = Symbol.iterator in headers ? (headers as Iterable<readonly [string, string]>) : Object.entries(headers);
  for (const [key, value] of entries) {
    if (key.toLowerCase() === name && value !== undefined) return typeof value === 'string' ? value : (value[0] ?? null);
  }
  return null;
}
