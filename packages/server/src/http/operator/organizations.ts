import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid } from '@dialhook/engine';
import type { ApiKey, Member, Organization } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { Problem } from './problems.ts';
import {
  AddMember,
  ChangeCredits,
  CreateKey,
  CreateOrganization,
  Credits,
  KeyBody,
  KeyCreated,
  KeyList,
  MemberBody,
  MemberList,
  OrganizationBody,
  OrganizationPage,
  UpdateOrganization,
} from './schemas.ts';
import { problems, type SlugParams } from './shared.ts';

/** Organizations, their members, keys and credits. */
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
      const { cursor = '', limit } = request.query;
      const rows = await accounts.organizations(Buffer.from(cursor, 'base64url').toString('utf8'), limit + 1);
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

  app.get<{ Params: SlugParams }>(
    '/organizations/:slug/members',
    { schema: { summary: 'List members', params, response: { 200: MemberList, ...problems(401, 404) } } },
    async (request) => ({ data: (await accounts.members(request.params.slug)).map(toMember) }),
  );

  app.post<{ Params: SlugParams; Body: Static<typeof AddMember> }>(
    '/organizations/:slug/members',
    { schema: { summary: 'Add a member', params, body: AddMember, response: { 201: MemberBody, ...problems(400, 401, 404, 409) } } },
    async (request, reply) => reply.code(201).send(toMember(await accounts.addMember(request.params.slug, request.body))),
  );

  app.delete<{ Params: SlugParams & { readonly user_id: string } }>(
    '/organizations/:slug/members/:user_id',
    {
      schema: {
        summary: 'Remove a member and revoke their keys',
        params: Type.Object({ slug: Type.String(), user_id: Type.String() }),
        response: { 204: Type.Null(), ...problems(401, 404, 409) },
      },
    },
    async (request, reply) => {
      await accounts.removeMember(request.params.slug, request.params.user_id);
      return reply.code(204).send();
    },
  );

  app.post<{ Params: SlugParams; Body: Static<typeof CreateKey> }>(
    '/organizations/:slug/api-keys',
    {
      schema: {
        summary: 'Create an API key; it is shown once',
        params,
        body: CreateKey,
        response: { 201: KeyCreated, ...problems(400, 401, 404, 409) },
      },
    },
    async (request, reply) => {
      const { kind, name, user_id: userId, expires_at: expiresAt } = request.body;
      const expiry = expiresAt === undefined ? undefined : new Date(expiresAt);
      const { apiKey, key } = await accounts.createKey(request.params.slug, { kind, name, userId, expiresAt: expiry });
      return reply.code(201).send({ ...toKey(apiKey), key });
    },
  );

  app.get<{ Params: SlugParams }>(
    '/organizations/:slug/api-keys',
    { schema: { summary: 'List API keys', params, response: { 200: KeyList, ...problems(401, 404) } } },
    async (request) => ({ data: (await accounts.keys(request.params.slug)).map(toKey) }),
  );

  app.delete<{ Params: SlugParams & { readonly key_id: string } }>(
    '/organizations/:slug/api-keys/:key_id',
    {
      schema: {
        summary: 'Revoke an API key',
        params: Type.Object({ slug: Type.String(), key_id: Type.String() }),
        response: { 200: KeyBody, ...problems(401, 404) },
      },
    },
    async (request) => {
      if (!isUuid(request.params.key_id)) throw new Problem('not_found', 'The organization has no such key.');
      return toKey(await accounts.revokeKey(request.params.slug, request.params.key_id));
    },
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

function toMember(member: Member) {
  return { user_id: member.userId, email: member.email, name: member.name, role: member.role, created_at: member.createdAt };
}

function toKey(key: ApiKey) {
  return {
    id: key.id,
    kind: key.kind,
    name: key.name,
    prefix: key.prefix,
    user_id: key.userId,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
    created_at: key.createdAt,
  };
}
