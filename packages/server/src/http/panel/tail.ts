import Type from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { problems, type SlugParams } from '../operator/shared.ts';
import { Tails } from './tails.ts';

/** What is new in the delivery log, as server-sent events. It tells that there is something, not what: rows do not move under the reader. */
export function tailRoutes(app: FastifyInstance, { clock, engine, sessions }: Context): void {
  const tails = new Tails(clock, engine, sessions);
  // Before the server waits for its connections: these would never end by themselves.
  app.addHook('preClose', async () => tails.endAll());

  app.get<{ Params: SlugParams }>(
    '/organizations/:slug/deliveries/tail',
    {
      schema: {
        summary: 'Follow the delivery log',
        description:
          'Server-sent events `new` with `{"count":3}`: so many deliveries were made since the last one. `replaced`: the session follows more pages than it may, and this one, the oldest, ends; it should not come back by itself.',
        params: Type.Object({ slug: Type.String() }),
        responseType: 'text/event-stream',
        response: { 200: Type.String({ examples: ['event: new\ndata: {"count":3}\n\n'] }), ...problems(401, 404, 503) },
      },
    },
    (request, reply) => {
      const follower = { organizationId: request.membership.organizationId, sessionId: request.user.sessionId };
      tails.admit(follower);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-accel-buffering': 'no',
      });
      raw.write(': following\n\n');
      tails.follow(follower, raw);
    },
  );
}
