import { standard, type Dialect } from '@dialhook/engine';
import { callEvent, campaignEvent, leadCompletedEvent } from '../calls/events.ts';
import type { Call, Campaign, WorkflowLead } from '../calls/model.ts';
import { dialnexa } from '../dialects/dialnexa.ts';
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
  for (const event of callSamples()) webhooks[`dialnexa ${event.type}`] = describe(dialnexa, event);
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
  summary: null,
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

const CALL: Call = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e91',
  organizationId: SAMPLE.organizationId,
  campaignId: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e90',
  workflowId: null,
  leadId: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e92',
  attempt: 1,
  agentId: 'agt_31xa',
  agentVersionNumber: 1,
  toPhoneNumber: '+447700900123',
  fromPhoneNumber: '+442079460001',
  metadata: '{"order":"A-17"}',
  status: 'completed',
  endReason: 'user_disconnected',
  durationSeconds: 88,
  recordingUrl: 'https://rec.example.net/call.mp3',
  sentiment: 'positive',
  transcript: null,
  analysis: null,
  timeline: [],
  createdAt: TIME,
  endedAt: TIME,
};
const CAMPAIGN: Campaign = {
  id: CALL.campaignId!,
  organizationId: CALL.organizationId,
  name: 'May renewals',
  agentId: CALL.agentId,
  fromPhoneNumber: CALL.fromPhoneNumber,
  status: 'completed',
  maxConcurrentCalls: 4,
  maxRetries: 1,
  retryIntervalMinutes: 30,
  scheduledAt: null,
  pendingLeads: 0,
  callingLeads: 0,
  completedLeads: 33,
  failedLeads: 7,
  callsPlaced: 45,
  createdAt: TIME,
};
const LEAD: WorkflowLead = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e93',
  organizationId: CALL.organizationId,
  workflowId: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e94',
  phoneNumber: CALL.toPhoneNumber,
  metadata: '{"plan":"pro"}',
  status: 'completed',
  outcome: 'converted',
  currentNodeId: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e95',
  step: 4,
  phase: 'ended',
  dueAt: null,
  tries: 0,
  callId: null,
  lastCall: null,
  enrolledAt: TIME,
  completedAt: TIME,
};

function callSamples() {
  const unanswered = { ...CALL, durationSeconds: 0, recordingUrl: null };
  return [
    callEvent(CALL)!,
    callEvent({ ...unanswered, status: 'failed', endReason: 'invalid_phone_number' })!,
    callEvent({ ...unanswered, status: 'no_answer', endReason: 'user_did_not_pick_up' })!,
    campaignEvent('campaign.completed', CAMPAIGN),
    campaignEvent('campaign.paused', { ...CAMPAIGN, status: 'paused', pendingLeads: 6, completedLeads: 30, failedLeads: 4 }),
    leadCompletedEvent({ id: LEAD.workflowId, title: 'Trial follow-up' }, LEAD),
  ];
}

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
