import Type from 'typebox';
import { DIALNEXA_EVENTS } from '../../dialects/dialnexa.ts';

/** The shapes of the DialNexa surface (contracts/dialnexa.md 1 and 2). */
export const ErrorBody = Type.Object(
  { statusCode: Type.Integer(), message: Type.Union([Type.String(), Type.Array(Type.String())]), error: Type.String() },
  { examples: [{ statusCode: 400, message: ['url is required'], error: 'Bad Request' }] },
);

const WEBHOOK = {
  id: 'whk_t4k9w2m7x1qa',
  url: 'https://hooks.acme.example/dn',
  events: ['call.completed', 'campaign.paused'],
  is_active: true,
  created_at: '2026-05-02T09:15:00.000Z',
};
export const WebhookBody = Type.Object(
  {
    id: Type.String(),
    url: Type.String(),
    events: Type.Array(Type.String()),
    is_active: Type.Boolean(),
    created_at: Type.String({ format: 'date-time' }),
  },
  { examples: [WEBHOOK] },
);
const fields = {
  url: Type.String({ minLength: 1, maxLength: 2_048 }),
  events: Type.Array(Type.Enum([...DIALNEXA_EVENTS]), { minItems: 1, maxItems: 100 }),
  secret: Type.String({ minLength: 1, maxLength: 256 }),
};
export const CreateWebhook = Type.Object(
  { ...fields, is_active: Type.Optional(Type.Boolean()) },
  { examples: [{ url: WEBHOOK.url, events: WEBHOOK.events, secret: 'whsec_demo_value_1', is_active: true }] },
);
export const UpdateWebhook = Type.Object(
  {
    url: Type.Optional(fields.url),
    events: Type.Optional(fields.events),
    secret: Type.Optional(fields.secret),
    is_active: Type.Optional(Type.Boolean()),
  },
  { examples: [{ is_active: false }] },
);
export const ListQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  is_active: Type.Optional(Type.Boolean()),
});
const Meta = Type.Object({ page: Type.Integer(), limit: Type.Integer(), total: Type.Integer(), totalPages: Type.Integer() });
export const WebhookPage = Type.Object(
  { data: Type.Array(WebhookBody), meta: Meta },
  { examples: [{ data: [WEBHOOK], meta: { page: 1, limit: 20, total: 1, totalPages: 1 } }] },
);
export const Deleted = Type.Object({ message: Type.String() }, { examples: [{ message: 'Webhook deleted.' }] });
export const Tested = Type.Object(
  { success: Type.Boolean(), status_code: Type.Union([Type.Integer(), Type.Null()]) },
  { examples: [{ success: true, status_code: 204 }] },
);
