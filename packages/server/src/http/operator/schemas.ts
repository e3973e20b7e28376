import Type, { type TSchema } from 'typebox';
import { DELIVERY_STATUSES, REPLAY_STATUSES } from '@dialhook/engine';
import { KEY_KINDS, PLANS, ROLES } from '../../accounts/model.ts';
import { dialects } from '../../dialects/index.ts';

/** The shapes of the operator API. Unknown fields are refused: a misspelt one would be ignored in silence. */
const closed = { additionalProperties: false } as const;
const Time = Type.String({ format: 'date-time' });
const Uuid = Type.String({ format: 'uuid' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const PlanName = Type.Enum([...PLANS]);

/** Credits are 64-bit in the database; this is far above any balance and exact as a JavaScript number. */
const MAX_CREDITS = 1_000_000_000_000;
export const SLUG_PATTERN = '^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$';
export const EVENT_TYPE_PATTERN = '^[a-z0-9_]+(\\.[a-z0-9_]+)*$';
/** Events of one request. */
export const MAX_EVENTS = 1_000;

const ORGANIZATION = {
  id: '0191f3a2-0001-7d7a-b0a4-5a2f1c3d4e5f',
  slug: 'north-star',
  name: 'North Star',
  plan: 'list_processing',
  credits: 5000,
  created_at: '2026-05-02T09:00:00.000Z',
  updated_at: '2026-05-02T09:00:00.000Z',
};

export const OrganizationBody = Type.Object(
  {
    id: Uuid,
    slug: Type.String(),
    name: Type.String(),
    plan: nullable(PlanName),
    credits: Type.Integer(),
    created_at: Time,
    updated_at: Time,
  },
  { examples: [ORGANIZATION] },
);
export const OrganizationPage = Type.Object(
  { data: Type.Array(OrganizationBody), next_cursor: nullable(Type.String()) },
  { examples: [{ data: [ORGANIZATION], next_cursor: null }] },
);
export const CreateOrganization = Type.Object(
  {
    slug: Type.String({
      pattern: SLUG_PATTERN,
      description: 'Lower-case letters and digits, with hyphens, underscores or full stops between them; at most 64',
    }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    plan: Type.Optional(nullable(PlanName)),
    credits: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_CREDITS })),
    owner_email: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
  },
  { ...closed, examples: [{ slug: 'north-star', name: 'North Star', credits: 5000 }] },
);
export const UpdateOrganization = Type.Object(
  { name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })), plan: Type.Optional(nullable(PlanName)) },
  { ...closed, examples: [{ plan: 'list_processing' }] },
);
export const ChangeCredits = Type.Object(
  {
    amount: Type.Integer({ minimum: -MAX_CREDITS, maximum: MAX_CREDITS }),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  },
  { ...closed, examples: [{ amount: 1000, reason: 'invoice 42' }] },
);
export const Credits = Type.Object({ credits: Type.Integer() }, { examples: [{ credits: 6000 }] });

const MEMBER = {
  user_id: '0191f3a2-0000-7d7a-b0a4-5a2f1c3d4e5f',
  email: 'ana@north-star.example',
  pending_email: null,
  name: 'Ana Ruiz',
  role: 'owner',
  created_at: ORGANIZATION.created_at,
};
export const MemberBody = Type.Object(
  {
    user_id: Uuid,
    email: nullable(Type.String()),
    pending_email: nullable(Type.String()),
    name: Type.String(),
    role: Type.Enum([...ROLES]),
    created_at: Time,
  },
  { examples: [MEMBER] },
);
export const MemberList = Type.Object({ data: Type.Array(MemberBody) }, { examples: [{ data: [MEMBER] }] });
export const ChangeRole = Type.Object({ role: Type.Enum([...ROLES]) }, { ...closed, examples: [{ role: 'owner' }] });
export const AddMember = Type.Object(
  {
    email: Type.String({ format: 'email', maxLength: 254 }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    role: Type.Enum([...ROLES]),
  },
  { ...closed, examples: [{ email: 'ana@north-star.example', name: 'Ana Ruiz', role: 'owner' }] },
);

const KEY = {
  id: '0191f3a2-0002-7d7a-b0a4-5a2f1c3d4e5f',
  kind: 'optimaldial',
  name: 'production',
  prefix: 'od_live_Qw7p',
  user_id: MEMBER.user_id,
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  created_at: ORGANIZATION.created_at,
};
const keyFields = {
  id: Uuid,
  kind: Type.Enum([...KEY_KINDS]),
  name: Type.String(),
  prefix: Type.String(),
  user_id: Uuid,
  expires_at: nullable(Time),
  last_used_at: nullable(Time),
  revoked_at: nullable(Time),
  created_at: Time,
};
export const KeyBody = Type.Object(keyFields, { examples: [KEY] });
export const KeyCreated = Type.Object({ ...keyFields, key: Type.String() }, { examples: [{ ...KEY, key: 'od_live_Qw7p…' }] });
export const KeyList = Type.Object({ data: Type.Array(KeyBody) }, { examples: [{ data: [KEY] }] });
export const CreateKey = Type.Object(
  {
    kind: Type.Enum([...KEY_KINDS]),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    user_id: Type.Optional(Uuid),
    expires_at: Type.Optional(Time),
  },
  { ...closed, examples: [{ kind: 'optimaldial', name: 'production' }] },
);

const ENDPOINT = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e5f',
  dialect: 'standard',
  url: 'https://hooks.example.com/dialhook',
  name: 'CRM',
  description: null,
  events: null,
  is_active: true,
  paused_at: null,
  rate_limit: null,
  disabled_at: null,
  disabled_reason: null,
  verified_at: null,
  last_success_at: null,
  last_failure_at: null,
  consecutive_failures: 0,
  created_at: ORGANIZATION.created_at,
  updated_at: ORGANIZATION.created_at,
};
export const EndpointBody = Type.Object(
  {
    id: Uuid,
    dialect: Type.String(),
    url: Type.String(),
    name: nullable(Type.String()),
    description: nullable(Type.String()),
    events: nullable(Type.Array(Type.String())),
    is_active: Type.Boolean(),
    paused_at: nullable(Time),
    rate_limit: nullable(Type.Number({ description: 'Requests a second, over all nodes' })),
    disabled_at: nullable(Time),
    disabled_reason: nullable(Type.String()),
    verified_at: nullable(Time),
    last_success_at: nullable(Time),
    last_failure_at: nullable(Time),
    consecutive_failures: Type.Integer(),
    created_at: Time,
    updated_at: Time,
  },
  { examples: [ENDPOINT] },
);
export const EndpointCreated = Type.Object(
  { endpoint: EndpointBody, secret: Type.String() },
  { examples: [{ endpoint: ENDPOINT, secret: 'whsec_…' }] },
);
export const EndpointQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 1000 }),
  cursor: Type.Optional(Type.String()),
  dialect: Type.Optional(Type.String({ description: 'Only endpoints of this dialect, or of several with commas between them' })),
});
export const EndpointPage = Type.Object(
  { data: Type.Array(EndpointBody), next_cursor: nullable(Type.String()) },
  { examples: [{ data: [ENDPOINT], next_cursor: null }] },
);
const HeaderMap = Type.Record(Type.String(), Type.String());
const endpointFields = {
  name: Type.Optional(nullable(Type.String({ maxLength: 100 }))),
  description: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
  events: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 200 })),
  headers: Type.Optional(HeaderMap),
  is_active: Type.Optional(Type.Boolean()),
  rate_limit: Type.Optional(nullable(Type.Number())),
};
export const CreateEndpoint = Type.Object(
  {
    dialect: Type.Enum(dialects.map(({ name }) => name)),
    url: Type.String(),
    secret: Type.Optional(Type.String({ maxLength: 256 })),
    ...endpointFields,
  },
  { ...closed, examples: [{ dialect: 'standard', url: ENDPOINT.url, name: 'CRM' }] },
);
export const UpdateEndpoint = Type.Object(
  { url: Type.Optional(Type.String()), ...endpointFields },
  { ...closed, examples: [{ is_active: true }] },
);
export const RotateSecret = Type.Object({ secret: Type.Optional(Type.String({ maxLength: 256 })) }, { ...closed, examples: [{}] });

export const NewEvent = Type.Object(
  {
    organization: Type.String({ maxLength: 64 }),
    type: Type.String({ pattern: EVENT_TYPE_PATTERN, maxLength: 200 }),
    data: Type.Unknown(),
  },
  { ...closed, examples: [{ organization: 'north-star', type: 'campaign.started', data: { campaign: 'spring' } }] },
);
export const PublishEvents = Type.Union([NewEvent, Type.Array(NewEvent, { minItems: 1, maxItems: MAX_EVENTS })], {
  examples: [{ organization: 'north-star', type: 'campaign.started', data: { campaign: 'spring' } }],
});
export const EventsPublished = Type.Union([Type.Object({ id: Uuid }), Type.Object({ ids: Type.Array(Uuid) })], {
  examples: [{ id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e61' }],
});

const DELIVERY = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e60',
  endpoint_id: ENDPOINT.id,
  event_id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e61',
  event_type: 'campaign.started',
  status: 'delivered',
  attempt_count: 1,
  scheduled_at: '2026-05-02T09:31:40.020Z',
  last_attempt_at: '2026-05-02T09:31:40.031Z',
  last_response_status: 200,
  last_error: null,
  created_at: '2026-05-02T09:31:40.020Z',
  finished_at: '2026-05-02T09:31:40.095Z',
};
const deliveryFields = {
  id: Uuid,
  endpoint_id: Uuid,
  event_id: Uuid,
  event_type: Type.String(),
  status: Type.Enum([...DELIVERY_STATUSES]),
  attempt_count: Type.Integer(),
  scheduled_at: Time,
  last_attempt_at: nullable(Time),
  last_response_status: nullable(Type.Integer()),
  last_error: nullable(Type.String()),
  created_at: Time,
  finished_at: nullable(Time),
};
export const DeliveryPage = Type.Object(
  {
    data: Type.Array(Type.Object(deliveryFields)),
    next_cursor: nullable(Type.String()),
    searched_until: Type.Optional(
      nullable(
        Type.String({
          format: 'date-time',
          description: 'A search, or a listing that was ended after four seconds, looked at what is younger',
        }),
      ),
    ),
  },
  { examples: [{ data: [DELIVERY], next_cursor: null }] },
);
const AttemptBody = Type.Object({
  number: Type.Integer(),
  started_at: Time,
  duration_ms: Type.Integer(),
  response_status: nullable(Type.Integer()),
  response_body: nullable(Type.String()),
  error: nullable(Type.String()),
});
export const DeliveryDetail = Type.Object(
  { ...deliveryFields, attempts: Type.Array(AttemptBody) },
  {
    examples: [
      {
        ...DELIVERY,
        attempts: [
          { number: 1, started_at: DELIVERY.last_attempt_at, duration_ms: 64, response_status: 200, response_body: 'ok', error: null },
        ],
      },
    ],
  },
);
export const DeliveryQuery = Type.Object({
  status: Type.Optional(
    Type.Enum([...DELIVERY_STATUSES, 'undelivered'], { description: '`undelivered`: exhausted, or failed and still to be retried' }),
  ),
  since: Type.Optional(Type.String({ format: 'date-time', description: 'Made at this time or later' })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'Made before this time' })),
  endpoint: Type.Optional(Uuid),
  event_type: Type.Optional(Type.String({ maxLength: 200 })),
  response_status: Type.Optional(
    Type.Integer({ minimum: 100, maximum: 599, description: 'Of the last answer. This is a search, as `search` is' }),
  ),
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description:
        'A delivery’s or an event’s id, or text in its data. A page may hold less than `limit`, or nothing: `next_cursor` goes on from `searched_until`',
    }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String()),
});

/** Entries of one call; a dialler's day is sent in several. */
export const MAX_CONTACT_ENTRIES = 10_000;
export const ContactHistory = Type.Object(
  {
    entries: Type.Array(
      Type.Object(
        {
          number: Type.String({ maxLength: 64 }),
          dials: Type.Integer({ minimum: 1, maximum: 100_000 }),
          contacts: Type.Integer({ minimum: 0, maximum: 100_000 }),
        },
        closed,
      ),
      { minItems: 1, maxItems: MAX_CONTACT_ENTRIES },
    ),
  },
  { ...closed, examples: [{ entries: [{ number: '+13125550142', dials: 4, contacts: 3 }] }] },
);
export const ContactHistoryAdded = Type.Object(
  { added: Type.Integer(), refused: Type.Array(Type.Integer()) },
  { examples: [{ added: 1, refused: [] }] },
);

const replayFilter = {
  since: Time,
  until: Type.Optional(Time),
  endpoint: Type.Optional(Uuid),
  event_type: Type.Optional(Type.String({ maxLength: 200 })),
  status: Type.Optional(Type.Enum(['delivered', 'exhausted'])),
};
export const ReplayRequest = Type.Object(replayFilter, {
  ...closed,
  examples: [{ since: '2026-05-02T00:00:00.000Z', until: '2026-05-03T00:00:00.000Z', status: 'exhausted' }],
});
export const ReplayCount = Type.Object(
  { count: Type.Integer(), at_least: Type.Boolean() },
  { examples: [{ count: 4210, at_least: false }] },
);
const REPLAY = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e80',
  status: 'running',
  total: 4210,
  replayed: 1500,
  skipped: 0,
  created_at: DELIVERY.created_at,
  finished_at: null,
};
export const ReplayBody = Type.Object(
  {
    id: Uuid,
    status: Type.Enum([...REPLAY_STATUSES]),
    total: Type.Integer(),
    replayed: Type.Integer(),
    skipped: Type.Integer(),
    created_at: Time,
    finished_at: nullable(Time),
  },
  { examples: [REPLAY] },
);
export const ReplayList = Type.Object({ data: Type.Array(ReplayBody) }, { examples: [{ data: [REPLAY] }] });
export const Resent = Type.Object({ id: Uuid }, { examples: [{ id: REPLAY.id }] });

export const Retention = Type.Object({ days: Type.Integer() }, { examples: [{ days: 7 }] });
export const SetRetention = Type.Object({ days: nullable(Type.Integer({ minimum: 1 })) }, { ...closed, examples: [{ days: 7 }] });

export const UncleanedQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String()),
});
export const UncleanedPage = Type.Object(
  {
    data: Type.Array(Type.Object({ id: Uuid, raw: Type.String(), error: Type.String(), failed_at: Time })),
    next_cursor: nullable(Type.String()),
  },
  {
    examples: [
      { data: [{ id: REPLAY.id, raw: '{…}', error: 'datetime is not a time', failed_at: DELIVERY.created_at }], next_cursor: null },
    ],
  },
);
export const CleanedAgain = Type.Object({ tried: Type.Integer() }, { examples: [{ tried: 3 }] });

export const SignInLink = Type.Object(
  { user_id: Type.Optional(Uuid), confirm_email: Type.Optional(Type.Boolean()) },
  { ...closed, examples: [{}, { user_id: MEMBER.user_id, confirm_email: true }] },
);
export const SignInLinkCreated = Type.Object(
  { url: Type.String(), expires_at: Time, email: nullable(Type.String()) },
  { examples: [{ url: 'https://hooks.example.com/sign-in#tYx3…', expires_at: DELIVERY.created_at, email: null }] },
);

export const Invite = Type.Object(
  { role: Type.Enum([...ROLES]), email: Type.String({ format: 'email', maxLength: 254 }) },
  { ...closed, examples: [{ role: 'member', email: 'bob@example.com' }] },
);
export const LinkCreated = Type.Object(
  { url: Type.String(), expires_at: Time },
  { examples: [{ url: 'https://hooks.example.com/sign-in#tYx3…', expires_at: '2026-05-03T09:00:00.000Z' }] },
);
export const InvitationList = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        id: Uuid,
        email: nullable(Type.String()),
        role: Type.Enum([...ROLES]),
        made_by: nullable(Uuid),
        created_at: Time,
        expires_at: Time,
      }),
    ),
  },
  {
    examples: [
      {
        data: [
          {
            id: REPLAY.id,
            email: 'bob@example.com',
            role: 'member',
            made_by: MEMBER.user_id,
            created_at: '2026-05-02T09:00:00.000Z',
            expires_at: '2026-05-09T09:00:00.000Z',
          },
        ],
      },
    ],
  },
);
