import type { Static } from 'typebox';
import Type from 'typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Membership, SessionUser } from '../../accounts/store/sessions.ts';
import { SESSION_LIMITS } from '../../accounts/session-limits.ts';
import type { Context } from '../context.ts';
import { Problem } from '../operator/problems.ts';
import { problems } from '../operator/shared.ts';
import { Challenge, LinkInfo, LinkToken, Me, RedeemLink, SignedOut, SignIn, UpdateMe } from './schemas.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on routes of the panel once the session was found. */
    user: SessionUser;
    /** Set on routes of an organization: the user's place in it. */
    membership: Membership;
  }
}

/**
 * Where the public address is https, the prefix makes browsers keep the cookie from every other host and page: nobody can
 * set it from a neighboring subdomain or over http.
 */
const SECURE_COOKIE = '__Host-dialhook_session';
const PLAIN_COOKIE = 'dialhook_session';

/** Signing in and out; nobody has to be signed in for these. */
export function sessionRoutes(app: FastifyInstance, { accounts, publicUrl, sessions }: Context): void {
  app.post<{ Body: Static<typeof SignIn> }>(
    '/session',
    {
      schema: {
        summary: 'Sign in with e-mail and password',
        description: 'While many do, `proof_needed` asks for `proof`: `<challenge>:<number>`, see `GET /panel/session/challenge`.',
        body: SignIn,
        response: { 204: Type.Null(), ...problems(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      const { email, password, proof } = request.body;
      return begin(reply, await sessions.signIn(email, password, originOf(request, publicUrl()), proof));
    },
  );

  app.get(
    '/session/challenge',
    {
      schema: {
        summary: 'A challenge for signing in while many do',
        description:
          'Find a number so that the SHA-256 of `<challenge>:<number>` begins with `bits` zero bits. It is good once, for two minutes.',
        response: { 200: Challenge },
      },
    },
    async () => sessions.challenge(),
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
        description:
          'An invitation needs `joining`, unless somebody is signed in who joins; whoever has an account already gives its password there. Where somebody else is signed in, a link needs `replace`.',
        body: RedeemLink,
        response: { 204: Type.Null(), ...problems(400, 401, 403, 409, 410, 429) },
      },
    },
    async (request, reply) => {
      const { joining, replace = false, token } = request.body;
      return begin(reply, await sessions.redeem(token, originOf(request, publicUrl()), { joining, replaces: replace }));
    },
  );

  app.delete('/session', { schema: { summary: 'Sign out', response: { 204: Type.Null(), ...problems(403) } } }, async (request, reply) => {
    const cookie = cookieOf(request, publicUrl());
    if (cookie !== undefined) await sessions.signOut(cookie);
    return reply.header('set-cookie', cookieHeader('', 0)).code(204).send();
  });

  function begin(reply: FastifyReply, cookie: string): FastifyReply {
    return reply.header('set-cookie', cookieHeader(cookie, SESSION_LIMITS.sessionMs)).code(204).send();
  }

  function cookieHeader(value: string, ageMs: number): string {
    const place = isSecure(publicUrl()) ? `${SECURE_COOKIE}=${value}; Path=/; Secure` : `${PLAIN_COOKIE}=${value}; Path=/panel`;
    return `${place}; Max-Age=${Math.floor(ageMs / 1000)}; HttpOnly; SameSite=Strict`;
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
        description:
          'A new password ends every other session and every sign-in link. A new e-mail address is noted as `pending_email`, and counts when the link is opened that the operator sends there.',
        body: UpdateMe,
        response: { 204: Type.Null(), ...problems(400, 401, 403, 409, 429) },
      },
    },
    async (request, reply) => {
      const { current_password: currentPassword, ...change } = request.body;
      await sessions.changeUser(request.user, originOf(request, publicUrl()), { ...change, currentPassword });
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
      user: { id: user.userId, email: user.email, pending_email: user.pendingEmail, name: user.name, has_password: user.hasPassword },
      organizations: organizations.map(({ credits, name, plan, role, slug }) => ({ slug, name, plan, credits, role })),
      calls: config.simulator === null ? 'external' : 'simulator',
      allows_private_targets: config.allowPrivateTargets,
      public_url: publicUrl(),
    };
  }
}

/** Every change must come from a page of ours: browsers say where a request comes from, and cannot be made to lie. */
export function refuseForgery(request: FastifyRequest, { config, publicUrl }: Context): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const { origin } = request.headers;
  const own = new URL(publicUrl());
  if (origin === own.origin) return;
  // For trying out: the names that a browser on this machine may use for it.
  const port = request.socket.localPort;
  if (config.acceptsLocalNames && (origin === `http://localhost:${port}` || origin === `http://[::1]:${port}`)) return;
  throw new Problem('forged_origin', `The request does not come from a page at ${own.origin}, which is DIALHOOK_PUBLIC_URL.`);
}

export function cookieOf(request: FastifyRequest, publicUrl: string): string | undefined {
  const wanted = isSecure(publicUrl) ? SECURE_COOKIE : PLAIN_COOKIE;
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === wanted && value && /^[\w-]{20,100}$/.test(value)) return value;
  }
  return undefined;
}

function originOf(request: FastifyRequest, publicUrl: string) {
  return { address: request.ip, userAgent: request.headers['user-agent'] ?? '', cookie: cookieOf(request, publicUrl) };
}

function isSecure(publicUrl: string): boolean {
  return publicUrl.startsWith('https:');
}
