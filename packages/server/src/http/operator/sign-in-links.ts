import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { signInUrl } from './invitations.ts';
import { SignInLink, SignInLinkCreated } from './schemas.ts';
import { problems, type SlugParams } from './shared.ts';

/** Links that sign a member in to the panel, once. */
export function signInLinkRoute(app: FastifyInstance, { accounts, publicUrl, sessions }: Context): void {
  app.post<{ Params: SlugParams; Body: Static<typeof SignInLink> }>(
    '/organizations/:slug/sign-in-links',
    {
      schema: {
        summary: 'Make a link that signs a member in to the panel, once; the first owner unless another is named',
        description:
          'With `confirm_email` the address that the member has asked for counts when the link is opened: send it to that address, which the answer names, and nowhere else.',
        params: Type.Object({ slug: Type.String() }),
        body: SignInLink,
        response: { 201: SignInLinkCreated, ...problems(400, 401, 404, 409) },
      },
    },
    async (request, reply) => {
      const { id } = await accounts.organization(request.params.slug);
      const { confirm_email: confirmsEmail, user_id: userId } = request.body;
      const { email, expiresAt, token } = await sessions.createLink(id, userId, confirmsEmail);
      return reply.code(201).send({ url: signInUrl(publicUrl(), token), expires_at: expiresAt, email });
    },
  );
}
