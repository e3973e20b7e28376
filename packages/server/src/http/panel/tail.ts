import Type from 'typebox';
import type { FastifyInstance } from 'fastify';
import { uuidFloor } from '@dialhook/engine';
import type { Context } from '../context.ts';
import { Problem } from '../operator/problems.ts';
import { problems, type SlugParams } from '../operator/shared.ts';

/** How often a tail looks for something new. */
const LOOK_INTERVAL_MS = 1_000;
/** Deliveries counted in one look: the reader sees "100 new" and reads them page by page. */
const MAX_NEW = 100;
/** Tails that a node keeps open, and for how long each: browsers come back by themselves. */
const MAX_TAILS = 200;
const TAIL_MS = 300_000;

/** What is new in the delivery log, as server-sent events. It tells that there is something, not what: rows do not move under the reader. */
export function tailRoutes(app: FastifyInstance, { clock, engine }: Context): void {
  const open = new Set<() => void>();
  // Before the server waits for its connections: these would never end by themselves.
  app.addHook('preClose', async () => {
    for (const end of open) end();
  });

  app.get<{ Params: SlugParams }>(
    '/organizations/:slug/deliveries/tail',
    {
      schema: {
        summary: 'Follow the delivery log',
        description: 'Server-sent events `new` with `{"count":3}`: so many deliveries were made since the last one.',
        params: Type.Object({ slug: Type.String() }),
        responseType: 'text/event-stream',
        response: { 200: Type.String({ examples: ['event: new\ndata: {"count":3}\n\n'] }), ...problems(401, 404, 503) },
      },
    },
    (request, reply) => {
      if (open.size >= MAX_TAILS) throw new Problem('inbox_full', 'Too many pages follow their deliveries');
      const { organizationId } = request.membership;
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
      raw.write(': following\n\n');
      let since = clock.now();
      let cancelNext = () => {};
      const look = async () => {
        const until = clock.now();
        try {
          const rows = await engine.deliveries({ organizationId, since, before: uuidFloor(until) }, MAX_NEW);
          since = until;
          if (!open.has(end)) return; // it ended meanwhile: a write now would be an error that nobody hears
          raw.write(rows.length > 0 ? `event: new\ndata: {"count":${rows.length}}\n\n` : ': nothing\n\n');
        } catch {
          if (open.has(end)) raw.write(': the database is away\n\n');
        }
        if (open.has(end)) cancelNext = clock.after(LOOK_INTERVAL_MS, () => void look());
      };
      const cancelEnd = clock.after(TAIL_MS, () => end());
      const end = () => {
        if (!open.delete(end)) return;
        cancelNext();
        cancelEnd();
        raw.end();
      };
      open.add(end);
      raw.on('close', end);
      raw.on('error', end);
      void look();
    },
  );
}
