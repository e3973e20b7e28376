import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { otherMethod } from '../methods.ts';
import { callRoutes } from './calls.ts';
import { deliveryRoutes } from './deliveries.ts';
import { uncleanedDialRoutes } from './dials.ts';
import { endpointRoutes } from './endpoints.ts';
import { intakeRoutes } from './events.ts';
import { addIdempotency } from './idempotency.ts';
import { invitationRoutes } from './invitations.ts';
import { addMemberRoute, keyRoutes, memberRoutes } from './members.ts';
import { organizationRoutes } from './organizations.ts';
import { Problem, sendProblem } from './problems.ts';
import { replayRoutes } from './replays.ts';
import { signInLinkRoute } from './sign-in-links.ts';

/** The operator API under /operator/v1: for the company that runs Dialhook, and for the command line. */
export async function operatorSurface(app: FastifyInstance, context: Context): Promise<void> {
  const expected = digest(context.config.operatorToken);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(otherMethod(request, reply) ?? new Problem('not_found'), request, reply));
  app.addHook('onRequest', async (request) => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    // Digests are of one length, so that the comparison takes the same time for every guess.
    if (!timingSafeEqual(digest(token), expected)) throw new Problem('unauthorized');
  });
  addIdempotency(app, context);
  organizationRoutes(app, context);
  memberRoutes(app, context);
  addMemberRoute(app, context);
  keyRoutes(app, context);
  invitationRoutes(app, context);
  signInLinkRoute(app, context);
  endpointRoutes(app, context);
  intakeRoutes(app, context);
  deliveryRoutes(app, context);
  replayRoutes(app, context);
  uncleanedDialRoutes(app, context);
  callRoutes(app, context);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
