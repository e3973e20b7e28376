import { standard, type Dialect } from '@dialhook/engine';
import { dialnexa, DIALNEXA_EVENTS } from '../dialects/dialnexa.ts';
import { optimaldial } from '../dialects/optimaldial.ts';
import { outboundiq } from '../dialects/outboundiq.ts';
import { cleanDial } from '../dials/clean.ts';
import { uploadCompleted, uploadCreated, uploadFailed } from '../lists/events.ts';
import type { Upload } from '../lists/model.ts';

/** The webhooks that go out, for `openapi.json`: each example is made by the code that makes the real ones. */
export function outgoingWebhooks(): Record<string, object> {
  const completed = {
    processed: 'https://dialhook.example.com/files/…/processed',
    processed_filtered: 'https://dialhook.example.com/files/…/processed-filtered',
  };
  const lists = [
    uploadCreated(SAMPLE),
    uploadCompleted({ ...SAMPLE, status: 'completed' }, completed),
    uploadFailed({ ...SAMPLE, status: 'failed', errorMessage: 'Carrier lookup unavailable' }),
  ];
  const webhooks: Record<string, object> = {};
  for (const event of [...lists, { type: 'webhook.ping', data: '{"challenge":"c0ffee11c0ffee22c0ffee11c0ffee22"}' }]) {
    webhooks[`optimaldial ${event.type}`] = describe(optimaldial, event);
  }
  webhooks['outboundiq dial.batch'] = describe(outboundiq, { type: 'dial.batch', data: JSON.stringify([DIAL]) });
  for (const type of DIALNEXA_EVENTS) webhooks[`dialnexa ${type}`] = describe(dialnexa, { type, data: '{}' });
  webhooks['standard any event'] = describe(standard, { type: 'upload.completed', data: lists[1]!.data });
  return webhooks;
}

const TIME = new Date('2026-05-02T09:16:02.000Z');
const EVENT_ID = '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e61';
const SAMPLE: Upload = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e70',
  organizationId: '0191f3a2-0001-7d7a-b0a4-5a2f1c3d4e5f',
  userId: '0191f3a2-0000-7d7a-b0a4-5a2f1c3d4e5f',
  apiKeyId: null,
  source: 'api',
  status: 'ready_for_processing',
  originalFilename: 'spring-list.csv',
  fileSizeBytes: 30_214,
  totalRows: 1510,
  validRowCount: 1498,
  invalidRowCount: 12,
  duplicateRowCount: 0,
  creditsRequired: 1498,
  creditsCharged: 1498,
  creditsRefunded: null,
  skipMobileLookup: false,
  errorMessage: null,
  lease: 0,
  createdAt: TIME,
  updatedAt: TIME,
};

const RAW_DIAL = {
  campaign_id: 'cb-7',
  campaign_name: 'Spring Callback',
  agent_name: 'Ana Ruiz',
  ani: '+1 312-555-0142',
  prospect_phone: '(773) 555-0199',
  disposition_name: 'Appointment Set',
  datetime: '2026-05-02 09:14:58',
  call_direction: 'Inbound',
  total_dial_attempts: '2',
  dial_id: '77810',
};
const DIAL = cleanDial(RAW_DIAL, 'north-star', { campaign: () => undefined, dispo: () => undefined });

function describe(dialect: Dialect, event: { readonly type: string; readonly data: string }): object {
  const messageId = dialect.messageId(EVENT_ID);
  const deliveryId = '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e62';
  const stored = { id: EVENT_ID, organizationId: SAMPLE.organizationId, ...event, occurredAt: TIME.getTime() };
  const body = dialect.encode(stored, { messageId, deliveryId });
  const context = {
    deliveryId,
    messageId,
    eventType: event.type,
    attempt: 1,
    timestamp: Math.floor(TIME.getTime() / 1000),
  };
  const headers = { ...dialect.headers(context), [dialect.signatureHeader]: 'made from the body and the endpoint’s secret' };
  return {
    post: {
      summary: `${event.type} in the ${dialect.name} dialect`,
      description: `Signed; any 2xx within ${dialect.timeoutMs / 1000} s is a success. Up to ${dialect.retryDelaysMs.length + 1} attempts.`,
      parameters: Object.entries(headers)
        .filter(([name]) => name.toLowerCase() !== 'content-type')
        .map(([name, example]) => ({ name, in: 'header', required: true, schema: { type: 'string' }, example })),
      requestBody: { content: { 'application/json': { schema: { type: 'object' }, example: JSON.parse(body) as unknown } } },
      responses: { '200': { description: 'Received' } },
    },
  };
}
