import Type, { type TSchema } from 'typebox';
import { UPLOAD_STATUSES } from '../../lists/model.ts';

/** The shapes of lists as people follow them. */
const Time = Type.String({ format: 'date-time' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Counts = Type.Record(Type.String(), Type.Integer());

const LIST = {
  id: '0191f3a2-7c1e-7d7a-b0a4-5a2f1c3d4e70',
  status: 'completed',
  source: 'web',
  filename: 'spring-list.csv',
  file_size_bytes: 30_214,
  total_rows: 1510,
  valid_rows: 1498,
  invalid_rows: 12,
  duplicate_rows: 0,
  credits_required: 1498,
  credits_charged: 1498,
  credits_refunded: null,
  error_message: null,
  summary: { statuses: { 'Likely Answer': 900, Unknown: 598 }, regions: { IL: 1498 }, time_zones: { 'America/Chicago': 1498 } },
  created_at: '2026-05-02T09:16:02.000Z',
  updated_at: '2026-05-02T09:16:04.000Z',
};
export const ListBody = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    status: Type.Enum([...UPLOAD_STATUSES]),
    source: Type.Enum(['web', 'api']),
    filename: Type.String(),
    file_size_bytes: Type.Integer(),
    total_rows: Type.Integer(),
    valid_rows: Type.Integer(),
    invalid_rows: Type.Integer(),
    duplicate_rows: Type.Integer(),
    credits_required: Type.Integer(),
    credits_charged: Type.Integer(),
    credits_refunded: nullable(Type.Integer()),
    error_message: nullable(Type.String()),
    summary: nullable(Type.Object({ statuses: Counts, regions: Counts, time_zones: Counts })),
    created_at: Time,
    updated_at: Time,
  },
  { examples: [LIST] },
);
export const ListPage = Type.Object(
  { data: Type.Array(ListBody), next_cursor: nullable(Type.String()) },
  { examples: [{ data: [LIST], next_cursor: null }] },
);
export const ListQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 25 }),
  cursor: Type.Optional(Type.String()),
});
export const ListPreviewBody = Type.Object(
  { columns: Type.Array(Type.String()), rows: Type.Array(Type.Array(Type.String())), phone_column: nullable(Type.String()) },
  { examples: [{ columns: ['phone', 'name'], rows: [['+13125550142', 'Ada']], phone_column: 'phone' }] },
);
const KeepFormulas = Type.Optional(
  Type.Boolean({ description: 'Cells that a spreadsheet would run stay as they were sent; otherwise an apostrophe goes before them' }),
);
export const MapList = Type.Object(
  {
    phone_column: Type.String({ minLength: 1, maxLength: 1_000 }),
    skip_mobile_lookup: Type.Optional(Type.Boolean()),
    keep_formulas: KeepFormulas,
  },
  { additionalProperties: false, examples: [{ phone_column: 'phone' }] },
);
export const UploadForm = Type.Object({ file: Type.String({ format: 'binary', description: 'a CSV' }) });
export const DownloadLink = Type.Object({ url: Type.String() }, { examples: [{ url: 'https://hooks.example.com/files/…' }] });
