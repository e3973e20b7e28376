import Type, { type TSchema } from 'typebox';
import { DELIVERY_STATUSES } from '@dialhook/engine';
import { optimaldial } from '../../dialects/optimaldial.ts';
import { UPLOAD_STATUSES } from '../../lists/model.ts';

/** The wire shapes of contracts/optimaldial.md, sections 3, 5 and 7. */

const Time = Type.String({ format: 'date-time' });
const Uuid = Type.String({ format: 'uuid' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const EventTypes = Type.Enum(optimaldial.eventTypes as string[]);

export const ErrorBody = Type.Object(
  { detail: Type.Union([Type.String(), Type.Object({ error: Type.String() })]) },
  { examples: [{ detail: 'Webhook not found' }] },
);

const WEBHOOK = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e5f',
  user_id: '0191f3a2-0000-7d7a-b0a4-5a2f1c3d4e5f',
  organization_id: '0191f3a2-0001-7d7a-b0a4-5a2f1c3d4e5f',
  url: 'https://hooks.example.com/optimaldial',
  description: 'production receiver',
  events: ['upload.completed', 'upload.failed'],
  is_active: true,
  verified_at: '2026-05-02T09:15:00.000Z',
  last_success_at: null,
  last_failure_at: null,
  consecutive_failures: 0,
  disabled_at: null,
  created_at: '2026-05-02T09:15:00.000Z',
  updated_at: '2026-05-02T09:15:00.000Z',
};

export const Webhook = Type.Object(
  {
    id: Uuid,
    user_id: Uuid,
    organization_id: Uuid,
    url: Type.String({ format: 'uri' }),
    description: nullable(Type.String({ maxLength: 500 })),
    events: Type.Array(EventTypes),
    is_active: Type.Boolean(),
    verified_at: nullable(Time),
    last_success_at: nullable(Time),
    last_failure_at: nullable(Time),
    consecutive_failures: Type.Integer({ minimum: 0 }),
    disabled_at: nullable(Time),
    created_at: Time,
    updated_at: Time,
  },
  { examples: [WEBHOOK] },
);

export const WebhookList = Type.Array(Webhook, { examples: [[WEBHOOK]] });

export const WebhookCreated = Type.Object(
  { webhook: Webhook, secret: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
  { examples: [{ webhook: WEBHOOK, secret: '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8' }] },
);

/** Event names are checked by the dialect, whose message lists what is allowed. */
export const CreateWebhook = Type.Object(
  {
    url: Type.String(),
    description: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
    events: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
  },
  { examples: [{ url: WEBHOOK.url, description: WEBHOOK.description, events: ['upload.created', 'upload.completed', 'upload.failed'] }] },
);

export const UpdateWebhook = Type.Object(
  {
    url: Type.Optional(Type.String()),
    description: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
    events: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
    is_active: Type.Optional(Type.Boolean()),
  },
  { examples: [{ events: ['upload.completed'] }] },
);

export const WebhookDeleted = Type.Object({ status: Type.Literal('deleted') }, { examples: [{ status: 'deleted' }] });

export const WebhookDeliveries = Type.Array(
  Type.Object({
    id: Uuid,
    webhook_endpoint_id: Uuid,
    event_id: Uuid,
    event_type: Type.String(),
    status: Type.Enum([...DELIVERY_STATUSES]),
    attempt_count: Type.Integer({ minimum: 0 }),
    next_retry_at: Time,
    last_attempt_at: nullable(Time),
    last_response_status: nullable(Type.Integer()),
    last_error: nullable(Type.String()),
    created_at: Time,
    delivered_at: nullable(Time),
  }),
  {
    examples: [
      [
        {
          id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e60',
          webhook_endpoint_id: WEBHOOK.id,
          event_id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e61',
          event_type: 'upload.completed',
          status: 'delivered',
          attempt_count: 1,
          next_retry_at: '2026-05-02T09:31:40.020Z',
          last_attempt_at: '2026-05-02T09:31:40.031Z',
          last_response_status: 200,
          last_error: null,
          created_at: '2026-05-02T09:31:40.020Z',
          delivered_at: '2026-05-02T09:31:40.095Z',
        },
      ],
    ],
  },
);

const UPLOAD = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e70',
  user_id: WEBHOOK.user_id,
  organization_id: WEBHOOK.organization_id,
  original_filename: 'spring-list.csv',
  storage_path: 'uploads/0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e70/original.csv',
  file_size_bytes: 30_214,
  status: 'ready_for_processing',
  valid_row_count: 1498,
  invalid_row_count: 12,
  credits_required: 1498,
  credits_charged: 1498,
  credits_refunded: null,
  source: 'api',
  api_key_id: '0191f3a2-0002-7d7a-b0a4-5a2f1c3d4e5f',
  skip_mobile_lookup: false,
  processed_storage_path: null,
  processed_filtered_storage_path: null,
  error_message: null,
  exceeded_daily_limit: false,
  created_at: '2026-05-02T09:16:02.000Z',
  updated_at: '2026-05-02T09:16:02.000Z',
};

export const UploadBody = Type.Object(
  {
    id: Uuid,
    user_id: Uuid,
    organization_id: nullable(Uuid),
    original_filename: Type.String(),
    storage_path: Type.String(),
    file_size_bytes: nullable(Type.Integer()),
    status: Type.Enum([...UPLOAD_STATUSES]),
    valid_row_count: nullable(Type.Integer()),
    invalid_row_count: nullable(Type.Integer()),
    credits_required: nullable(Type.Integer()),
    credits_charged: nullable(Type.Integer()),
    credits_refunded: nullable(Type.Integer()),
    source: nullable(Type.Enum(['web', 'api'])),
    api_key_id: nullable(Uuid),
    skip_mobile_lookup: nullable(Type.Boolean()),
    processed_storage_path: nullable(Type.String()),
    processed_filtered_storage_path: nullable(Type.String()),
    error_message: nullable(Type.String()),
    exceeded_daily_limit: Type.Boolean(),
    created_at: Time,
    updated_at: Time,
  },
  { examples: [UPLOAD] },
);

export const UploadPage = Type.Object(
  { data: Type.Array(UploadBody), next_cursor: nullable(Type.String()) },
  { examples: [{ data: [UPLOAD], next_cursor: null }] },
);

/** Documented here; the body is streamed to disk and checked there, so that a large one never sits in memory. */
/** Ours: the vendor's documentation says nothing about the cells of results. */
const KeepFormulas = Type.Optional(
  Type.Boolean({ description: 'Cells that a spreadsheet would run stay as they were sent; otherwise an apostrophe goes before them' }),
);

export const CreateUploadJson = Type.Object(
  {
    phone_numbers: Type.Optional(Type.Array(Type.String(), { maxItems: 250_000 })),
    contacts: Type.Optional(Type.Array(Type.Object({ phone: Type.String() }), { maxItems: 250_000 })),
    filename: Type.Optional(Type.String({ maxLength: 255 })),
    skip_mobile_lookup: Type.Optional(Type.Boolean()),
    keep_formulas: KeepFormulas,
  },
  { examples: [{ filename: 'spring-list.csv', phone_numbers: ['+13125550100', '(773) 555-0101', '7735550102'] }] },
);

export const CreateUploadForm = Type.Object({
  file: Type.String({ contentMediaType: 'text/csv' }),
  phone_column: Type.String(),
  skip_mobile_lookup: Type.Optional(Type.Boolean()),
  keep_formulas: KeepFormulas,
  filename_override: Type.Optional(Type.String({ maxLength: 255 })),
});

export const UploadCancelled = Type.Object(
  { status: Type.Literal('cancelled'), credits_refunded: Type.Integer() },
  { examples: [{ status: 'cancelled', credits_refunded: 1498 }] },
);

export const Download = Type.Object(
  { download_url: Type.String({ format: 'uri' }), expires_at: Type.Number() },
  {
    examples: [
      {
        download_url: 'https://dialhook.example.com/files/0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e70/processed?expires=1777716900&signature=ab12',
        expires_at: 1_777_716_900,
      },
    ],
  },
);
