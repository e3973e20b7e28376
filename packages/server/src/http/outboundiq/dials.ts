import type { Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { parseTime } from '../../dials/clean.ts';
import type { Context } from '../context.ts';
import { decodeCursor, page } from '../cursor.ts';
import { Refusal } from './errors.ts';
import { DialPage, DialQuery, DialQueued, ErrorBody, NewDial } from './schemas.ts';

/** The Dials API (contracts/outboundiq.md 2). */
export function dialRoutes(app: FastifyInstance, { clock, dials, engine }: Context): void {
  app.post<{ Body: Static<typeof NewDial> }>(
    '/dials',
    {
      schema: {
        summary: 'Post a dial',
        description: 'Answered when the dial is on disk. It is cleaned then, and sent to the company’s webhooks in a batch.',
        body: NewDial,
        response: { 200: DialQueued, 400: ErrorBody, 401: ErrorBody, 403: ErrorBody, 429: ErrorBody },
      },
    },
    async (request) => {
      const { body } = request;
      checkNumbers(body);
      checkTime(body.datetime);
      const dialId = body.dial_id?.trim() || null;
      await dials.intake.add(request.caller.organizationId, JSON.stringify(body), dialId);
      return { message: 'dial queued' };
    },
  );

  app.get<{ Querystring: Static<typeof DialQuery> }>(
    '/dials',
    {
      schema: {
        summary: 'List cleaned dials, to reconcile with what webhooks brought',
        description: 'In the order in which they were accepted; `next_cursor` goes on from there.',
        querystring: DialQuery,
        response: { 200: DialPage, 400: ErrorBody, 401: ErrorBody, 403: ErrorBody },
      },
    },
    async (request) => {
      const { cursor, limit, order, since, until } = request.query;
      const after = decodeCursor(cursor);
      const day = 86_400_000;
      const query = {
        since: since === undefined ? clock.now() - engine.retention.days * day : Date.parse(since),
        until: until === undefined ? clock.now() + day : Date.parse(until),
        newestFirst: order === 'newest',
        after,
        limit: limit + 1,
      };
      const { next_cursor, rows } = page(await dials.list(request.caller.organizationId, query), limit);
      return { success: true, dials: rows, next_cursor };
    },
  );
}

/** One of the two pairs must be whole (contracts/outboundiq.md 2, the clash of the pages). */
function checkNumbers(body: Static<typeof NewDial>): void {
  if (body.from_number !== undefined || body.to_number !== undefined) {
    if (body.from_number === undefined) throw new Refusal(400, 'from_number is required beside to_number');
    if (body.to_number === undefined) throw new Refusal(400, 'to_number is required beside from_number');
    return;
  }
  if (body.ani === undefined) throw new Refusal(400, 'ani is required (or from_number and to_number)');
  if (body.prospect_phone === undefined) throw new Refusal(400, 'prospect_phone is required (or from_number and to_number)');
}

function checkTime(datetime: string): void {
  try {
    parseTime(datetime);
  } catch (error) {
    throw new Refusal(400, (error as RangeError).message);
  }
}
