import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid } from '@dialhook/engine';
import type { ApiKey, Member } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { Problem } from './problems.ts';
import { AddMember, ChangeRole, CreateKey, KeyBody, KeyCreated, KeyList, MemberBody, MemberList } from './schemas.ts';
import { actorOf, problems, type SlugParams } from './shared.ts';

/** Members of an organization. */
export function memberRoutes(app: FastifyInstance, { accounts }: Context): void {
  const params = Type.Object({ slug: Type.String() });

  app.get<{ Params: SlugParams }>(
    '/organizations/:slug/members',
    { schema: { summary: 'List members', params, response: { 200: MemberList, ...problems(401, 404) } } },
    async (request) => ({ data: (await accounts.members(request.params.slug)).map(toMember) }),
  );

  app.delete<{ Params: SlugParams & { readonly user_id: string } }>(
    '/organizations/:slug/members/:user_id',
    {
      schema: {
        summary: 'Remove a member and revoke their keys',
        params: Type.Object({ slug: Type.String(), user_id: Type.String() }),
        description: 'Invitations that they made end too.',
        response: { 204: Type.Null(), ...problems(401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      await accounts.removeMember(actorOf(request), request.params.slug, request.params.user_id);
      return reply.code(204).send();
    },
  );

  app.patch<{ Params: SlugParams & { readonly user_id: string }; Body: Static<typeof ChangeRole> }>(
    '/organizations/:slug/members/:user_id',
    {
      schema: {
        summary: 'Make an owner of a member, or a member of an owner',
        description: 'Keys and invitations of somebody who is no owner any more end at once.',
        params: Type.Object({ slug: Type.String(), user_id: Type.String() }),
        body: ChangeRole,
        response: { 200: MemberBody, ...problems(400, 401, 403, 404, 409) },
      },
    },
    async (request) => {
      const { slug, user_id: userId } = request.params;
      return toMember(await accounts.changeRole(actorOf(request), slug, userId, request.body.role));
    },
  );
}

/** For the operator alone: others invite, so that whoever joins chooses the password. */
export function addMemberRoute(app: FastifyInstance, { accounts }: Context): void {
  const params = Type.Object({ slug: Type.String() });

  app.post<{ Params: SlugParams; Body: Static<typeof AddMember> }>(
    '/organizations/:slug/members',
    { schema: { summary: 'Add a member', params, body: AddMember, response: { 201: MemberBody, ...problems(400, 401, 404, 409) } } },
    async (request, reply) => reply.code(201).send(toMember(await accounts.addMember(request.params.slug, request.body))),
  );
}

/** API keys. In the panel a new one is whose request it is; the operator names somebody. */
export function keyRoutes(app: FastifyInstance, { accounts }: Context): void {
  const params = Type.Object({ slug: Type.String() });

  app.post<{ Params: SlugParams; Body: Static<typeof CreateKey> }>(
    '/organizations/:slug/api-keys',
    {
      schema: {
        summary: 'Create an API key; it is shown once',
        params,
        body: CreateKey,
        response: { 201: KeyCreated, ...problems(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const { kind, name, user_id: named, expires_at: expiresAt } = request.body;
      const actor = actorOf(request);
      const userId = actor ?? named;
      const expiry = expiresAt === undefined ? undefined : new Date(expiresAt);
      const { apiKey, key } = await accounts.createKey(actor, request.params.slug, { kind, name, userId, expiresAt: expiry });
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
        response: { 200: KeyBody, ...problems(401, 403, 404) },
      },
    },
    async (request) => {
      if (!isUuid(request.params.key_id)) throw new Problem('not_found', 'The organization has no such key.');
      return toKey(await accounts.revokeKey(actorOf(request), request.params.slug, request.params.key_id));
    },
  );
}

function toMember(member: Member) {
  return {
    user_id: member.userId,
    email: member.email,
    pending_email: member.pendingEmail,
    name: member.name,
    role: member.role,
    created_at: member.createdAt,
  };
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
