import Type, { type TSchema } from 'typebox';
import { DIAL_LIMITS } from '../../dials/limits.ts';

/** The shapes of the outboundIQ surface (contracts/outboundiq.md 2 and 3). Unknown fields of a dial are let through: diallers send more. */
const Text = Type.String({ maxLength: DIAL_LIMITS.fieldLength });
const Id = Type.String({ minLength: 1, maxLength: DIAL_LIMITS.fieldLength });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const ErrorBody = Type.Object(
  { success: Type.Literal(false), message: Type.String() },
  { examples: [{ success: false, message: 'campaign_id is required' }] },
);

const DIAL = {
  campaign_id: 'cb-7',
  campaign_name: 'spring_cb',
  agent_name: 'Ana Ruiz',
  ani: '+1 312-555-0142',
  prospect_phone: '(773) 555-0199',
  disposition_name: 'APPT_SET',
  datetime: '2026-05-02 09:14:58',
  call_direction: 'Inbound',
  zip: '60614',
  sys_created_date_original: '2026-04-20',
  total_dial_attempts: '2',
  skill_name: 'Tier 1',
  lead_source: 'web',
  dial_id: '77810',
};
/** The numbers come as `ani` and `prospect_phone` or as `from_number` and `to_number`; the handler checks that a pair is there. */
export const NewDial = Type.Object(
  {
    campaign_id: Text,
    campaign_name: Text,
    agent_name: Text,
    ani: Type.Optional(Text),
    prospect_phone: Type.Optional(Text),
    from_number: Type.Optional(Text),
    to_number: Type.Optional(Text),
    disposition_name: Text,
    datetime: Text,
    call_direction: Text,
    zip: Text,
    sys_created_date_original: Text,
    total_dial_attempts: Type.Union([Text, Type.Number()]),
    skill_name: Text,
    lead_source: Text,
    dial_id: Type.Optional(Text),
  },
  { examples: [DIAL] },
);
export const DialQueued = Type.Object({ message: Type.Literal('dial queued') }, { examples: [{ message: 'dial queued' }] });

const CLEANED = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e90',
  companySlug: 'north-star',
  callId: 'IB_77810',
  callDirection: 'inbound',
  timestamp: '2026-05-02T09:14:58.000Z',
  ani: '3125550142',
  phone: '7735550199',
  campaign: 'Spring Callback',
  campaignInternalId: 'cb-7',
  agent: 'Ana Ruiz',
  disposition: 'Appointment Set',
  dispositionId: '17',
  contact: true,
  success: true,
  isSystemDispo: false,
  totalDialAttempts: 2,
};
const CleanedDial = Type.Object({
  id: Type.String({ format: 'uuid' }),
  companySlug: Type.String(),
  callId: nullable(Type.String()),
  callDirection: Type.String(),
  timestamp: Type.String({ format: 'date-time' }),
  ani: nullable(Type.String()),
  phone: nullable(Type.String()),
  campaign: nullable(Type.String()),
  campaignInternalId: nullable(Type.String()),
  agent: nullable(Type.String()),
  disposition: nullable(Type.String()),
  dispositionId: nullable(Type.String()),
  contact: Type.Boolean(),
  success: Type.Boolean(),
  isSystemDispo: Type.Boolean(),
  totalDialAttempts: nullable(Type.Number()),
});
export const DialQuery = Type.Object({
  since: Type.Optional(Type.String({ format: 'date-time', description: 'Accepted at this time or later' })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'Accepted before this time' })),
  order: Type.Enum(['oldest', 'newest'], { default: 'oldest' }),
  limit: Type.Integer({ minimum: 1, maximum: DIAL_LIMITS.pageSize, default: 100 }),
  cursor: Type.Optional(Type.String()),
});
export const DialPage = Type.Object(
  { success: Type.Literal(true), dials: Type.Array(CleanedDial), next_cursor: nullable(Type.String()) },
  { examples: [{ success: true, dials: [CLEANED], next_cursor: null }] },
);

const closed = { additionalProperties: false } as const;
const campaign = { name: Id, type: Type.Enum(['Inbound', 'Outbound', 'Blended']), inbound_pool_id: Type.Optional(nullable(Text)) };
const dispo = { name: Id, type: Type.Enum(['System', 'Agent']), contact: Type.Boolean(), success: Type.Boolean() };
const ani = {
  country_code: Type.Enum(['+1', '+44']),
  inbound_group_id: Text,
  is_branded: Type.Optional(nullable(Type.Boolean())),
  brand_name: Type.Optional(nullable(Text)),
  carrier_id: Type.Optional(nullable(Type.String({ pattern: '^\\d{6}$' }))),
};
const partial = (fields: Record<string, TSchema>) =>
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Type.Optional(schema)]));

/** Each table of the custom dialler integration: its routes' name, its object's name in answers, its key and fields. */
export const RESOURCES = {
  campaigns: {
    object: 'campaign',
    key: 'id',
    fields: campaign,
    example: { id: 'cb-7', name: 'Spring Callback', type: 'Inbound', inbound_pool_id: null },
  },
  dispos: {
    object: 'dispo',
    key: 'id',
    fields: dispo,
    example: { id: '17', name: 'Appointment Set', type: 'Agent', contact: true, success: true },
  },
  anis: {
    object: 'ani',
    key: 'number',
    fields: ani,
    example: { number: '3125550142', country_code: '+1', inbound_group_id: 'ig-1', is_branded: null, brand_name: null, carrier_id: null },
  },
} as const;

type Resource = (typeof RESOURCES)[keyof typeof RESOURCES];

export function resourceSchemas({ example, fields, key, object }: Resource) {
  const { [key as never]: name, ...rest } = example as Record<string, unknown>;
  const identified = { [key]: name };
  return {
    create: Type.Object({ [key]: Id, ...fields }, { ...closed, examples: [example] }),
    change: Type.Object(
      { [key]: Id, ...partial(fields as Record<string, TSchema>) },
      { ...closed, examples: [{ ...identified, ...firstOf(rest) }] },
    ),
    byKey: Type.Object({ [key]: Id }, { ...closed, examples: [identified] }),
    answer: Type.Object(
      { success: Type.Literal(true), message: Type.Optional(Type.String()), [object]: Type.Optional(Type.Object({})) },
      { examples: [{ success: true, [object]: example }] },
    ),
  };
}

function firstOf(fields: Record<string, unknown>): Record<string, unknown> {
  const [name] = Object.keys(fields);
  return { [name!]: fields[name!] };
}
