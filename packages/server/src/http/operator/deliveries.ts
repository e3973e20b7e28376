import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid, type Delivery } from '@dialhook/engine';
import type { Context } from '../context.ts';
import { decodeCursor, page } from '../cursor.ts';
import { Problem } from './problems.ts';
import { DeliveryDetail, DeliveryPage, DeliveryQuery } from './schemas.ts';
import { problems, type SlugParams } from './shared.ts';

/** The delivery log of an organization. */
export function deliveryRoutes(app: FastifyInstance, { accounts, engine }: Context): void {
  app.get<{ Params: SlugParams; Querystring: Static<typeof DeliveryQuery> }>(
    '/organizations/:slug/deliveries',
    {
      schema: {
        summary: 'List deliveries, newest first',
        params: Type.Object({ slug: Type.String() }),
        querystring: DeliveryQuery,
        response: { 200: DeliveryPage, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { cursor, endpoint: endpointId, event_type: eventType, limit, status } = request.query;
      const { id: organizationId } = await accounts.organization(request.params.slug);
      const before = cursor === undefined ? undefined : decodeCursor(cursor);
      if (before === null) throw new Problem('invalid_request', 'cursor is not one of ours', 'cursor');
      const rows = await engine.deliveries({ organizationId, endpointId, status, eventType, before }, limit + 1);
      const { rows: shown, next_cursor } = page(rows, limit);
      return { data: shown.map(toDelivery), next_cursor };
    },
  );

  app.get<{ Params: SlugParams & { readonly delivery_id: string } }>(
    '/organizations/:slug/deliveries/:delivery_id',
    {
      schema: {
        summary: 'Retrieve a delivery with its attempts',
        params: Type.Object({ slug: Type.String(), delivery_id: Type.String() }),
        response: { 200: DeliveryDetail, ...problems(401, 404) },
      },
    },
    async (request) => {
      const { id: organizationId } = await accounts.organization(request.params.slug);
      const { delivery_id: id } = request.params;
      const found = isUuid(id) ? await engine.delivery(organizationId, id) : null;
      if (found === null) throw new Problem('not_found', 'The organization has no such delivery.');
      const attempts = found.attempts.map((attempt) => ({
        number: attempt.number,
        started_at: attempt.startedAt,
        duration_ms: attempt.durationMs,
        response_status: attempt.responseStatus,
        response_body: attempt.responseBody,
        error: attempt.error,
      }));
      return { ...toDelivery(found.delivery), attempts };
    },
  );
}

function toDelivery(delivery: Delivery) {
  return {
    id: delivery.id,
    endpoint_id: delivery.endpointId,
    event_id: delivery.eventId,
    event_type: delivery.eventType,
    status: delivery.status,
    attempt_count: delivery.attemptCount,
    scheduled_at: delivery.scheduledAt,
    last_attempt_at: delivery.lastAttemptAt,
    last_response_status: delivery.lastResponseStatus,
    last_error: delivery.lastError,
    created_at: delivery.createdAt,
    finished_at: delivery.finishedAt,
  };
}
