import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid, uuidTime, type Delivery, type SearchFilter } from '@dialhook/engine';
import type { Context } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { Problem } from './problems.ts';
import { DeliveryDetail, DeliveryPage, DeliveryQuery, Resent, Retention, SetRetention } from './schemas.ts';
import { problems, type SlugParams } from './shared.ts';

/** The delivery log of an organization, and how long it is kept. */
export function deliveryRoutes(app: FastifyInstance, { accounts, engine, searches }: Context): void {
  app.get<{ Params: SlugParams; Querystring: Static<typeof DeliveryQuery> }>(
    '/organizations/:slug/deliveries',
    {
      schema: {
        summary: 'List deliveries, newest first',
        params: Type.Object({ slug: Type.String() }),
        querystring: DeliveryQuery,
        response: { 200: DeliveryPage, ...problems(400, 401, 404, 429) },
      },
    },
    async (request) => {
      const {
        cursor,
        endpoint: endpointId,
        event_type: eventType,
        limit,
        response_status: responseStatus,
        search,
        since,
        status,
        until,
      } = request.query;
      const { id: organizationId } = await accounts.organization(request.params.slug);
      const before = decodeCursor(cursor);
      const filter: SearchFilter = {
        organizationId,
        endpointId,
        status,
        eventType,
        before,
        since: time(since),
        until: time(until),
        responseStatus,
        text: search,
      };
      if (responseStatus !== undefined || search !== undefined) {
        const { found, lookedUntil } = await searches.run(filter, limit);
        const next = lookedUntil === null ? null : encodeCursor(lookedUntil.id);
        return { data: found.map(toDelivery), next_cursor: next, searched_until: lookedUntil?.createdAt ?? null };
      }
      const { deliveries, isCut, next } = await engine.deliveryPage(filter, limit);
      const nextCursor = next === null ? null : encodeCursor(next);
      return { data: deliveries.map(toDelivery), next_cursor: nextCursor, ...(isCut && { searched_until: new Date(uuidTime(next!)) }) };
    },
  );

  const slugParams = Type.Object({ slug: Type.String() });
  const path = '/organizations/:slug/retention';

  app.get<{ Params: SlugParams }>(
    path,
    { schema: { summary: 'How long the history is kept', params: slugParams, response: { 200: Retention, ...problems(401, 404) } } },
    async (request) => {
      const { id } = await accounts.organization(request.params.slug);
      return { days: (await engine.retention.of(id)) ?? engine.retention.days };
    },
  );

  app.put<{ Params: SlugParams; Body: Static<typeof SetRetention> }>(
    path,
    {
      schema: {
        summary: 'Keep the history for fewer days',
        description:
          'From the days that the longest retry schedule takes to those that the server keeps everybody’s; null for those. What is older is deleted within two hours.',
        params: slugParams,
        body: SetRetention,
        response: { 200: Retention, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { id } = await accounts.organization(request.params.slug);
      const { days } = request.body;
      if (days !== null && days > engine.retention.days)
        throw new Problem('invalid_request', `days must be at most ${engine.retention.days}, which is what the server keeps`, 'days');
      await engine.retention.set(id, days);
      return { days: days ?? engine.retention.days };
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

  app.post<{ Params: SlugParams & { readonly delivery_id: string } }>(
    '/organizations/:slug/deliveries/:delivery_id/resend',
    {
      schema: {
        summary: 'Send a delivery again',
        description: 'A finished one as a new delivery, whose id is answered; one that waits for a retry now, under its own id.',
        params: Type.Object({ slug: Type.String(), delivery_id: Type.String() }),
        response: { 202: Resent, ...problems(401, 404, 409) },
      },
    },
    async (request, reply) => {
      const { id: organizationId } = await accounts.organization(request.params.slug);
      const { delivery_id: id } = request.params;
      if (!isUuid(id)) throw new Problem('not_found', 'The organization has no such delivery.');
      return reply.code(202).send({ id: await engine.replays.resend(organizationId, id) });
    },
  );
}

function time(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
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
