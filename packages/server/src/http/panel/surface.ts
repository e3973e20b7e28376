import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { KeyKind } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { callRoutes } from '../dialnexa/calls.ts';
import { campaignLeadRoutes } from '../dialnexa/campaign-leads.ts';
import { campaignRoutes } from '../dialnexa/campaigns.ts';
import { workflowGraphRoutes } from '../dialnexa/workflow-graph.ts';
import { workflowRoutes } from '../dialnexa/workflows.ts';
import { otherMethod } from '../methods.ts';
import { deliveryRoutes } from '../operator/deliveries.ts';
import { uncleanedDialRoutes } from '../operator/dials.ts';
import { endpointRoutes } from '../operator/endpoints.ts';
import { invitationRoutes } from '../operator/invitations.ts';
import { keyRoutes, memberRoutes } from '../operator/members.ts';
import { Problem } from '../operator/problems.ts';
import { replayRoutes } from '../operator/replays.ts';
import { customRoutes } from '../outboundiq/custom.ts';
import { dialRoutes } from '../outboundiq/dials.ts';
import { listRoutes } from './lists.ts';
import { overviewRoutes } from './overview.ts';
import { needsOwner } from './permissions.ts';
import { sendPanelProblem } from './problems.ts';
import { cookieOf, meRoutes, refuseForgery, sessionRoutes } from './session.ts';
import { tailRoutes } from './tail.ts';

const ORGANIZATION = '/panel/organizations/:slug';

/**
 * The panel's API under /panel: sessions instead of keys, and otherwise the routes of the other surfaces, for the
 * organizations that the user is a member of. One hook decides who may do what.
 */
export async function panelSurface(app: FastifyInstance, context: Context): Promise<void> {
  app.setErrorHandler(sendPanelProblem);
  app.setNotFoundHandler((request, reply) => sendPanelProblem(otherMethod(request, reply) ?? new Problem('not_found'), request, reply));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    refuseForgery(request, context);
  });
  sessionRoutes(app, context);
  await app.register(async (signedIn) => {
    signedIn.addHook('onRequest', async (request) => authenticate(request, context));
    meRoutes(signedIn, context);
    await signedIn.register(async (inside) => organizationScope(inside, context));
  });
}

async function authenticate(request: FastifyRequest, { publicUrl, sessions }: Context): Promise<void> {
  const cookie = cookieOf(request, publicUrl());
  const user = cookie === undefined ? null : await sessions.find(cookie);
  if (user === null) throw new Problem('unauthenticated');
  request.user = user;
}

async function organizationScope(app: FastifyInstance, context: Context): Promise<void> {
  app.addHook('onRequest', async (request) => {
    const { slug } = request.params as { readonly slug: string };
    const membership = await context.sessions.membership(request.user.userId, slug);
    // The same answer whether it does not exist or is somebody else's.
    if (membership === null) throw new Problem('not_found', 'You are in no such organization.');
    const path = (request.routeOptions.url ?? '').slice(ORGANIZATION.length);
    if (membership.role !== 'owner' && needsOwner(request.method, path)) throw new Problem('owners_only');
    request.membership = membership;
  });
  memberRoutes(app, context);
  invitationRoutes(app, context);
  keyRoutes(app, context);
  endpointRoutes(app, context);
  deliveryRoutes(app, context);
  replayRoutes(app, context);
  uncleanedDialRoutes(app, context);
  overviewRoutes(app, context);
  tailRoutes(app, context);
  listRoutes(app, context);
  await asCaller(app, 'dialnexa', (scope) => {
    callRoutes(scope, context);
    campaignRoutes(scope, context);
    campaignLeadRoutes(scope, context);
    workflowRoutes(scope, context);
    workflowGraphRoutes(scope, context);
  });
  await asCaller(app, 'outboundiq', (scope) => {
    dialRoutes(scope, context);
    customRoutes(scope, context);
  });
}

/** A vendor's routes below the organization, called by the user instead of a key. */
async function asCaller(app: FastifyInstance, kind: KeyKind, add: (scope: FastifyInstance) => void): Promise<void> {
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', async (request) => {
        const { organizationId, plan } = request.membership;
        request.caller = { keyId: request.user.sessionId, userId: request.user.userId, organizationId, plan, kind };
      });
      add(scope);
    },
    { prefix: `/organizations/:slug/${kind}` },
  );
}
