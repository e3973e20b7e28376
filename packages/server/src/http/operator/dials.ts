import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { decodeCursor, page } from '../cursor.ts';
import { CleanedAgain, UncleanedPage, UncleanedQuery } from './schemas.ts';
import { problems, type SlugParams } from './shared.ts';

/** Dials that could not be cleaned: kept until somebody has mended what was wrong. */
export function uncleanedDialRoutes(app: FastifyInstance, { accounts, dials }: Context): void {
  const params = Type.Object({ slug: Type.String() });
  const path = '/organizations/:slug/uncleaned-dials';

  app.get<{ Params: SlugParams; Querystring: Static<typeof UncleanedQuery> }>(
    path,
    {
      schema: {
        summary: 'List dials that could not be cleaned, newest first',
        params,
        querystring: UncleanedQuery,
        response: { 200: UncleanedPage, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const { id } = await accounts.organization(request.params.slug);
      const before = decodeCursor(cursor);
      const { next_cursor, rows } = page(await dials.uncleaned(id, before, limit + 1), limit);
      return { data: rows.map((dial) => ({ id: dial.id, raw: dial.raw, error: dial.error, failed_at: dial.failedAt })), next_cursor };
    },
  );

  app.post<{ Params: SlugParams }>(
    `${path}/clean`,
    { schema: { summary: 'Clean them again', params, response: { 202: CleanedAgain, ...problems(401, 404) } } },
    async (request, reply) => {
      const { id } = await accounts.organization(request.params.slug);
      return reply.code(202).send({ tried: await dials.cleanAgain(id) });
    },
  );
}
