import type { Static } from 'typebox';
import Type from 'typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Membership, SessionUser } from '../../accounts/store/sessions.ts';
import { SESSION_LIMITS } from '../../accounts/session-limits.ts';
import type { Context } from '../context.ts';
import { Problem } from '../operator/problems.ts';
import { problems } from '../operator/shared.ts';
import { LinkInfo, LinkToken, Me, RedeemLink, SignedOut, SignIn, UpdateMe } from './schemas.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on routes of the panel once the session was found. */
    user: SessionUser;
    /** Set on routes of an organization: the user's place in it. */
    membership: Membership;
  }
}

const COOKIE = 'dialhook_session';

/** Signing in and out; nobody has to be signed in for these. */
export function sessionRoutes(app: FastifyInstance, { accounts, publicUrl, sessions }: Context): void {
  app.post<{ Body: Static<typeof SignIn> }>(
    '/session',
    {
      schema: {
        summary: 'Sign in with e-mail and password',
        body: SignIn,
        response: { 204: Type.Null(), ...problems(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      const { email, password } = request.body;
      return begin(reply, await sessions.signIn(email, password, originOf(request)));
    },
  );

  // A POST: the token must not be in an address that proxies log and browsers remember.
  app.post<{ Body: Static<typeof LinkToken> }>(
    '/links/look',
    { schema: { summary: 'What a sign-in link is for', body: LinkToken, response: { 200: LinkInfo, ...problems(400, 403, 410) } } },
    async (request) => {
      const link = await sessions.link(request.body.token);
      if (link === null) throw new Problem('link_expired');
      const name = link.organizationId === null ? null : await accounts.organizationName(link.organizationId);
      return { purpose: link.userId === null ? 'invitation' : 'sign_in', organization: name, role: link.role, email: link.email };
    },
  );

  app.post<{ Body: Static<typeof RedeemLink> }>(
    '/links/redeem',
    {
      schema: {
        summary: 'Sign in with a link, once',
        description: 'An invitation needs `joining`, unless somebody is signed in who joins.',
        body: RedeemLink,
        response: { 204: Type.Null(), ...problems(400, 403, 409, 410) },
      },
    },
    async (request, reply) => {
      const { joining, token } = request.body;
      const cookie = cookieOf(request);
      const user = cookie === undefined ? null : await sessions.find(cookie);
      const who = joining ?? (user === null ? null : { userId: user.userId });
      return begin(reply, await sessions.redeem(token, originOf(request), who));
    },
  );

  app.delete('/session', { schema: { summary: 'Sign out', response: { 204: Type.Null(), ...problems(403) } } }, async (request, reply) => {
    const cookie = cookieOf(request);
    if (cookie !== undefined) await sessions.signOut(cookie);
    return reply.header('set-cookie', `${COOKIE}=; Path=/panel; Max-Age=0; HttpOnly; SameSite=Strict`).code(204).send();
  });

  function begin(reply: FastifyReply, cookie: string): FastifyReply {
    const secure = publicUrl().startsWith('https:') ? '; Secure' : '';
    const age = Math.floor(SESSION_LIMITS.sessionMs / 1000);
    return reply
      .header('set-cookie', `${COOKIE}=${cookie}; Path=/panel; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`)
      .code(204)
      .send();
  }
}

/** Who is signed in, and what they may change of themselves. */
export function meRoutes(app: FastifyInstance, { config, publicUrl, sessions }: Context): void {
  app.get('/me', { schema: { summary: 'Who is signed in', response: { 200: Me, ...problems(401) } } }, async ({ user }) => toMe(user));

  app.patch<{ Body: Static<typeof UpdateMe> }>(
    '/me',
    {
      schema: {
        summary: 'Change name, e-mail or password',
        description: 'A new password ends every other session.',
        body: UpdateMe,
        response: { 204: Type.Null(), ...problems(400, 401, 403, 409) },
      },
    },
    async (request, reply) => {
      const { current_password: currentPassword, ...change } = request.body;
      await sessions.changeUser(request.user, { ...change, currentPassword });
      return reply.code(204).send();
    },
  );

  app.delete(
    '/sessions',
    { schema: { summary: 'Sign out everywhere', response: { 200: SignedOut, ...problems(401, 403) } } },
    async (request) => ({ sessions: await sessions.signOutEverywhere(request.user.userId) }),
  );

  async function toMe(user: SessionUser) {
    const organizations = await sessions.memberships(user.userId);
    return {
      user: { id: user.userId, email: user.email, name: user.name, has_password: user.hasPassword },
      organizations: organizations.map(({ credits, name, plan, role, slug }) => ({ slug, name, plan, credits, role })),
      calls: config.simulator === null ? 'external' : 'simulator',
      allows_private_targets: config.allowPrivateTargets,
      public_url: publicUrl(),
    };
  }
}

/** Every change must come from a page of ours: browsers say where a request comes from, and cannot be made to lie. */
export function refuseForgery(request: FastifyRequest, publicUrl: string): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const origin = request.headers.origin;
  const own = origin !== undefined && (origin === new URL(publicUrl).origin || URL.parse(origin)?.host === request.headers.host);
  if (!own) throw new Problem('forged_origin');
}

export function cookieOf(request: FastifyRequest): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === COOKIE && value && /^[\w-]{20,100}$/.test(value)) return value;
  }
  return undefined;
}

function originOf(request: FastifyRequest) {
  return { address: request.ip, userAgent: request.headers['user-agent'] ?? '' };
}
