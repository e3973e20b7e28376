import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../../accounts/model.ts';
import type { Context } from '../context.ts';
import { otherMethod } from '../methods.ts';
import { thoroughCompiler } from '../validation.ts';
import { callRoutes } from './calls.ts';
import { campaignLeadRoutes } from './campaign-leads.ts';
import { campaignRoutes } from './campaigns.ts';
import { notFound, Refusal, sendError, unauthorized } from './errors.ts';
import { RateLimit } from './rate-limit.ts';
import { webhookRoutes } from './webhooks.ts';
import { workflowGraphRoutes } from './workflow-graph.ts';
import { workflowRoutes } from './workflows.ts';

/** The DialNexa API under /v1, in a scope of its own: its errors, its keys, its rate limit. */
export async function dialnexaSurface(app: FastifyInstance, context: Context): Promise<void> {
  const rates = new RateLimit(context.database, context.clock);
  app.setValidatorCompiler(thoroughCompiler as never);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => sendError(otherMethod(request, reply) ?? notFound('Route'), request, reply));
  app.addHook('onRequest', async (request, reply) => {
    request.caller = await authenticate(request, context);
    if (context.config.simulator !== null) reply.header('x-dialhook-calls', 'simulated');
    const { isExceeded, limit, remaining, reset } = await rates.take(request.caller.keyId);
    reply.headers({ 'x-ratelimit-limit': limit, 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset });
    if (!isExceeded) return;
    reply.header('retry-after', Math.max(1, reset - Math.floor(context.clock.now() / 1000)));
    throw new Refusal(429, 'Too Many Requests');
  });
  webhookRoutes(app, context);
  callRoutes(app, context);
  campaignRoutes(app, context);
  campaignLeadRoutes(app, context);
  workflowRoutes(app, context);
  workflowGraphRoutes(app, context);
}

async function authenticate(request: FastifyRequest, { accounts }: Context): Promise<Caller> {
  const key = /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
  const caller = key === undefined ? null : await accounts.caller(key);
  if (caller?.kind !== 'dialnexa') throw unauthorized();
  return caller;
}
