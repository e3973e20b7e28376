import { randomBytes } from 'node:crypto';
import { outboundiq as scheme } from '@dialhook/webhooks';
import { type Dialect } from '@dialhook/engine';

const SECOND = 1_000;

/** The event's data is the array of dials; the batch around them is made here (contracts/outboundiq.md 1). */
export const outboundiq: Dialect = {
  name: 'outboundiq',
  eventTypes: ['dial.batch'],
  defaultEvents: ['dial.batch'],
  messageId: (eventId) => eventId,
  encode: ({ type, data, occurredAt }, { deliveryId }) =>
    `{"event":"${type}","deliveryId":"${deliveryId}","deliveredAt":"${new Date(occurredAt).toISOString()}","dials":${data}}`,
  bodyNamesDelivery: true,
  headers: ({ deliveryId, eventType }) => ({
    'Content-Type': 'application/json',
    'User-Agent': 'outboundIQ-webhooks/1.0',
    'X-OutboundIQ-Event': eventType,
    'X-OutboundIQ-Delivery-Id': deliveryId,
  }),
  signatureHeader: 'X-OutboundIQ-Signature',
  scheme,
  secret: {
    ownership: 'endpoint-generated',
    generate: () => randomBytes(32).toString('hex'),
    refuse: (secret) => (/^[0-9a-f]{64}$/.test(secret) ? null : 'must be 64 lower-case hexadecimal characters'),
    overlapMs: 0,
  },
  ping: null,
  timeoutMs: 10 * SECOND,
  retryDelaysMs: [500],
  jitter: 0,
  honoursRetryAfter: false,
  goneDisables: false,
  whenDisabled: 'drop',
  disableAfterFailures: null,
  maxEndpoints: 3,
  reservedHeaders: ['x-outboundiq-*'],
};
