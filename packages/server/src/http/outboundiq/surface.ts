import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../../accounts/model.ts';
import { SESSION_LIMITS } from '../../accounts/session-limits.ts';
import type { Context } from '../context.ts';
import { customRoutes } from './custom.ts';
import { dialRoutes } from './dials.ts';
import { sendError, unauthorized, wrongKind } from './errors.ts';

/** Keys that are remembered at once, a few hundred bytes each. */
const MAX_CALLERS = 10_000;

/** The outboundIQ API at the root, in a scope of its own: its errors and its keys. */
export async function outboundiqSurface(app: FastifyInstance, context: Context): Promise<void> {
  const callers = new Map<string, { readonly caller: Caller; readonly until: number }>();
  app.setErrorHandler(sendError);
  app.addHook('onRequest', async (request) => {
    request.caller = await authenticate(request);
  });
  dialRoutes(app, context);
  customRoutes(app, context);

  async function authenticate(request: FastifyRequest): Promise<Caller> {
    const key = /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
    if (key === undefined) throw unauthorized();
    const now = context.clock.monotonic();
    const known = callers.get(key);
    if (known !== undefined && known.until > now) return known.caller;
    const caller = await context.accounts.caller(key);
    if (caller === null) throw unauthorized();
    if (caller.kind !== 'outboundiq') throw wrongKind();
    if (callers.size >= MAX_CALLERS) callers.clear();
    callers.set(key, { caller, until: now + SESSION_LIMITS.keyTrustMs });
    return caller;
  }
}
