import { createHmac } from 'node:crypto';
import { formatSignatureHeader, secretKey, signedPrefix, type SignatureScheme } from '@dialhook/webhooks';

/** Signs with `node:crypto` from the same scheme data that receivers verify with. Gives the signature header's value. */
export function signatureHeaderValue(
  scheme: SignatureScheme,
  secrets: readonly string[],
  id: string,
  timestamp: number,
  body: string,
): string {
  const time = String(timestamp);
  const prefix = signedPrefix(scheme, id, time);
  const encoding = scheme.format === 'versioned' ? 'base64' : 'hex';
  const signatures = secrets.map((secret) => createHmac('sha256', secretKey(scheme, secret)).update(prefix).update(body).digest(encoding));
  return formatSignatureHeader(scheme, signatures, time);
}
