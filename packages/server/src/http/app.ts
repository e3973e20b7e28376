import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Logger } from 'pino';
import { uuidv7 } from '@dialhook/engine';
import { limitBodyTimes } from './body-times.ts';
import type { Context } from './context.ts';
import { dialnexaSurface } from './dialnexa/surface.ts';
import { sendBadAddress, sendNotFound } from './fallback.ts';
import { refuseUnfit, unifyParams } from './input.ts';
import { letLeave } from './leave.ts';
import { observeMethods } from './methods.ts';
import { OpenApi } from './openapi.ts';
import { operatorSurface } from './operator/surface.ts';
import { optimaldialSurface } from './optimaldial/surface.ts';
import { outboundiqSurface } from './outboundiq/surface.ts';
import { panelSurface } from './panel/surface.ts';
import { asUnavailable } from './unavailable.ts';
import { systemSurface } from './system/surface.ts';
import { validatorCompiler } from './validation.ts';

/** Bodies of ordinary calls; routes that need more say so. */
const BODY_LIMIT = 1024 * 1024;
/**
 * Characters of one parameter of a path: as many as Node takes for all of a request's head, so that an id of any length is
 * answered by its surface, which does not know it.
 */
const MAX_PARAM_LENGTH = 16_384;
/** For a client to send its headers. */
const HEADERS_TIMEOUT_MS = 10_000;
/** For a client to send a whole request: 100 MB over a slow line. Bodies that need not be as long have less (`body-times.ts`). */
const REQUEST_TIMEOUT_MS = 15 * 60_000;

/** Puts the surfaces together: each vendor in a scope of its own, so that no default of ours leaks into its wire shape. */
export async function createApp(context: Context, options: { readonly log: Logger; readonly version: string }): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    // Without one nobody's `X-Forwarded-For` counts: the address is that of the connection.
    trustProxy: context.config.trustedProxies.length > 0 ? [...context.config.trustedProxies] : false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (_error, request, reply) => sendBadAddress(request, reply),
    genReqId: () => uuidv7(context.clock.now()),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  });
  app.server.headersTimeout = HEADERS_TIMEOUT_MS;
  app.setValidatorCompiler(validatorCompiler as never);
  // Answers are checked against their schemas by a test, not reshaped by them at run time.
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));
  app.addHook(
    'onRequest',
    async (request, reply) => void reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' }),
  );
  app.addHook('onSend', keepToCaller);
  letLeave(app, context.clock);
  limitBodyTimes(app, context.clock);
  app.addHook('onResponse', async (request, reply) =>
    context.metrics.answered(request.method, request.routeOptions.url ?? 'unknown', reply.statusCode, reply.elapsedTime),
  );
  app.addHook('onRequest', async (request) => unifyParams(request));
  app.addHook('preValidation', async (request) => refuseUnfit(request));
  app.setNotFoundHandler((request, reply) => sendNotFound(request, reply));
  // For the routes of no surface; each surface has a form of its own.
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const unavailable = asUnavailable(error);
    if (unavailable !== null) return reply.code(503).header('retry-after', unavailable.retryAfter).send({ detail: unavailable.message });
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    return reply.code(status).send({ detail: status >= 500 ? 'Internal server error' : error.message });
  });

  // Many clients send `Content-Type: application/json` with every call, also with a DELETE that has no body.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '' && request.method === 'DELETE') done(null, undefined);
    else void parseJson(request, body as string, done);
  });

  observeMethods(app);
  const openApi = new OpenApi();
  openApi.observe(app);
  await app.register(systemSurface, { context, openApi, version: options.version });
  if (context.config.role !== 'worker') {
    await app.register(async (scope) => optimaldialSurface(scope, context), { prefix: '/api/v1' });
    await app.register(async (scope) => outboundiqSurface(scope, context));
    await app.register(async (scope) => dialnexaSurface(scope, context), { prefix: '/v1' });
    await app.register(async (scope) => panelSurface(scope, context), { prefix: '/panel' });
    await app.register(async (scope) => operatorSurface(scope, context), { prefix: '/operator/v1' });
  }
  return app;
}

/** Answers are for whoever asked: no cache keeps them; with a tag, the caller's own may ask whether they are still true. */
function keepToCaller(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', reply.hasHeader('etag') ? 'private, no-cache' : 'no-store');
  done(null, payload);
}
