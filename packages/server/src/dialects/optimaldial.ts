import { randomBytes } from 'node:crypto';
import { optimaldial as scheme } from '@dialhook/webhooks';
import { shortHex, type Dialect } from '@dialhook/engine';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Changes only when the shape of a payload changes (contracts/optimaldial.md 1). */
const API_VERSION = '2026-04-23';

/** contracts/optimaldial.md, sections 5 and 6. */
export const optimaldial: Dialect = {
  name: 'optimaldial',
  eventTypes: ['upload.created', 'upload.completed', 'upload.failed'],
  defaultEvents: ['upload.completed', 'upload.failed'],
  messageId: (eventId) => `evt_${shortHex(eventId)}`,
  encode: ({ type, data, occurredAt }, { messageId }) =>
    `{"id":"${messageId}","type":"${type}","api_version":"${API_VERSION}","created_at":"${offsetTime(new Date(occurredAt))}","data":${data}}`,
  bodyNamesDelivery: false,
  headers: ({ deliveryId, messageId, eventType, attempt, timestamp }) => ({
    'Content-Type': 'application/json',
    'User-Agent': 'OptimalDial-Webhooks/1.0',
    'X-OptimalDial-Event': eventType,
    'X-OptimalDial-Event-Id': messageId,
    'X-OptimalDial-Delivery-Id': deliveryId,
    'X-OptimalDial-Attempt': String(attempt),
    'X-OptimalDial-Timestamp': String(timestamp),
  }),
  signatureHeader: 'X-OptimalDial-Signature',
  scheme,
  secret: {
    ownership: 'endpoint-generated',
    generate: () => randomBytes(32).toString('hex'),
    refuse: (secret) => (/^[0-9a-f]{64}$/.test(secret) ? null : 'must be 64 lower-case hexadecimal characters'),
    overlapMs: 0,
  },
  ping: { eventType: 'webhook.ping', timeoutMs: 5 * SECOND, data: () => `{"challenge":"${randomBytes(16).toString('hex')}"}` },
  timeoutMs: 10 * SECOND,
  retryDelaysMs: [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR],
  jitter: 0,
  honoursRetryAfter: false,
  goneDisables: false,
  whenDisabled: 'keep',
  disableAfterFailures: 20,
  maxEndpoints: null,
  reservedHeaders: ['x-optimaldial-*'],
};

/** The vendor's payloads print UTC as an offset: `2026-05-02T09:15:00.000+00:00`. */
export function offsetTime(time: Date): string {
  return time.toISOString().replace('Z', '+00:00');
}
