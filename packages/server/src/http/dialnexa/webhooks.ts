import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { Authorize, Endpoint } from '@dialhook/engine';
import { dialnexa } from '../../dialects/dialnexa.ts';
import { testData } from '../../dialects/index.ts';
import type { Caller } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { notFound, unauthorized } from './errors.ts';
import { toPage } from './paging.ts';
import { CreateWebhook, Deleted, ErrorBody, ListQuery, Tested, UpdateWebhook, WebhookBody, WebhookPage } from './schemas.ts';

type Params = { readonly webhook_id: string };

/** User webhooks (contracts/dialnexa.md 2). The secret is never in an answer: the caller chose it. */
export function webhookRoutes(app: FastifyInstance, { accounts, engine }: Context): void {
  const params = Type.Object({ webhook_id: Type.String() });
  const refusals = { 401: ErrorBody, 429: ErrorBody };

  app.post<{ Body: Static<typeof CreateWebhook> }>(
    '/user-webhooks',
    { schema: { summary: 'Create a user webhook', body: CreateWebhook, response: { 201: WebhookBody, 400: ErrorBody, ...refusals } } },
    async (request, reply) => {
      const { events, is_active: isActive, secret, url } = request.body;
      const { endpoint } = await engine.endpoints.create({
        ...scope(request.caller),
        url,
        events,
        secret,
        isActive,
        authorize: whileKey(request.caller),
      });
      return reply.code(201).send(toWebhook(endpoint));
    },
  );

  app.get<{ Querystring: Static<typeof ListQuery> }>(
    '/user-webhooks',
    {
      schema: {
        summary: 'List user webhooks, newest first',
        querystring: ListQuery,
        response: { 200: WebhookPage, 400: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { is_active: isActive, limit, page } = request.query;
      const all = (await engine.endpoints.list(scope(request.caller))).filter((one) => isActive === undefined || one.isActive === isActive);
      return toPage({ rows: all.slice((page - 1) * limit, page * limit), total: all.length }, request.query, toWebhook);
    },
  );

  app.get<{ Params: Params }>(
    '/user-webhooks/:webhook_id',
    { schema: { summary: 'Retrieve a user webhook', params, response: { 200: WebhookBody, 404: ErrorBody, ...refusals } } },
    async (request) => toWebhook(await find(request.caller, request.params)),
  );

  app.patch<{ Params: Params; Body: Static<typeof UpdateWebhook> }>(
    '/user-webhooks/:webhook_id',
    {
      schema: {
        summary: 'Change a user webhook',
        description: 'A new secret signs from the very next delivery; switched off, what waits is dropped.',
        params,
        body: UpdateWebhook,
        response: { 200: WebhookBody, 400: ErrorBody, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { id } = await find(request.caller, request.params);
      const { events, is_active: isActive, secret, url } = request.body;
      const changed = await engine.endpoints.update(scope(request.caller), id, {
        events,
        isActive,
        secret,
        url,
        authorize: whileKey(request.caller),
      });
      if (changed === null) throw notFound('Webhook');
      return toWebhook(changed);
    },
  );

  app.delete<{ Params: Params }>(
    '/user-webhooks/:webhook_id',
    { schema: { summary: 'Delete a user webhook', params, response: { 200: Deleted, 404: ErrorBody, ...refusals } } },
    async (request) => {
      const { id } = await find(request.caller, request.params);
      if (!(await engine.endpoints.delete(scope(request.caller), id))) throw notFound('Webhook');
      return { message: 'Webhook deleted.' };
    },
  );

  app.post<{ Params: Params }>(
    '/user-webhooks/:webhook_id/test',
    {
      schema: {
        summary: 'Send one signed sample of the first subscribed event; it is not retried',
        params,
        response: { 200: Tested, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { events, id } = await find(request.caller, request.params);
      const type = events?.[0] ?? dialnexa.defaultEvents![0]!;
      const result = await engine.endpoints.probe(scope(request.caller), id, { type, data: testData(dialnexa.name) });
      if (result === null) throw notFound('Webhook');
      return { success: result.error === null, status_code: result.status };
    },
  );

  /** Where data goes out is stored while the key works that chose it, however long a ping took. */
  function whileKey({ keyId }: Caller): Authorize {
    return (tx) => accounts.holdKey(tx, keyId, unauthorized);
  }

  async function find(caller: { readonly organizationId: string }, { webhook_id: publicId }: Params): Promise<Endpoint> {
    const endpoint = (await engine.endpoints.list(scope(caller))).find(({ id }) => webhookId(id) === publicId);
    if (endpoint === undefined) throw notFound('Webhook');
    return endpoint;
  }
}

function scope({ organizationId }: { readonly organizationId: string }) {
  return { organizationId, dialect: dialnexa.name };
}

const ID_LENGTH = 12;

/** `whk_` and 12 of [a-z0-9]: the 62 random bits of the endpoint's UUIDv7, so that no table has to remember the other name. */
function webhookId(id: string): string {
  const random = BigInt(`0x${id.slice(19).replace('-', '')}`) & ((1n << 62n) - 1n);
  return `whk_${random.toString(36).padStart(ID_LENGTH, '0')}`;
}

function toWebhook({ createdAt, events, id, isActive, url }: Endpoint) {
  return { id: webhookId(id), url, events: events ?? dialnexa.defaultEvents, is_active: isActive, created_at: createdAt };
}
