import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid, type Authorize, type Delivery, type Endpoint } from '@dialhook/engine';
import { optimaldial } from '../../dialects/optimaldial.ts';
import type { Caller } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { notFound, unauthorized } from './errors.ts';
import {
  CreateWebhook,
  ErrorBody,
  UpdateWebhook,
  Webhook,
  WebhookCreated,
  WebhookDeleted,
  WebhookDeliveries,
  WebhookList,
} from './schemas.ts';

type Params = { readonly webhook_id: string };

/** contracts/optimaldial.md 5: webhook endpoints and their delivery log. */
export function webhookRoutes(app: FastifyInstance, { accounts, engine }: Context): void {
  const scopeOf = (organizationId: string) => ({ organizationId, dialect: optimaldial.name });
  const params = Type.Object({ webhook_id: Type.String() });

  app.post<{ Body: Static<typeof CreateWebhook> }>(
    '/webhooks',
    {
      schema: {
        summary: 'Register a webhook endpoint',
        body: CreateWebhook,
        response: { 200: WebhookCreated, 400: ErrorBody, 401: ErrorBody, 429: ErrorBody },
      },
    },
    async (request) => {
      const { url, description, events } = request.body;
      const { organizationId, userId } = request.caller;
      const { endpoint, secret } = await engine.endpoints.create({
        ...scopeOf(organizationId),
        url,
        description,
        events,
        createdBy: userId,
        authorize: whileKey(request.caller),
      });
      return { webhook: toWebhook(endpoint), secret };
    },
  );

  app.get(
    '/webhooks',
    { schema: { summary: 'List webhook endpoints', response: { 200: WebhookList, 401: ErrorBody } } },
    async (request) => {
      const endpoints = await engine.endpoints.list(scopeOf(request.caller.organizationId));
      return endpoints.map(toWebhook);
    },
  );

  app.get<{ Params: Params }>(
    '/webhooks/:webhook_id',
    { schema: { summary: 'Retrieve a webhook endpoint', params, response: { 200: Webhook, 401: ErrorBody, 404: ErrorBody } } },
    async (request) => toWebhook(await find(request.caller.organizationId, request.params.webhook_id)),
  );

  app.patch<{ Params: Params; Body: Static<typeof UpdateWebhook> }>(
    '/webhooks/:webhook_id',
    {
      schema: {
        summary: 'Update a webhook endpoint',
        params,
        body: UpdateWebhook,
        response: { 200: Webhook, 400: ErrorBody, 401: ErrorBody, 404: ErrorBody, 429: ErrorBody },
      },
    },
    async (request) => {
      const { organizationId } = request.caller;
      const { webhook_id: id } = request.params;
      await find(organizationId, id);
      const { url, description, events, is_active: isActive } = request.body;
      const updated = await engine.endpoints.update(scopeOf(organizationId), id, {
        url,
        description,
        events,
        isActive,
        authorize: whileKey(request.caller),
      });
      if (updated === null) throw notFound('Webhook');
      return toWebhook(updated);
    },
  );

  app.delete<{ Params: Params }>(
    '/webhooks/:webhook_id',
    { schema: { summary: 'Delete a webhook endpoint', params, response: { 200: WebhookDeleted, 401: ErrorBody, 404: ErrorBody } } },
    async (request) => {
      const { webhook_id: id } = request.params;
      if (!isUuid(id) || !(await engine.endpoints.delete(scopeOf(request.caller.organizationId), id))) throw notFound('Webhook');
      return { status: 'deleted' };
    },
  );

  app.get<{ Params: Params; Querystring: { limit: number } }>(
    '/webhooks/:webhook_id/deliveries',
    {
      schema: {
        summary: 'List recent deliveries of a webhook endpoint',
        params,
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }) }),
        response: { 200: WebhookDeliveries, 400: ErrorBody, 401: ErrorBody, 404: ErrorBody },
      },
    },
    async (request) => {
      const { organizationId } = request.caller;
      const { id: endpointId } = await find(organizationId, request.params.webhook_id);
      const deliveries = await engine.deliveries({ organizationId, endpointId }, request.query.limit);
      return deliveries.map(toDelivery);
    },
  );

  /** Where data goes out is stored while the key works that chose it, however long a ping took. */
  function whileKey({ keyId }: Caller): Authorize {
    return (tx) => accounts.holdKey(tx, keyId, unauthorized);
  }

  async function find(organizationId: string, id: string): Promise<Endpoint> {
    const endpoint = isUuid(id) ? await engine.endpoints.find(scopeOf(organizationId), id) : null;
    if (endpoint === null) throw notFound('Webhook');
    return endpoint;
  }
}

function toWebhook(endpoint: Endpoint) {
  return {
    id: endpoint.id,
    user_id: endpoint.createdBy ?? endpoint.organizationId, // one that the operator made belongs to nobody else
    organization_id: endpoint.organizationId,
    url: endpoint.url,
    description: endpoint.description,
    events: endpoint.events ?? optimaldial.eventTypes,
    is_active: endpoint.isActive,
    verified_at: endpoint.verifiedAt,
    last_success_at: endpoint.lastSuccessAt,
    last_failure_at: endpoint.lastFailureAt,
    consecutive_failures: endpoint.consecutiveFailures,
    disabled_at: endpoint.disabledAt,
    created_at: endpoint.createdAt,
    updated_at: endpoint.updatedAt,
  };
}

function toDelivery(delivery: Delivery) {
  return {
    id: delivery.id,
    webhook_endpoint_id: delivery.endpointId,
    event_id: delivery.eventId,
    event_type: delivery.eventType,
    status: delivery.status,
    attempt_count: delivery.attemptCount,
    next_retry_at: delivery.scheduledAt,
    last_attempt_at: delivery.lastAttemptAt,
    last_response_status: delivery.lastResponseStatus,
    last_error: delivery.lastError,
    created_at: delivery.createdAt,
    delivered_at: delivery.status === 'delivered' ? delivery.finishedAt : null,
  };
}
