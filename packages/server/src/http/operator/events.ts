import type { Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { LIMITS, type NewEvent as EngineEvent } from '@dialhook/engine';
import { recordContacts } from '../../lists/contact-history.ts';
import type { Context } from '../context.ts';
import { Problem } from './problems.ts';
import { ContactHistory, ContactHistoryAdded, EventsPublished, PublishEvents, type NewEvent } from './schemas.ts';
import { problems } from './shared.ts';

/** A thousand events of ordinary size; larger ones are sent in smaller arrays. */
const EVENTS_BODY_BYTES = 16 * 1024 * 1024;
/** Slugs whose ids are remembered. They never change, so entries never go stale. */
const REMEMBERED_SLUGS = 50_000;

/** What goes in through the operator: events to deliver, and what is known of numbers. */
export function intakeRoutes(app: FastifyInstance, { accounts, database, engine }: Context): void {
  const idBySlug = new Map<string, string>();

  app.post<{ Body: Static<typeof PublishEvents> }>(
    '/events',
    {
      bodyLimit: EVENTS_BODY_BYTES,
      schema: {
        summary: 'Publish events',
        description: 'Answers after the commit: what got a 202 is delivered at least once to every endpoint that subscribes.',
        body: PublishEvents,
        response: { 202: EventsPublished, ...problems(400, 401, 404) },
      },
    },
    async (request, reply) => {
      const many = Array.isArray(request.body);
      const events = (many ? request.body : [request.body]) as Static<typeof NewEvent>[];
      await remember(events);
      const ids = await engine.submit(events.map((event, index) => toEvent(event, many ? `${index}.` : '')));
      return reply.code(202).send(many ? { ids } : { id: ids[0] });
    },
  );

  app.post<{ Body: Static<typeof ContactHistory> }>(
    '/contact-history',
    {
      bodyLimit: EVENTS_BODY_BYTES,
      schema: {
        summary: 'Add to the contact history of numbers',
        description: 'What lists are classified by. `refused` holds the positions of entries whose number is not a US or Canadian one.',
        body: ContactHistory,
        response: { 200: ContactHistoryAdded, ...problems(400, 401) },
      },
    },
    async (request) => {
      const { entries } = request.body;
      const wrong = entries.findIndex(({ contacts, dials }) => contacts > dials);
      if (wrong !== -1)
        throw new Problem('invalid_request', `entries.${wrong}.contacts must be at most its dials`, `entries.${wrong}.contacts`);
      const refused = await recordContacts(database, entries);
      return { added: entries.length - refused.length, refused };
    },
  );

  async function remember(events: readonly Static<typeof NewEvent>[]): Promise<void> {
    const unknown = [...new Set(events.map(({ organization }) => organization))].filter((slug) => !idBySlug.has(slug));
    if (unknown.length === 0) return;
    const found = await accounts.organizationIds(unknown);
    for (const [slug, id] of found) {
      if (idBySlug.size >= REMEMBERED_SLUGS) idBySlug.clear();
      idBySlug.set(slug, id);
    }
    const missing = unknown.find((slug) => !found.has(slug));
    if (missing !== undefined) throw new Problem('not_found', `There is no organization with the slug ${missing}.`);
  }

  function toEvent(event: Static<typeof NewEvent>, path: string): EngineEvent {
    const data = JSON.stringify(event.data);
    if (data === undefined) throw new Problem('invalid_request', `${path}data is required`, `${path}data`);
    if (Buffer.byteLength(data) > LIMITS.eventDataBytes) {
      throw new Problem('invalid_request', `${path}data may have at most ${LIMITS.eventDataBytes} bytes`, `${path}data`);
    }
    return { organizationId: idBySlug.get(event.organization)!, type: event.type, data };
  }
}
