import type { Readable } from 'node:stream';
import Type from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid } from '@dialhook/engine';
import { fileKey, UPLOAD_FILES, type Upload, type UploadFile } from '../../lists/model.ts';
import type { Context } from '../context.ts';
import { watchUpload } from '../watched-upload.ts';
import { decodeCursor, page } from '../cursor.ts';
import { notFound, Refusal } from './errors.ts';
import { receiveJson, receiveMultipart } from './receive.ts';
import { CreateUploadForm, CreateUploadJson, Download, ErrorBody, UploadBody, UploadCancelled, UploadPage } from './schemas.ts';

type Params = { readonly upload_id: string };
const errors = (...statuses: number[]) => Object.fromEntries(statuses.map((status) => [status, ErrorBody]));

/** contracts/optimaldial.md 7: submitting lists, following them, and fetching results. */
export function uploadRoutes(app: FastifyInstance, { clock, uploads }: Context): void {
  const params = Type.Object({ upload_id: Type.String() });

  app.get<{ Querystring: { limit: number; cursor?: string } }>(
    '/uploads',
    {
      schema: {
        summary: 'List uploads',
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }), cursor: Type.Optional(Type.String()) }),
        response: { 200: UploadPage, ...errors(400, 401) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const before = decodeCursor(cursor) ?? null;
      const rows = await uploads.list(request.caller.organizationId, before, limit + 1);
      const { rows: shown, next_cursor } = page(rows, limit);
      return { data: shown.map(toBody), next_cursor };
    },
  );

  app.get<{ Params: Params }>(
    '/uploads/:upload_id',
    { schema: { summary: 'Retrieve an upload', params, response: { 200: UploadBody, ...errors(401, 404) } } },
    async (request) => {
      const { upload_id: id } = request.params;
      const upload = isUuid(id) ? await uploads.find(request.caller.organizationId, id) : null;
      if (upload === null) throw notFound('Upload');
      return toBody(upload);
    },
  );

  app.delete<{ Params: Params }>(
    '/uploads/:upload_id',
    {
      schema: {
        summary: 'Cancel an upload before processing starts',
        params,
        response: { 200: UploadCancelled, ...errors(400, 401, 404, 429) },
      },
    },
    async (request) => {
      const { upload_id: id } = request.params;
      if (!isUuid(id)) throw notFound('Upload');
      const cancelled = await uploads.cancel(request.caller.organizationId, id);
      return { status: 'cancelled', credits_refunded: cancelled.creditsRefunded };
    },
  );

  app.get<{ Params: Params & { readonly file: string } }>(
    '/uploads/:upload_id/download/:file',
    {
      schema: {
        summary: 'Get a signed download URL',
        params: Type.Object({ upload_id: Type.String(), file: Type.String({ examples: Object.keys(UPLOAD_FILES) }) }),
        response: { 200: Download, ...errors(400, 401, 404) },
      },
    },
    async (request) => {
      const { upload_id: id, file } = request.params;
      if (!isUuid(id) || !Object.hasOwn(UPLOAD_FILES, file)) throw notFound('Upload');
      const link = await uploads.downloadLink(request.caller.organizationId, id, file as UploadFile);
      return { download_url: link.url, expires_at: link.expiresAt };
    },
  );

  // A scope of its own: here bodies stay streams, and only these two content types exist.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    for (const type of ['application/json', 'multipart/form-data'])
      scope.addContentTypeParser(type, (_request, payload, done) => done(null, payload));
    scope.post<{ Body: Readable | undefined }>(
      '/uploads',
      {
        bodyLimit: Number.MAX_SAFE_INTEGER, // bounded while streaming, by `receive`
        schema: {
          summary: 'Create an upload',
          response: { 200: UploadBody, ...errors(400, 401, 402, 403, 422, 429) },
          requestBodies: { 'application/json': CreateUploadJson, 'multipart/form-data': CreateUploadForm },
        },
      },
      async (request) => {
        const type = request.headers['content-type'] ?? '';
        if (request.body === undefined || type === '')
          throw new Refusal(415, 'Content-Type must be multipart/form-data or application/json');
        const receive = type.startsWith('multipart/') ? receiveMultipart : receiveJson;
        const upload = await uploads.create(request.caller, receive(watchUpload(request.body, clock), request.headers));
        return toBody(upload);
      },
    );
  });
}

function toBody(upload: Upload) {
  const done = upload.status === 'completed';
  return {
    id: upload.id,
    user_id: upload.userId,
    organization_id: upload.organizationId,
    original_filename: upload.originalFilename,
    storage_path: fileKey(upload.id, UPLOAD_FILES.original),
    file_size_bytes: upload.fileSizeBytes,
    status: upload.status,
    valid_row_count: upload.validRowCount,
    invalid_row_count: upload.invalidRowCount,
    credits_required: upload.creditsRequired,
    credits_charged: upload.creditsCharged,
    credits_refunded: upload.creditsRefunded,
    source: upload.source,
    api_key_id: upload.apiKeyId,
    skip_mobile_lookup: upload.skipMobileLookup,
    processed_storage_path: done ? fileKey(upload.id, UPLOAD_FILES.processed) : null,
    processed_filtered_storage_path: done ? fileKey(upload.id, UPLOAD_FILES['processed-filtered']) : null,
    error_message: upload.errorMessage,
    exceeded_daily_limit: false,
    created_at: upload.createdAt,
    updated_at: upload.updatedAt,
  };
}
