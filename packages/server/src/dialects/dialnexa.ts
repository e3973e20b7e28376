import { dialnexa as scheme } from '@dialhook/webhooks';
import { shortHex, type Dialect } from '@dialhook/engine';

const SECOND = 1_000;
/** The vendor names no least length (contracts/dialnexa.md 2.2): what can be guessed signs nothing. */
const MIN_SECRET_LENGTH = 8;
const MAX_SECRET_LENGTH = 256;

/** contracts/dialnexa.md 2.3 */
export const DIALNEXA_EVENTS = [
  'call.completed',
  'call.failed',
  'call.no_answer',
  'campaign.completed',
  'campaign.paused',
  'workflow.lead.completed',
] as const;

/** contracts/dialnexa.md 2.3 to 2.6: the user webhooks, whose secret the caller chose. */
export const dialnexa: Dialect = {
  name: 'dialnexa',
  eventTypes: DIALNEXA_EVENTS,
  defaultEvents: DIALNEXA_EVENTS,
  messageId: (eventId) => `evt_${shortHex(eventId)}`,
  encode: ({ data, occurredAt, organizationId, type }, { messageId }) =>
    `{"id":"${messageId}","event":"${type}","created_at":"${new Date(occurredAt).toISOString()}","organization_id":"org_${shortHex(organizationId)}","data":${data}}`,
  bodyNamesDelivery: false,
  headers: ({ deliveryId, eventType }) => ({
    'Content-Type': 'application/json',
    'User-Agent': 'DialNexa-Webhook/1.0',
    'X-DialNexa-Event': eventType,
    'X-DialNexa-Delivery-Id': deliveryId,
  }),
  signatureHeader: 'X-DialNexa-Signature',
  scheme,
  secret: {
    ownership: 'caller-supplied',
    generate: () => {
      throw new Error('The caller chooses the secret.');
    },
    refuse: (secret) =>
      secret.length >= MIN_SECRET_LENGTH && secret.length <= MAX_SECRET_LENGTH
        ? null
        : `must have ${MIN_SECRET_LENGTH} to ${MAX_SECRET_LENGTH} characters`,
    overlapMs: 0,
  },
  ping: null,
  timeoutMs: 10 * SECOND,
  retryDelaysMs: [SECOND, 10 * SECOND, 60 * SECOND],
  jitter: 0,
  honoursRetryAfter: false,
  goneDisables: false,
  whenDisabled: 'drop',
  disableAfterFailures: null,
  maxEndpoints: null,
  reservedHeaders: ['x-dialnexa-*'],
};
