import { createHash } from 'node:crypto';
import Type from 'typebox';
import type { FastifyInstance } from 'fastify';
import { LIMITS } from '@dialhook/engine';
import { fileKey, UPLOAD_FILES } from '../../lists/model.ts';
import type { Context } from '../context.ts';
import type { OpenApi } from '../openapi.ts';
import { findPanel, servePanel } from '../panel/static.ts';
import { docsPage, sendPage, startPage } from './pages.ts';

const Ok = Type.Object({ status: Type.String() }, { examples: [{ status: 'ok' }] });
const Ready = Type.Object({ status: Type.String(), warning: Type.Optional(Type.String()) }, { examples: [{ status: 'ok' }] });
const Text = Type.String({ examples: ['dialhook_requests_in_flight 12\n'] });
/** A wrong clock harms nothing, since the database's time is used; but whoever looks after the host should know. */
function clockWarning(aheadMs: number): { readonly warning?: string } {
  if (Math.abs(aheadMs) <= LIMITS.clockOffsetMs) return {};
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return { warning: `the time of this system is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the database's, which is used` };
}

/** The database answers `readyz` within this time, or the node is not ready. */
const READY_TIMEOUT_MS = 2_000;

/** Health, downloads, the description of the API, and pages for people. */
export async function systemSurface(
  app: FastifyInstance,
  options: { readonly context: Context; readonly openApi: OpenApi; readonly version: string },
): Promise<void> {
  const { context, openApi, version } = options;
  const { clock, config, database, engine, files, links, metrics } = context;

  app.get('/healthz', { schema: { summary: 'The process is alive', response: { 200: Ok } } }, async () => ({ status: 'ok' }));

  app.get('/readyz', { schema: { summary: 'The node can do its work', response: { 200: Ready, 503: Ok } } }, async (request, reply) => {
    const trouble = await findTrouble();
    if (trouble === null) return { status: 'ok', ...clockWarning(engine.activity.systemAheadMs) };
    request.log.warn({ trouble }, 'not ready');
    return reply.code(503).send({ status: trouble });
  });

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics of this node in the text format of Prometheus',
        responseType: metrics.contentType,
        response: { 200: Text },
      },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer((text: string) => text)
        .send(await metrics.text()),
  );

  /** What keeps the node from its work, or null. */
  async function findTrouble(): Promise<string | null> {
    const { inboxEvents, silentMs } = engine.activity;
    // Others take over what this node holds; it must not take in more until it is among the living again.
    if (silentMs > LIMITS.deadAfterMs) return 'the other nodes take this one for dead';
    if (inboxEvents >= LIMITS.inboxEvents) return 'too many events wait to be stored';
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(READY_TIMEOUT_MS, () => reject(new Error('timeout')));
    try {
      await Promise.race([database.ping(), tooLate]);
      return null;
    } catch {
      return 'the database does not answer';
    } finally {
      cancel();
    }
  }

  if (config.role === 'worker') return;
  const panelFolder = findPanel();

  app.get<{ Params: { upload_id: string; file: string }; Querystring: { expires?: string; signature?: string } }>(
    '/files/:upload_id/:file',
    {
      schema: { hide: true, querystring: Type.Object({ expires: Type.Optional(Type.String()), signature: Type.Optional(Type.String()) }) },
    },
    async (request, reply) => {
      const { file, upload_id: id } = request.params;
      const { expires = '', signature = '' } = request.query;
      if (!links.verify(id, file, expires, signature)) return reply.code(403).send({ detail: 'The link has expired or is not valid' });
      const content = await files.read(fileKey(id, UPLOAD_FILES[file])).catch(() => null);
      if (content === null) return reply.code(404).send({ detail: 'The file does not exist any more' });
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-length', content.size)
        .header('content-disposition', `attachment; filename="${UPLOAD_FILES[file]}"`)
        .header('cache-control', 'private, no-store')
        .send(content.stream);
    },
  );

  // Made at the first call, when every route is known, and then the same for as long as the process lives.
  let description: { readonly body: Buffer; readonly etag: string } | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, async (request, reply) => {
    if (description === undefined) {
      const body = Buffer.from(JSON.stringify(openApi.document(version)));
      description = { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
    }
    reply.header('etag', description.etag);
    if (request.headers['if-none-match'] === description.etag) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(description.body);
  });
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => sendPage(reply, docsPage(openApi.document(version))));
  // Without a built panel, such as after `npm ci` alone, the first steps are there as text.
  if (panelFolder === null) app.get('/', { schema: { hide: true } }, async (_request, reply) => sendPage(reply, startPage(config)));
  else await servePanel(app, panelFolder);
}
