import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { otherMethod } from '../methods.ts';
import { notFound, rateLimited, sendError, unauthorized } from './errors.ts';
import { uploadRoutes } from './uploads.ts';
import { webhookRoutes } from './webhooks.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every vendor surface before a handler runs. */
    caller: Caller;
  }
}

/** contracts/optimaldial.md 4: reads are not limited. */
const WRITES = new Set(['POST', 'PATCH', 'DELETE']);

/** The OptimalDial API under /api/v1, in a scope of its own: its errors and its keys. */
export async function optimaldialSurface(app: FastifyInstance, context: Context): Promise<void> {
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => sendError(otherMethod(request, reply) ?? notFound('Route'), request, reply));
  app.addHook('onRequest', async (request) => {
    request.caller = await authenticate(request, context);
    if (!WRITES.has(request.method)) return;
    const hit = await context.writeLimits.take(request.caller);
    if (hit !== null) throw rateLimited(hit);
  });
  webhookRoutes(app, context);
  uploadRoutes(app, context);
}

async function authenticate(request: FastifyRequest, { accounts }: Context): Promise<Caller> {
  const key = /^Bearer (od_live_[\w-]{1,100})$/i.exec(request.headers.authorization ?? '')?.[1];
  const caller = key === undefined ? null : await accounts.caller(key);
  if (caller?.kind !== 'optimaldial') throw unauthorized();
  return caller;
}
