import { concat, equalInConstantTime, fromBase64, toBase64, toBytes, toHex, type Bytes } from './bytes.ts';
import { WebhookError } from './error.ts';
import { formatSignatureHeader, headerValue, parseSignatureHeader, type HeadersLike } from './header.ts';
import type { SignatureScheme } from './schemes.ts';

export interface SignInput {
  /** The signing secret as it was shown to the user. */
  readonly secret: string;
  /** The exact bytes that are sent. */
  readonly body: Bytes;
  /** The message id; needed where the scheme signs it. */
  readonly id?: string;
  /** Unix seconds; now when absent. */
  readonly timestamp?: number;
}

export interface VerifyInput {
  /** One secret, or several while one is being rotated. */
  readonly secret: string | readonly string[];
  /** The exact bytes that arrived, before any parsing. */
  readonly body: Bytes;
  readonly headers: HeadersLike;
  /** Unix seconds to compare the signed time with; now when absent. */
  readonly now?: number;
  /** Overrides the scheme's tolerance, in seconds. Has no effect where no time is signed. */
  readonly toleranceSeconds?: number;
}

export interface Verified {
  /** The id to deduplicate by, when the scheme has one. */
  readonly id: string | null;
  /** The signed time, Unix seconds, where a time is signed. */
  readonly timestamp: number | null;
}

/** Seconds that fit a safe integer for the next 270 million years; anything longer is not a time. */
const TIMESTAMP = /^\d{1,16}$/;

/** The text in front of the body in what is signed, its separators included. Shared with the engine's signer. */
export function signedPrefix(scheme: SignatureScheme, id: string, timestamp: string): string {
  let prefix = '';
  for (const part of scheme.signedParts) {
    if (part === 'id') prefix += `${id}.`;
    else if (part === 'timestamp') prefix += `${timestamp}.`;
  }
  return prefix;
}

/** The HMAC key of a secret. Throws `malformed_secret`. */
export function secretKey(scheme: SignatureScheme, secret: string): Uint8Array<ArrayBuffer> {
  const key = scheme.secretEncoding === 'utf8' ? toBytes(secret) : fromBase64(secret.replace(/^whsec_/, ''));
  if (key.length === 0) throw new WebhookError('malformed_secret', 'The secret is empty.');
  return key;
}

/** Signs a body. Returns the headers that carry the signature; names in lower case. */
export async function sign(scheme: SignatureScheme, input: SignInput): Promise<Record<string, string>> {
  const timestamp = String(input.timestamp ?? Math.floor(Date.now() / 1000));
  if (scheme.signedParts.includes('id') && !input.id) {
    throw new WebhookError('missing_header', `The ${scheme.name} scheme signs the message id: pass one.`);
  }
  const id = input.id ?? '';
  const signature = await hmac(scheme, input.secret, signedPrefix(scheme, id, timestamp), input.body);
  const headers: Record<string, string> = { [scheme.signatureHeader]: formatSignatureHeader(scheme, [signature], timestamp) };
  if (scheme.idHeader !== null && id !== '') headers[scheme.idHeader] = id;
  if (scheme.timestampHeader !== null) headers[scheme.timestampHeader] = timestamp;
  return headers;
}

/** Checks a delivery. Returns what was verified, or throws a `WebhookError` whose code says what is wrong. */
export async function verify(scheme: SignatureScheme, input: VerifyInput): Promise<Verified> {
  const parsed = parseSignatureHeader(scheme, required(input.headers, scheme.signatureHeader));
  const id = scheme.idHeader === null ? null : headerValue(input.headers, scheme.idHeader);
  if (scheme.signedParts.includes('id') && !id) throw missing(scheme.idHeader as string);

  // The raw text is what was signed: it is checked for its form, never re-written, before it is hashed.
  const timestamp = scheme.timestampHeader === null ? parsed.timestamp : required(input.headers, scheme.timestampHeader);
  const seconds = scheme.toleranceSeconds === null ? null : checkedTime(timestamp, scheme.toleranceSeconds, input);

  const prefix = signedPrefix(scheme, id ?? '', timestamp ?? '');
  const secrets = typeof input.secret === 'string' ? [input.secret] : input.secret;
  let matched = false;
  for (const secret of secrets) {
    const expected = await hmac(scheme, secret, prefix, input.body);
    for (const candidate of parsed.signatures) if (equalInConstantTime(expected, candidate)) matched = true;
  }
  if (!matched) throw new WebhookError('signature_mismatch', 'No signature matches: check the secret, and that the body is the raw bytes.');
  return { id, timestamp: seconds };
}

/** `verify`, then the body as JSON. Throws `invalid_json` when a rightly signed body is not JSON. */
export async function unwrap<T = unknown>(scheme: SignatureScheme, input: VerifyInput): Promise<T> {
  await verify(scheme, input);
  try {
    const text = typeof input.body === 'string' ? input.body : new TextDecoder('utf-8', { fatal: true }).decode(input.body);
    return JSON.parse(text) as T;
  } catch {
    throw new WebhookError('invalid_json', 'The body is signed rightly but is not JSON.');
  }
}

function checkedTime(text: string | null, tolerance: number, input: VerifyInput): number {
  if (text === null || !TIMESTAMP.test(text))
    throw new WebhookError('malformed_header', 'The signed time is not a whole number of seconds.');
  const seconds = Number(text);
  const now = input.now ?? Math.floor(Date.now() / 1000);
  const allowed = input.toleranceSeconds ?? tolerance;
  if (now - seconds > allowed)
    throw new WebhookError('timestamp_too_old', `Signed ${now - seconds} s ago; at most ${allowed} s are allowed.`);
  if (seconds - now > allowed)
    throw new WebhookError('timestamp_too_new', `Signed ${seconds - now} s ahead; at most ${allowed} s are allowed.`);
  return seconds;
}

async function hmac(scheme: SignatureScheme, secret: string, prefix: string, body: Bytes): Promise<string> {
  const key = await crypto.subtle.importKey('raw', secretKey(scheme, secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, concat(prefix, body)));
  return scheme.format === 'versioned' ? toBase64(mac) : toHex(mac);
}

function required(headers: HeadersLike, name: string): string {
  const value = headerValue(headers, name);
  if (value === null || value === '') throw missing(name);
  return value;
}

function missing(name: string): WebhookError {
  return new WebhookError('missing_header', `The ${name} header is missing.`);
}
