import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { formatSignatureHeader, secretKey, signedPrefix, type SignatureScheme } from '@dialhook/webhooks';

/** A secret made ready to sign with: `createHmac` takes six times as long when it is given the bytes each time. */
export function signingKey(scheme: SignatureScheme, secret: string): KeyObject {
  return createSecretKey(secretKey(scheme, secret));
}

/** Signs with `node:crypto` from the same scheme data that receivers verify with. Gives the signature header's value. */
export function signatureHeaderValue(
  scheme: SignatureScheme,
  keys: readonly KeyObject[],
  id: string,
  timestamp: number,
  body: Buffer,
): string {
  const time = String(timestamp);
  const prefix = signedPrefix(scheme, id, time);
  const encoding = scheme.format === 'versioned' ? 'base64' : 'hex';
  const signatures = keys.map((key) => createHmac('sha256', key).update(prefix).update(body).digest(encoding));
  return formatSignatureHeader(scheme, signatures, time);
}
