import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid } from '@dialhook/engine';
import type { Context } from '../context.ts';
import { Problem } from './problems.ts';
import { InvitationList, Invite, LinkCreated } from './schemas.ts';
import { actorOf, problems, type SlugParams } from './shared.ts';

type InvitationParams = SlugParams & { readonly invitation_id: string };

/** Invitations to an organization, made by its owners or by the operator. */
export function invitationRoutes(app: FastifyInstance, { accounts, invitations, publicUrl }: Context): void {
  const params = Type.Object({ slug: Type.String() });
  const invitationParams = Type.Object({ slug: Type.String(), invitation_id: Type.String() });
  const path = '/organizations/:slug/invitations';

  app.get<{ Params: SlugParams }>(
    path,
    { schema: { summary: 'List open invitations', params, response: { 200: InvitationList, ...problems(401, 404) } } },
    async (request) => {
      const { id } = await accounts.organization(request.params.slug);
      const open = await invitations.list(id);
      return {
        data: open.map((one) => ({
          id: one.id,
          email: one.email,
          role: one.role,
          made_by: one.madeBy,
          created_at: one.createdAt,
          expires_at: one.expiresAt,
        })),
      };
    },
  );

  app.post<{ Params: SlugParams; Body: Static<typeof Invite> }>(
    path,
    {
      schema: {
        summary: 'Invite somebody by a link, which is shown once',
        description:
          'The link is for this e-mail address alone, and replaces an open one for it. It ends when its maker is no owner any more.',
        params,
        body: Invite,
        response: { 201: LinkCreated, ...problems(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const { email, role } = request.body;
      const { id } = await accounts.organization(request.params.slug);
      const { expiresAt, token } = await invitations.create(actorOf(request), id, role, email);
      return reply.code(201).send({ url: signInUrl(publicUrl(), token), expires_at: expiresAt });
    },
  );

  app.post<{ Params: InvitationParams }>(
    `${path}/:invitation_id/resend`,
    {
      schema: {
        summary: 'Make a new link for an open invitation; the old one ends',
        params: invitationParams,
        response: { 200: LinkCreated, ...problems(401, 403, 404) },
      },
    },
    async (request) => {
      const { id } = await accounts.organization(request.params.slug);
      const { expiresAt, token } = await invitations.resend(actorOf(request), id, known(request.params.invitation_id));
      return { url: signInUrl(publicUrl(), token), expires_at: expiresAt };
    },
  );

  app.delete<{ Params: InvitationParams }>(
    `${path}/:invitation_id`,
    {
      schema: {
        summary: 'Revoke an open invitation',
        params: invitationParams,
        response: { 204: Type.Null(), ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { id } = await accounts.organization(request.params.slug);
      await invitations.revoke(actorOf(request), id, known(request.params.invitation_id));
      return reply.code(204).send();
    },
  );
}

/** The token stands after the `#`, which browsers do not send. */
export function signInUrl(publicUrl: string, token: string): string {
  return `${publicUrl}/sign-in#${token}`;
}

function known(id: string): string {
  if (!isUuid(id)) throw new Problem('not_found', 'The organization has no such open invitation.');
  return id;
}
