import Type, { type TSchema } from 'typebox';
import { ROLES, PLANS } from '../../accounts/model.ts';
import { SESSION_LIMITS } from '../../accounts/session-limits.ts';

/** The shapes of the panel that no other surface has. */
const closed = { additionalProperties: false } as const;
const Time = Type.String({ format: 'date-time' });
const Uuid = Type.String({ format: 'uuid' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Email = Type.String({ format: 'email', maxLength: 254 });
const Password = Type.String({ minLength: SESSION_LIMITS.minPasswordLength, maxLength: SESSION_LIMITS.maxPasswordLength });
const PersonName = Type.String({ minLength: 1, maxLength: 200 });

export const SignIn = Type.Object(
  {
    email: Email,
    password: Type.String({ maxLength: SESSION_LIMITS.maxPasswordLength }),
    proof: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { ...closed, examples: [{ email: 'ada@example.com', password: 'a long password' }] },
);

export const Challenge = Type.Object(
  { challenge: Type.String(), bits: Type.Integer() },
  { examples: [{ challenge: 'm9x2k1.Qw7p…', bits: SESSION_LIMITS.proofBits }] },
);

const MEMBERSHIP = { slug: 'north-star', name: 'North Star', plan: 'list_processing', credits: 5000, role: 'owner' };
const ME = {
  user: { id: '0191f3a2-0000-7d7a-b0a4-5a2f1c3d4e5f', email: 'ada@example.com', pending_email: null, name: 'Ada', has_password: true },
  organizations: [MEMBERSHIP],
  calls: 'external',
  allows_private_targets: false,
  public_url: 'https://hooks.example.com',
};
export const Me = Type.Object(
  {
    user: Type.Object({
      id: Uuid,
      email: nullable(Type.String()),
      pending_email: nullable(Type.String()),
      name: Type.String(),
      has_password: Type.Boolean(),
    }),
    organizations: Type.Array(
      Type.Object({
        slug: Type.String(),
        name: Type.String(),
        plan: nullable(Type.Enum([...PLANS])),
        credits: Type.Integer(),
        role: Type.Enum([...ROLES]),
      }),
    ),
    calls: Type.Enum(['external', 'simulator']),
    allows_private_targets: Type.Boolean(),
    public_url: Type.String(),
  },
  { examples: [ME] },
);
export const UpdateMe = Type.Object(
  {
    name: Type.Optional(PersonName),
    email: Type.Optional(Email),
    password: Type.Optional(Password),
    current_password: Type.Optional(Type.String({ maxLength: SESSION_LIMITS.maxPasswordLength })),
  },
  { ...closed, examples: [{ name: 'Ada', email: 'ada@example.com', password: 'a long password' }] },
);

const Token = Type.String({ minLength: 20, maxLength: 100 });
export const LinkToken = Type.Object({ token: Token }, { ...closed, examples: [{ token: 'tYx3…not-a-real-token…' }] });
export const RedeemLink = Type.Object(
  {
    token: Token,
    joining: Type.Optional(Type.Object({ email: Email, name: PersonName, password: Password }, closed)),
    replace: Type.Optional(Type.Boolean()),
  },
  { ...closed, examples: [{ token: 'tYx3…not-a-real-token…' }] },
);
export const LinkInfo = Type.Object(
  {
    purpose: Type.Enum(['sign_in', 'invitation']),
    organization: nullable(Type.String()),
    role: nullable(Type.Enum([...ROLES])),
    email: nullable(Type.String()),
  },
  { examples: [{ purpose: 'invitation', organization: 'North Star', role: 'member', email: null }] },
);

export const SignedOut = Type.Object({ sessions: Type.Integer() }, { examples: [{ sessions: 3 }] });

const Bucket = Type.Object({
  at: Time,
  delivered: Type.Integer(),
  failed: Type.Integer(),
  exhausted: Type.Integer(),
  p50_ms: nullable(Type.Number()),
  p95_ms: nullable(Type.Number()),
  p99_ms: nullable(Type.Number()),
});
const BUCKET = { at: '2026-05-02T09:00:00.000Z', delivered: 120, failed: 3, exhausted: 0, p50_ms: 41, p95_ms: 180, p99_ms: 420 };
export const OverviewQuery = Type.Object({ hours: Type.Integer({ minimum: 1, maximum: 168, default: 24 }) });
export const OverviewBody = Type.Object(
  {
    hours: Type.Integer(),
    buckets: Type.Array(Bucket),
    queue: Type.Object({
      due: Type.Integer(),
      waiting: Type.Integer(),
      retries: Type.Integer(),
      oldest_due_ms: Type.Integer(),
      at_least: Type.Boolean({ description: 'There may be more: not all that waits was counted' }),
    }),
    lists: Type.Array(Type.Object({ at: Time, count: Type.Integer() })),
    dials: Type.Array(Type.Object({ at: Time, count: Type.Integer() })),
  },
  {
    examples: [
      {
        hours: 24,
        buckets: [BUCKET],
        queue: { due: 0, waiting: 4, retries: 4, oldest_due_ms: 0, at_least: false },
        lists: [{ at: BUCKET.at, count: 2 }],
        dials: [{ at: BUCKET.at, count: 900 }],
      },
    ],
  },
);
export const HealthList = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        endpoint_id: Uuid,
        delivered: Type.Integer(),
        failed: Type.Integer(),
        p95_ms: nullable(Type.Number()),
        hourly: Type.Array(Type.Object({ delivered: Type.Integer(), failed: Type.Integer() })),
      }),
    ),
  },
  {
    examples: [
      {
        data: [
          {
            endpoint_id: ME.user.id,
            delivered: 120,
            failed: 3,
            p95_ms: 180,
            hourly: Array.from({ length: 24 }, () => ({ delivered: 5, failed: 0 })),
          },
        ],
      },
    ],
  },
);
export const Tested = Type.Object(
  { success: Type.Boolean(), status: nullable(Type.Integer()), error: nullable(Type.String()) },
  { examples: [{ success: true, status: 200, error: null }] },
);
export const SentRequest = Type.Object(
  { url: Type.String(), headers: Type.Record(Type.String(), Type.String()), body: Type.String(), planned_at: Type.Array(Time) },
  { examples: [{ url: 'https://hooks.acme.example/', headers: { 'Content-Type': 'application/json' }, body: '{}', planned_at: [] }] },
);

export const TranslationQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String()),
});
export const TranslationPage = Type.Object(
  { data: Type.Array(Type.Record(Type.String(), Type.Unknown())), next_cursor: nullable(Type.String()) },
  { examples: [{ data: [{ id: 'cb-7', name: 'Spring Callback', type: 'Inbound', inbound_pool_id: null }], next_cursor: null }] },
);
export const NodeCounts = Type.Object(
  { data: Type.Array(Type.Object({ node_id: Type.String(), count: Type.Integer() })) },
  { examples: [{ data: [{ node_id: 'node_0191f3a27c1e7d7ab0a45a2f1c3d4e62', count: 12 }] }] },
);
