import { randomBytes } from 'node:crypto';
import { secretKey, standard as scheme } from '@dialhook/webhooks';
import type { Dialect } from './dialect.ts';
import { shortHex } from './ids.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Key sizes that the specification allows: 24 to 64 bytes. */
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** Standard Webhooks 1.0.0: the engine's own dialect, which belongs to no vendor. */
export const standard: Dialect = {
  name: 'standard',
  eventTypes: /^[a-z0-9_]+(\.[a-z0-9_]+)*$/,
  defaultEvents: null,
  messageId: (eventId) => `msg_${shortHex(eventId)}`,
  encode: ({ type, data, occurredAt }) => `{"type":"${type}","timestamp":"${new Date(occurredAt).toISOString()}","data":${data}}`,
  bodyNamesDelivery: false,
  headers: ({ messageId, timestamp }) => ({
    'content-type': 'application/json',
    'user-agent': 'Dialhook/1.0',
    'webhook-id': messageId,
    'webhook-timestamp': String(timestamp),
  }),
  signatureHeader: 'webhook-signature',
  scheme,
  secret: {
    ownership: 'endpoint-generated',
    generate: () => `whsec_${randomBytes(32).toString('base64')}`,
    refuse: (secret) => {
      const bytes = keyLength(secret);
      const fits = bytes !== null && bytes >= MIN_KEY_BYTES && bytes <= MAX_KEY_BYTES;
      return fits ? null : `must be base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes, with or without whsec_ in front`;
    },
    overlapMs: 24 * HOUR,
  },
  ping: null,
  timeoutMs: 20 * SECOND,
  retryDelaysMs: [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
  jitter: 0.1,
  honoursRetryAfter: true,
  goneDisables: true,
  whenDisabled: 'keep',
  disableAfterFailures: null,
  maxEndpoints: null,
  reservedHeaders: ['webhook-*'],
};

function keyLength(secret: string): number | null {
  try {
    return secretKey(scheme, secret).length;
  } catch {
    return null;
  }
}
