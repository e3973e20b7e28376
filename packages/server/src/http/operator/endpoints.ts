import Type, { type Static } from 'typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isUuid, type Authorize, type Endpoint } from '@dialhook/engine';
import type { Context } from '../context.ts';
import { decodeCursor, page } from '../cursor.ts';
import { Problem } from './problems.ts';
import { CreateEndpoint, EndpointBody, EndpointCreated, EndpointPage, EndpointQuery, RotateSecret, UpdateEndpoint } from './schemas.ts';
import { actorOf, problems, type SlugParams } from './shared.ts';

type Params = SlugParams & { readonly endpoint_id: string };

/** Endpoints of any dialect. */
export function endpointRoutes(app: FastifyInstance, { accounts, engine }: Context): void {
  const slugParams = Type.Object({ slug: Type.String() });
  const params = Type.Object({ slug: Type.String(), endpoint_id: Type.String() });

  app.post<{ Params: SlugParams; Body: Static<typeof CreateEndpoint> }>(
    '/organizations/:slug/endpoints',
    {
      schema: {
        summary: 'Register an endpoint; its secret is shown once',
        params: slugParams,
        body: CreateEndpoint,
        response: { 201: EndpointCreated, ...problems(400, 401, 404, 409) },
      },
    },
    async (request, reply) => {
      const { id: organizationId } = await accounts.organization(request.params.slug);
      const { is_active: isActive, rate_limit: rateLimit, ...rest } = request.body;
      const { endpoint, secret } = await engine.endpoints.create({
        organizationId,
        ...rest,
        isActive,
        rateLimit,
        authorize: whileOwner(request, organizationId),
      });
      return reply.code(201).send({ endpoint: toEndpoint(endpoint), secret });
    },
  );

  app.get<{ Params: SlugParams; Querystring: Static<typeof EndpointQuery> }>(
    '/organizations/:slug/endpoints',
    {
      schema: {
        summary: 'List endpoints, newest first',
        params: slugParams,
        querystring: EndpointQuery,
        response: { 200: EndpointPage, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { id: organizationId } = await accounts.organization(request.params.slug);
      const { cursor, dialect, limit } = request.query;
      const dialects = dialect === undefined ? null : dialect.split(',');
      const found = await engine.endpoints.page({ organizationId, dialects }, decodeCursor(cursor), limit + 1);
      const { next_cursor, rows } = page(found, limit);
      return { data: rows.map(toEndpoint), next_cursor };
    },
  );

  app.get<{ Params: Params }>(
    '/organizations/:slug/endpoints/:endpoint_id',
    { schema: { summary: 'Retrieve an endpoint', params, response: { 200: EndpointBody, ...problems(401, 404) } } },
    async (request, reply) => {
      const scope = await scopeOf(request.params);
      const endpoint = found(await engine.endpoints.find(scope, request.params.endpoint_id));
      return reply.header('etag', etag(endpoint)).send(toEndpoint(endpoint));
    },
  );

  app.patch<{ Params: Params; Body: Static<typeof UpdateEndpoint> }>(
    '/organizations/:slug/endpoints/:endpoint_id',
    {
      schema: {
        summary: 'Change an endpoint',
        description: 'With `If-Match: <ETag>` only while nobody else has changed it.',
        params,
        body: UpdateEndpoint,
        response: { 200: EndpointBody, ...problems(400, 401, 404, 412) },
      },
    },
    async (request, reply) => {
      const scope = await scopeOf(request.params);
      const { is_active: isActive, rate_limit: rateLimit, ...rest } = request.body;
      const ifVersion = versionOf(request.headers['if-match']);
      const endpoint = found(
        await engine.endpoints.update(scope, request.params.endpoint_id, {
          ...rest,
          isActive,
          rateLimit,
          ifVersion,
          authorize: whileOwner(request, scope.organizationId),
        }),
      );
      return reply.header('etag', etag(endpoint)).send(toEndpoint(endpoint));
    },
  );

  app.post<{ Params: Params; Body: Static<typeof RotateSecret> }>(
    '/organizations/:slug/endpoints/:endpoint_id/rotate-secret',
    {
      schema: {
        summary: 'Replace the signing secret; the new one is shown once',
        params,
        body: RotateSecret,
        response: { 200: EndpointCreated, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const scope = await scopeOf(request.params);
      const { endpoint, secret } = found(
        await engine.endpoints.rotateSecret(
          scope,
          request.params.endpoint_id,
          request.body.secret,
          whileOwner(request, scope.organizationId),
        ),
      );
      return { endpoint: toEndpoint(endpoint), secret };
    },
  );

  for (const [verb, paused, summary] of [
    ['pause', true, 'Stop sending to an endpoint; its deliveries wait'],
    ['resume', false, 'Send again, what waited first'],
  ] as const) {
    app.post<{ Params: Params }>(
      `/organizations/:slug/endpoints/:endpoint_id/${verb}`,
      { schema: { summary, params, response: { 200: EndpointBody, ...problems(401, 404) } } },
      async (request) => {
        const scope = await scopeOf(request.params);
        return toEndpoint(
          found(
            await engine.endpoints.update(scope, request.params.endpoint_id, {
              paused,
              authorize: whileOwner(request, scope.organizationId),
            }),
          ),
        );
      },
    );
  }

  app.delete<{ Params: Params }>(
    '/organizations/:slug/endpoints/:endpoint_id',
    { schema: { summary: 'Delete an endpoint', params, response: { 204: Type.Null(), ...problems(401, 404) } } },
    async (request, reply) => {
      const scope = await scopeOf(request.params);
      if (!(await engine.endpoints.delete(scope, request.params.endpoint_id))) throw notFound();
      return reply.code(204).send();
    },
  );

  /** Where data goes out is an owner's choice: it is stored while they are one. */
  function whileOwner(request: FastifyRequest, organizationId: string): Authorize {
    return (tx) => accounts.holdOwner(tx, organizationId, actorOf(request));
  }

  async function scopeOf({ slug, endpoint_id: id }: Params): Promise<{ organizationId: string }> {
    const { id: organizationId } = await accounts.organization(slug);
    if (!isUuid(id)) throw notFound();
    return { organizationId };
  }
}

function etag(endpoint: Endpoint): string {
  return `"${endpoint.version}"`;
}

/** The version inside an `If-Match`; one that is not ours matches nothing. */
function versionOf(header: string | undefined): number | undefined {
  if (header === undefined || header === '*') return undefined;
  return Number(/^"(\d{1,9})"$/.exec(header)?.[1] ?? 0);
}

function notFound(): Problem {
  return new Problem('not_found', 'The organization has no such endpoint.');
}

function found<T>(value: T | null): T {
  if (value === null) throw notFound();
  return value;
}

function toEndpoint(endpoint: Endpoint) {
  return {
    id: endpoint.id,
    dialect: endpoint.dialect,
    url: endpoint.url,
    name: endpoint.name,
    description: endpoint.description,
    events: endpoint.events,
    is_active: endpoint.isActive,
    paused_at: endpoint.pausedAt,
    rate_limit: endpoint.rateLimit,
    disabled_at: endpoint.disabledAt,
    disabled_reason: endpoint.disabledReason,
    verified_at: endpoint.verifiedAt,
    last_success_at: endpoint.lastSuccessAt,
    last_failure_at: endpoint.lastFailureAt,
    consecutive_failures: endpoint.consecutiveFailures,
    created_at: endpoint.createdAt,
    updated_at: endpoint.updatedAt,
  };
}
