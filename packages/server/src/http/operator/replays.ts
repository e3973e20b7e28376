import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isUuid, LIMITS, type Replay, type ReplayFilter } from '@dialhook/engine';
import type { Context } from '../context.ts';
import { Problem } from './problems.ts';
import { ReplayBody, ReplayCount, ReplayList, ReplayRequest } from './schemas.ts';
import { problems, type SlugParams } from './shared.ts';

type Params = SlugParams & { readonly replay_id: string };

/** Sending many deliveries once more: counted first, then done as a job. */
export function replayRoutes(app: FastifyInstance, { accounts, clock, engine }: Context): void {
  const slugParams = Type.Object({ slug: Type.String() });
  const params = Type.Object({ slug: Type.String(), replay_id: Type.String() });
  const path = '/organizations/:slug/replays';

  app.post<{ Params: SlugParams; Body: Static<typeof ReplayRequest> }>(
    `${path}/count`,
    {
      schema: {
        summary: 'Count what a replay would send',
        description: `Counted up to ${LIMITS.replayDeliveries}; then \`at_least\` is true.`,
        params: slugParams,
        body: ReplayRequest,
        response: { 200: ReplayCount, ...problems(400, 401, 404) },
      },
    },
    async (request) => {
      const count = await engine.replays.count(await filterOf(request.params.slug, request.body));
      return { count, at_least: count === LIMITS.replayDeliveries };
    },
  );

  app.post<{ Params: SlugParams; Body: Static<typeof ReplayRequest> }>(
    path,
    {
      schema: {
        summary: 'Send finished deliveries once more, as a job',
        description: 'Each becomes a new delivery of the same event to the same endpoint, as far as both still exist.',
        params: slugParams,
        body: ReplayRequest,
        response: { 202: ReplayBody, ...problems(400, 401, 404, 409) },
      },
    },
    async (request, reply) => reply.code(202).send(toReplay(await engine.replays.start(await filterOf(request.params.slug, request.body)))),
  );

  app.get<{ Params: SlugParams }>(
    path,
    { schema: { summary: 'List replays, newest first', params: slugParams, response: { 200: ReplayList, ...problems(401, 404) } } },
    async (request) => {
      const { id } = await accounts.organization(request.params.slug);
      return { data: (await engine.replays.list(id)).map(toReplay) };
    },
  );

  app.get<{ Params: Params }>(
    `${path}/:replay_id`,
    { schema: { summary: 'Retrieve a replay with its progress', params, response: { 200: ReplayBody, ...problems(401, 404) } } },
    async (request) => {
      const { id } = await accounts.organization(request.params.slug);
      return toReplay(found(await engine.replays.find(id, replayId(request.params))));
    },
  );

  app.post<{ Params: Params }>(
    `${path}/:replay_id/cancel`,
    {
      schema: {
        summary: 'Stop a replay; what it has put into the queue is sent',
        params,
        response: { 200: ReplayBody, ...problems(401, 404) },
      },
    },
    async (request) => {
      const { id } = await accounts.organization(request.params.slug);
      return toReplay(found(await engine.replays.cancel(id, replayId(request.params))));
    },
  );

  async function filterOf(slug: string, body: Static<typeof ReplayRequest>): Promise<ReplayFilter> {
    const { id: organizationId } = await accounts.organization(slug);
    return {
      organizationId,
      since: Date.parse(body.since),
      until: body.until === undefined ? clock.now() : Date.parse(body.until),
      endpointId: body.endpoint,
      eventType: body.event_type,
      deliveryStatus: body.status as ReplayFilter['deliveryStatus'],
    };
  }
}

function replayId({ replay_id: id }: Params): string {
  if (!isUuid(id)) throw notFound();
  return id;
}

function found(replay: Replay | null): Replay {
  if (replay === null) throw notFound();
  return replay;
}

function notFound(): Problem {
  return new Problem('not_found', 'The organization has no such replay.');
}

function toReplay(replay: Replay) {
  return {
    id: replay.id,
    status: replay.status,
    total: replay.total,
    replayed: replay.replayed,
    skipped: replay.skipped,
    created_at: replay.createdAt,
    finished_at: replay.finishedAt,
  };
}
