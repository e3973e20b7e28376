import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { formatSignatureHeader, secretKey, signedPrefix, type SignatureScheme } from '@dialhook/webhooks';

/** A secret made ready to sign with: `createHmac` takes six times as long when it is given the bytes each time. */
export function signingKey(scheme: SignatureScheme, secret: string): KeyObject {
  return createSecretKey(secretKey(scheme, secret));
}

export interface Signature {
  /** The signature header's value. */
  readonly header: string;
  /** 32 bytes for each key, in the order of the keys. */
  readonly bytes: Buffer;
}

/** Signs with `node:crypto` from the same scheme data that receivers verify with. */
export function signMessage(scheme: SignatureScheme, keys: readonly KeyObject[], id: string, timestamp: number, body: Buffer): Signature {
  const time = String(timestamp);
  const prefix = signedPrefix(scheme, id, time);
  const encoding = scheme.format === 'versioned' ? 'base64' : 'hex';
  const digests = keys.map((key) => createHmac('sha256', key).update(prefix).update(body).digest());
  const signatures = digests.map((digest) => digest.toString(encoding));
  const [first] = digests;
  return {
    header: formatSignatureHeader(scheme, signatures, time),
    bytes: digests.length === 1 && first !== undefined ? first : Buffer.concat(digests),
  };
}
