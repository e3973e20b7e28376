import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { problems, type SlugParams } from '../operator/shared.ts';
import { InvitationList, Invite, LinkCreated } from './schemas.ts';

/** Invitations; members themselves are listed and removed by the operator's routes. */
export function invitationRoutes(app: FastifyInstance, { publicUrl, sessions }: Context): void {
  const params = Type.Object({ slug: Type.String() });
  const path = '/organizations/:slug/invitations';

  app.get<{ Params: SlugParams }>(
    path,
    { schema: { summary: 'List open invitations', params, response: { 200: InvitationList, ...problems(401, 404) } } },
    async ({ membership }) => {
      const open = await sessions.invitations(membership.organizationId);
      return { data: open.map(({ createdAt, email, expiresAt, role }) => ({ email, role, created_at: createdAt, expires_at: expiresAt })) };
    },
  );

  app.post<{ Params: SlugParams; Body: Static<typeof Invite> }>(
    path,
    {
      schema: {
        summary: 'Invite somebody by a link, which is shown once',
        params,
        body: Invite,
        response: { 201: LinkCreated, ...problems(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const { email = null, role } = request.body;
      const { expiresAt, token } = await sessions.invite(request.membership.organizationId, role, email);
      return reply.code(201).send({ url: signInUrl(publicUrl(), token), expires_at: expiresAt });
    },
  );
}

/** The token stands after the `#`, which browsers do not send. */
export function signInUrl(publicUrl: string, token: string): string {
  return `${publicUrl}/sign-in#${token}`;
}
