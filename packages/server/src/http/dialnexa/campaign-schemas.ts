import Type, { type TSchema } from 'typebox';
import { CALL_LIMITS } from '../../calls/limits.ts';
import { CAMPAIGN_LEAD_STATUSES, CAMPAIGN_STATUSES } from '../../calls/states.ts';
import { fields, Name, PhoneNumber } from './call-schemas.ts';
import { pageOf, pageQuery } from './paging.ts';

/** The shapes of campaigns and their leads (contracts/dialnexa.md 4). */
const Time = Type.String({ format: 'date-time' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const RetryConfig = Type.Object({ max_retries: Type.Integer(), retry_interval_minutes: Type.Integer() });
const counts = {
  total_leads: Type.Integer(),
  completed_calls: Type.Integer(),
  failed_calls: Type.Integer(),
  pending_calls: Type.Integer(),
};

const CAMPAIGN = {
  id: 'cmp_0191f3a27c1e7d7ab0a45a2f1c3d4e61',
  organization_id: 'org_7c1e7d7ab0a45a2f1c3d4e5f',
  name: 'May renewals',
  agent_id: 'agt_31xa',
  from_phone_number: '+442079460001',
  status: 'running',
  max_concurrent_calls: 4,
  scheduled_at: null,
  retry_config: { max_retries: 1, retry_interval_minutes: 30 },
  total_leads: 40,
  completed_calls: 12,
  failed_calls: 3,
  pending_calls: 25,
  created_at: '2026-05-02T08:00:00.000Z',
};
export const CampaignBody = Type.Object(
  {
    id: Type.String(),
    organization_id: Type.String(),
    name: Type.String(),
    agent_id: Type.String(),
    from_phone_number: nullable(Type.String()),
    status: Type.Enum([...CAMPAIGN_STATUSES]),
    max_concurrent_calls: Type.Integer(),
    scheduled_at: nullable(Time),
    retry_config: RetryConfig,
    ...counts,
    created_at: Time,
  },
  { examples: [CAMPAIGN] },
);
export const CampaignPage = pageOf(CampaignBody);
export const CampaignQuery = Type.Object({ ...pageQuery, status: Type.Optional(Type.Enum([...CAMPAIGN_STATUSES])) });
export const CampaignStatusBody = Type.Object(
  { id: Type.String(), status: Type.Enum([...CAMPAIGN_STATUSES]), ...counts },
  { examples: [{ id: CAMPAIGN.id, status: 'running', total_leads: 40, completed_calls: 12, failed_calls: 3, pending_calls: 25 }] },
);
export const CampaignActed = Type.Object(
  { id: Type.String(), status: Type.Enum([...CAMPAIGN_STATUSES]) },
  { examples: [{ id: CAMPAIGN.id, status: 'paused' }] },
);

const retries = Type.Object({
  max_retries: Type.Optional(Type.Integer({ minimum: 0, maximum: CALL_LIMITS.maxRetries })),
  retry_interval_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: CALL_LIMITS.retryIntervalMinutes })),
});
const settings = {
  max_concurrent_calls: Type.Optional(Type.Integer({ minimum: 1, maximum: CALL_LIMITS.maxConcurrentCalls })),
  retry_config: Type.Optional(retries),
};
export const CreateCampaign = Type.Object(
  {
    name: Name,
    agent_id: Name,
    from_phone_number: PhoneNumber,
    scheduled_at: Type.Optional(nullable(Time)),
    status: Type.Optional(Type.Enum(['draft', 'active'])),
    ...settings,
  },
  {
    examples: [
      {
        name: CAMPAIGN.name,
        agent_id: CAMPAIGN.agent_id,
        from_phone_number: CAMPAIGN.from_phone_number,
        max_concurrent_calls: 4,
        retry_config: CAMPAIGN.retry_config,
      },
    ],
  },
);
export const UpdateCampaign = Type.Object(
  {
    name: Type.Optional(Name),
    agent_id: Type.Optional(Name),
    ...settings,
    retry_policy: Type.Optional(retries),
    status: Type.Optional(Type.Enum(['paused', 'running', 'active', 'cancelled'])),
  },
  { examples: [{ max_concurrent_calls: 8 }] },
);

const LEAD = {
  id: 'lead_0191f3a27c1e7d7ab0a45a2f1c3d4e61',
  name: 'Ada Example',
  phone_number: '+447700900123',
  campaign_id: CAMPAIGN.id,
  status: 'pending',
  notes: { plan: 'pro' },
  call_log_id: null,
  created_at: '2026-05-02T08:05:00.000Z',
};
export const LeadBody = Type.Object(
  {
    id: Type.String(),
    name: nullable(Type.String()),
    phone_number: Type.String(),
    campaign_id: Type.String(),
    status: Type.Enum([...CAMPAIGN_LEAD_STATUSES]),
    notes: Type.Object({}),
    call_log_id: nullable(Type.String()),
    created_at: Time,
  },
  { examples: [LEAD] },
);
export const LeadPage = pageOf(LeadBody);
export const LeadQuery = Type.Object({
  ...pageQuery,
  campaignId: Type.String(),
  status: Type.Optional(Type.Enum([...CAMPAIGN_LEAD_STATUSES])),
});
const CountryCode = Type.String({ pattern: '^\\+?[1-9]\\d{0,2}$', description: 'such as +44' });
const notes = fields(CALL_LIMITS.noteKeys);
export const CreateLead = Type.Object(
  {
    name: Type.Optional(nullable(Name)),
    phoneNumber: PhoneNumber,
    campaignId: Type.String(),
    countryCode: Type.Optional(CountryCode),
    notes: Type.Optional(notes),
  },
  { examples: [{ name: LEAD.name, phoneNumber: '7700900123', countryCode: '+44', campaignId: CAMPAIGN.id, notes: LEAD.notes }] },
);
export const UpdateLead = Type.Object(
  {
    name: Type.Optional(nullable(Name)),
    phoneNumber: Type.Optional(PhoneNumber),
    countryCode: Type.Optional(CountryCode),
    notes: Type.Optional(notes),
  },
  { examples: [{ name: 'Ada B. Example' }] },
);
export const FileForm = Type.Object({ file: Type.String({ format: 'binary', description: 'CSV or XLSX with a column phone_number' }) });
export const LeadsCreated = Type.Object(
  { campaign_id: Type.String(), leads_created: Type.Integer(), leads_skipped: Type.Integer(), message: Type.String() },
  { examples: [{ campaign_id: CAMPAIGN.id, leads_created: 120, leads_skipped: 2, message: '120 leads created, 2 rows skipped.' }] },
);
