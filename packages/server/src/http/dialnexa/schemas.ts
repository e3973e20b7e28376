import Type from 'typebox';
import { DIALNEXA_EVENTS } from '../../dialects/dialnexa.ts';
import { pageOf, pageQuery } from './paging.ts';

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
  secret: Type.String({ minLength: 8, maxLength: 256 }),
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
export const ListQuery = Type.Object({ ...pageQuery, is_active: Type.Optional(Type.Boolean()) });
export const WebhookPage = pageOf(WebhookBody);
export const Deleted = Type.Object({ message: Type.String() }, { examples: [{ message: 'Webhook deleted.' }] });
export const Tested = Type.Object(
  { success: Type.Boolean(), status_code: Type.Union([Type.Integer(), Type.Null()]) },
  { examples: [{ success: true, status_code: 204 }] },
);
