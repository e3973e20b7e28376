import type { Readable } from 'node:stream';
import Type, { type Static } from 'typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isUuid } from '@dialhook/engine';
import { LIST_LIMITS } from '../../lists/limits.ts';
import { UPLOAD_FILES, type Upload, type UploadFile } from '../../lists/model.ts';
import type { Context } from '../context.ts';
import { decodeCursor, page } from '../cursor.ts';
import { receiveFile } from '../multipart.ts';
import { Problem } from '../operator/problems.ts';
import { problems, type SlugParams } from '../operator/shared.ts';
import { watchUpload } from '../watched-upload.ts';
import { DownloadLink, ListBody, ListPage, ListPreviewBody, ListQuery, MapList, UploadForm } from './list-schemas.ts';

type Params = SlugParams & { readonly list_id: string };

const LIMIT = { bytes: LIST_LIMITS.fileBytes, refusal: 'The file may have at most 100 MB' };

/** Lists that people upload and follow: received, mapped, validated, confirmed, processed. */
export function listRoutes(app: FastifyInstance, { clock, uploads, webUploads }: Context): void {
  const slugParams = Type.Object({ slug: Type.String() });
  const params = Type.Object({ slug: Type.String(), list_id: Type.String() });
  const path = '/organizations/:slug/lists';

  app.get<{ Params: SlugParams; Querystring: Static<typeof ListQuery> }>(
    path,
    {
      schema: {
        summary: 'List lists, newest first',
        params: slugParams,
        querystring: ListQuery,
        response: { 200: ListPage, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const before = decodeCursor(cursor) ?? null;
      const { next_cursor, rows } = page(await uploads.list(request.membership.organizationId, before, limit + 1), limit);
      return { data: rows.map(toList), next_cursor };
    },
  );

  app.get<{ Params: Params }>(
    `${path}/:list_id`,
    { schema: { summary: 'Retrieve a list', params, response: { 200: ListBody, ...problems(401, 404) } } },
    async (request) => toList(await find(request)),
  );

  app.get<{ Params: Params }>(
    `${path}/:list_id/preview`,
    { schema: { summary: 'The columns and first rows of a list', params, response: { 200: ListPreviewBody, ...problems(401, 404) } } },
    async (request) => {
      const { columns, phoneColumn, rows } = await webUploads.preview(await find(request));
      return { columns, rows, phone_column: phoneColumn };
    },
  );

  app.post<{ Params: Params; Body: Static<typeof MapList> }>(
    `${path}/:list_id/mapping`,
    {
      schema: {
        summary: 'Say which column holds the numbers; every row is checked',
        params,
        body: MapList,
        response: { 200: ListBody, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { keep_formulas: keepFormulas = false, phone_column: phoneColumn, skip_mobile_lookup: skipMobileLookup = false } = request.body;
      return toList(await webUploads.map(await find(request), { phoneColumn, skipMobileLookup, keepFormulas }));
    },
  );

  app.post<{ Params: Params }>(
    `${path}/:list_id/confirm`,
    {
      schema: {
        summary: 'Pay for a list and have it processed',
        params,
        response: { 200: ListBody, ...problems(400, 401, 402, 403, 404) },
      },
    },
    async (request) => {
      if (request.membership.plan !== 'list_processing')
        throw new Problem('forbidden', 'An active list-processing subscription is required');
      return toList(await webUploads.confirm(await find(request)));
    },
  );

  app.delete<{ Params: Params }>(
    `${path}/:list_id`,
    {
      schema: {
        summary: 'Cancel a list before it is processed; what it cost comes back',
        params,
        response: { 200: ListBody, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const upload = await find(request);
      if (!(await webUploads.discard(upload))) await uploads.cancel(upload.organizationId, upload.id);
      return toList(await find(request));
    },
  );

  app.get<{ Params: Params & { readonly file: string } }>(
    `${path}/:list_id/download/:file`,
    {
      schema: {
        summary: 'Make a download link: original, processed or processed-filtered',
        params: Type.Object({ slug: Type.String(), list_id: Type.String(), file: Type.String() }),
        response: { 200: DownloadLink, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const upload = await find(request);
      if (!Object.hasOwn(UPLOAD_FILES, request.params.file)) throw new Problem('not_found', 'A list has no such file.');
      return { url: (await uploads.downloadLink(upload.organizationId, upload.id, request.params.file as UploadFile)).url };
    },
  );

  // A scope of its own: here the body stays a stream.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload));
    scope.post<{ Params: SlugParams; Body: Readable | undefined }>(
      path,
      {
        bodyLimit: Number.MAX_SAFE_INTEGER, // bounded while streaming
        schema: {
          summary: 'Upload a CSV; its columns are mapped next',
          params: slugParams,
          response: { 201: ListBody, ...problems(400, 401, 404, 413, 415) },
          requestBodies: { 'multipart/form-data': UploadForm },
        },
      },
      async (request, reply) => {
        const { body, headers, membership, user } = request;
        if (body === undefined) throw new Problem('unsupported_media_type', 'Content-Type must be multipart/form-data');
        const uploader = { organizationId: membership.organizationId, userId: user.userId };
        const upload = await webUploads.create(uploader, (to) => receiveFile(watchUpload(body, clock), headers, to, LIMIT));
        return reply.code(201).send(toList(upload));
      },
    );
  });

  async function find(request: FastifyRequest<{ Params: Params }>): Promise<Upload> {
    const { list_id: id } = request.params;
    const upload = isUuid(id) ? await uploads.find(request.membership.organizationId, id) : null;
    if (upload === null) throw new Problem('not_found', 'The organization has no such list.');
    return upload;
  }
}

function toList(upload: Upload) {
  return {
    id: upload.id,
    status: upload.status,
    source: upload.source,
    filename: upload.originalFilename,
    file_size_bytes: upload.fileSizeBytes,
    total_rows: upload.totalRows,
    valid_rows: upload.validRowCount,
    invalid_rows: upload.invalidRowCount,
    duplicate_rows: upload.duplicateRowCount,
    credits_required: upload.creditsRequired,
    credits_charged: upload.creditsCharged,
    credits_refunded: upload.creditsRefunded,
    error_message: upload.errorMessage,
    summary: upload.summary === null ? null : { ...upload.summary, time_zones: upload.summary.timeZones, timeZones: undefined },
    created_at: upload.createdAt,
    updated_at: upload.updatedAt,
  };
}
