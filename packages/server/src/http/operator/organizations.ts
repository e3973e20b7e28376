import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { Organization } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { decodeTextCursor } from '../cursor.ts';
import { ChangeCredits, CreateOrganization, Credits, OrganizationBody, OrganizationPage, UpdateOrganization } from './schemas.ts';
import { problems, type SlugParams } from './shared.ts';

/** Organizations and their credits. */
export function organizationRoutes(app: FastifyInstance, { accounts }: Context): void {
  const params = Type.Object({ slug: Type.String() });

  app.post<{ Body: Static<typeof CreateOrganization> }>(
    '/organizations',
    {
      schema: {
        summary: 'Create an organization',
        body: CreateOrganization,
        response: { 201: OrganizationBody, ...problems(400, 401, 409) },
      },
    },
    async (request, reply) => {
      const { owner_email: ownerEmail, ...rest } = request.body;
      const organization = await accounts.createOrganization({ ...rest, ownerEmail });
      return reply.code(201).send(toOrganization(organization));
    },
  );

  app.get<{ Querystring: { limit: number; cursor?: string } }>(
    '/organizations',
    {
      schema: {
        summary: 'List organizations by slug',
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }), cursor: Type.Optional(Type.String()) }),
        response: { 200: OrganizationPage, ...problems(400, 401) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const rows = await accounts.organizations(decodeTextCursor(cursor), limit + 1);
      const shown = rows.slice(0, limit);
      const next = rows.length > limit ? Buffer.from(shown.at(-1)!.slug).toString('base64url') : null;
      return { data: shown.map(toOrganization), next_cursor: next };
    },
  );

  app.get<{ Params: SlugParams }>(
    '/organizations/:slug',
    { schema: { summary: 'Retrieve an organization', params, response: { 200: OrganizationBody, ...problems(401, 404) } } },
    async (request) => toOrganization(await accounts.organization(request.params.slug)),
  );

  app.patch<{ Params: SlugParams; Body: Static<typeof UpdateOrganization> }>(
    '/organizations/:slug',
    {
      schema: {
        summary: 'Change name or plan',
        params,
        body: UpdateOrganization,
        response: { 200: OrganizationBody, ...problems(400, 401, 404) },
      },
    },
    async (request) => toOrganization(await accounts.updateOrganization(request.params.slug, request.body)),
  );

  app.post<{ Params: SlugParams; Body: Static<typeof ChangeCredits> }>(
    '/organizations/:slug/credits',
    {
      schema: { summary: 'Add or take credits', params, body: ChangeCredits, response: { 200: Credits, ...problems(400, 401, 402, 404) } },
    },
    async (request) => ({
      credits: await accounts.adjustCredits(request.params.slug, request.body.amount, request.body.reason ?? 'operator'),
    }),
  );
}

function toOrganization(organization: Organization) {
  return {
    id: organization.id,
    slug: organization.slug,
    name: organization.name,
    plan: organization.plan,
    credits: organization.credits,
    created_at: organization.createdAt,
    updated_at: organization.updatedAt,
  };
}
