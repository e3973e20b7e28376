import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid } from '@dialhook/engine';
import { internalId, publicId } from '../../calls/ids.ts';
import { TRANSLATIONS, type TranslationName } from '../../dials/translations.ts';
import { testData } from '../../dialects/index.ts';
import type { Context } from '../context.ts';
import { decodeTextCursor } from '../cursor.ts';
import { Problem } from '../operator/problems.ts';
import { problems, type SlugParams } from '../operator/shared.ts';
import { HealthList, NodeCounts, OverviewBody, OverviewQuery, SentRequest, Tested, TranslationPage, TranslationQuery } from './schemas.ts';

type EndpointParams = SlugParams & { readonly endpoint_id: string };
type DeliveryParams = SlugParams & { readonly delivery_id: string };

/** What the overview, the endpoints' health and a delivery's page show beyond the operator's routes. */
export function overviewRoutes(app: FastifyInstance, { dials, engine, statistics, telephony }: Context): void {
  const params = Type.Object({ slug: Type.String() });

  app.get<{ Params: SlugParams; Querystring: Static<typeof OverviewQuery> }>(
    '/organizations/:slug/overview',
    {
      schema: {
        summary: 'Deliveries, latency, queue, lists and dials, hour by hour',
        params,
        querystring: OverviewQuery,
        response: { 200: OverviewBody, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { hours } = request.query;
      const { organizationId } = request.membership;
      const [buckets, queue, uploads, dialHours] = [
        await statistics.hourly(organizationId, hours),
        await engine.backlogOf(organizationId),
        await statistics.uploads(organizationId, hours),
        await dials.hourly(organizationId, hours),
      ];
      return {
        hours,
        buckets: buckets.map(({ at, delivered, exhausted, failed, p50Ms, p95Ms, p99Ms }) => ({
          at,
          delivered,
          failed,
          exhausted,
          p50_ms: p50Ms,
          p95_ms: p95Ms,
          p99_ms: p99Ms,
        })),
        queue: {
          due: queue.due,
          waiting: queue.pending,
          retries: queue.retries,
          oldest_due_ms: queue.oldestDueMs,
          at_least: queue.isAtLeast,
        },
        lists: uploads,
        dials: dialHours,
      };
    },
  );

  app.get<{ Params: SlugParams }>(
    '/organizations/:slug/endpoints/health',
    { schema: { summary: 'How endpoints did in the last 24 hours', params, response: { 200: HealthList, ...problems(401, 404) } } },
    async ({ membership }) => ({
      data: (await statistics.health(membership.organizationId)).map(({ delivered, endpointId, failed, hourly, p95Ms }) => ({
        endpoint_id: endpointId,
        delivered,
        failed,
        p95_ms: p95Ms,
        hourly,
      })),
    }),
  );

  app.post<{ Params: EndpointParams }>(
    '/organizations/:slug/endpoints/:endpoint_id/test',
    {
      schema: {
        summary: 'Send one signed sample to an endpoint; it is not retried',
        params: Type.Object({ slug: Type.String(), endpoint_id: Type.String() }),
        response: { 200: Tested, ...problems(401, 404) },
      },
    },
    async (request) => {
      const { organizationId } = request.membership;
      const { endpoint_id: id } = request.params;
      const endpoint = isUuid(id) ? await engine.endpoints.find({ organizationId }, id) : null;
      if (endpoint === null) throw new Problem('not_found', 'The organization has no such endpoint.');
      const dialect = engine.dialects.get(endpoint.dialect)!; // it was checked when the endpoint was made
      const type = endpoint.events?.[0] ?? dialect.defaultEvents?.[0] ?? 'test';
      const result = await engine.endpoints.probe({ organizationId, dialect: dialect.name }, id, { type, data: testData(dialect.name) });
      if (result === null) throw new Problem('not_found', 'The organization has no such endpoint.');
      return { success: result.error === null, status: result.status, error: result.error };
    },
  );

  app.get<{ Params: DeliveryParams }>(
    '/organizations/:slug/deliveries/:delivery_id/request',
    {
      schema: {
        summary: 'The bytes and headers that are sent for a delivery, and when its next attempts are planned',
        params: Type.Object({ slug: Type.String(), delivery_id: Type.String() }),
        response: { 200: SentRequest, ...problems(401, 404) },
      },
    },
    async (request) => {
      const { delivery_id: id } = request.params;
      const sent = isUuid(id) ? await engine.requestOf(request.membership.organizationId, id) : null;
      if (sent === null) throw new Problem('not_found', 'The delivery, its event or its endpoint is gone.');
      return { url: sent.url, headers: sent.headers, body: sent.body, planned_at: sent.plannedAt.map((at) => new Date(at)) };
    },
  );

  app.get<{ Params: SlugParams & { readonly table: TranslationName }; Querystring: Static<typeof TranslationQuery> }>(
    '/organizations/:slug/translations/:table',
    {
      schema: {
        summary: 'List a table of translations by key',
        params: Type.Object({ slug: Type.String(), table: Type.Enum(Object.keys(TRANSLATIONS) as TranslationName[]) }),
        querystring: TranslationQuery,
        response: { 200: TranslationPage, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const { table } = request.params;
      const [key] = TRANSLATIONS[table].columns;
      const after = decodeTextCursor(cursor);
      const rows = await dials.translations.list(table, request.membership.organizationId, after, limit + 1);
      const shown = rows.slice(0, limit);
      return { data: shown, next_cursor: rows.length > limit ? Buffer.from(String(shown.at(-1)![key])).toString('base64url') : null };
    },
  );

  app.get<{ Params: SlugParams & { readonly workflow_id: string } }>(
    '/organizations/:slug/workflows/:workflow_id/counts',
    {
      schema: {
        summary: 'How many leads are at each node of a workflow',
        params: Type.Object({ slug: Type.String(), workflow_id: Type.String() }),
        response: { 200: NodeCounts, ...problems(401, 404) },
      },
    },
    async (request) => {
      const counts = await telephony.workflows.counts(request.membership.organizationId, internalId('wf', request.params.workflow_id));
      return { data: counts.map(({ count, node }) => ({ node_id: publicId('node', node), count })) };
    },
  );
}
