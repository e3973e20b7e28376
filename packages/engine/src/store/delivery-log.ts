import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { plainArray } from './arrays.ts';
import type { Queryable } from './database.ts';
import { OPEN, type DeliveryFilter } from './deliveries.ts';

/**
 * A part of one place, newest first. Statements look for its lower end among the rows that they have read, and not in the
 * index: between two bounds the planner expects few rows, reads all of them and sorts.
 */
export interface LogRange {
  /** Only ids below this one. */
  readonly before: string;
  /** Only this id and those above it. */
  readonly from: string;
  /** Rows that are looked at, whether they match or not. */
  readonly rows: number;
}

/** What a step saw: as many rows as it was allowed, or, where there are fewer, all of them; some may be below the range. */
export interface LogStep {
  readonly looked: number;
  /** The last row that was looked at; null for none. */
  readonly last: string | null;
  /** Of the rows, those that match. */
  readonly ids: readonly string[];
}

/** Looks at what is in batches, newest first. All of them are read, a few thousand ids; few rows are looked up. */
export function lookAtBatches(db: Queryable, filter: DeliveryFilter, range: LogRange): Promise<LogStep> {
  const { endpointId = null, eventType = null, organizationId } = filter;
  return one(db, {
    name: 'look-at-batches',
    text: `select count(*) as looked, min(m.id::text) as last,
                  coalesce(array_agg(m.id) filter (where m.id >= $3 and m.is_open and ($6::text is null or m.type = $6)), '{}') as ids
             from (select m.id, ${OPEN} as is_open, (select type from events where id = m.event_id offset 0) as type
                     from (select m.id, m.event_id from batches b
                             cross join lateral unnest(b.delivery_ids, b.event_ids, b.endpoint_ids) as m (id, event_id, endpoint_id)
                            where m.id < $2 and m.endpoint_id in (select e.id from endpoints e where e.organization_id = $1)
                              and ($5::uuid is null or m.endpoint_id = $5)
                            order by m.id desc limit $4) m offset 0) m`,
    values: [organizationId, range.before, range.from, range.rows, endpointId, eventType],
  });
}

/** Conditions of the queue by what is asked for. */
const QUEUED = {
  undefined: '',
  pending: ' and leased_by is null',
  in_flight: ' and leased_by is not null',
  undelivered: ' and attempt_count > 0',
} as const;

/** Looks at the queue of all organizations, newest first: it is kept short, and one more index would cost every delivery. */
export function lookAtQueue(db: Queryable, filter: DeliveryFilter, range: LogRange): Promise<LogStep> {
  const { endpointId = null, eventType = null, organizationId, status } = filter;
  const asked = String(status) as keyof typeof QUEUED;
  return one(db, {
    name: `look-at-queue-${asked}`,
    text: `select count(*) as looked, min(d.id::text) as last,
                  coalesce(array_agg(d.id) filter (where id >= $3 and organization_id = $1 and ($5::uuid is null or endpoint_id = $5)
                    and ($6::text is null or event_type = $6)${QUEUED[asked]}), '{}') as ids
             from (select id, organization_id, endpoint_id, event_type, leased_by, attempt_count from deliveries
                    where id < $2 order by id desc limit $4) d`,
    values: [organizationId, range.before, range.from, range.rows, endpointId, eventType],
  });
}

/**
 * Looks at what the queue has of these endpoints, all in one, where that is little; null where it is more than so many rows.
 * Whatever other organizations have waiting costs nothing then. Both parts name the order of their index, so that the planner
 * uses it and stops where it may; what is leased has one of its own, by time.
 */
export async function lookAtShortQueue(
  db: Queryable,
  filter: DeliveryFilter,
  endpointIds: readonly string[],
  { before, from, rows: most }: LogRange,
): Promise<string[] | null> {
  const { eventType = null, organizationId, status } = filter;
  const asked = String(status) as keyof typeof QUEUED;
  const [row] = await db.query<{ waiting: number; leased: number; ids: string[] }>({
    name: `look-at-short-queue-${asked}`,
    text: `select count(*) filter (where leased_by is null) as waiting, count(*) filter (where leased_by is not null) as leased,
                  coalesce(array_agg(d.id) filter (where d.id < $2 and d.id >= $3 and organization_id = $1 and endpoint_id = any ($5::uuid[])
                    and ($6::text is null or event_type = $6)${QUEUED[asked]}), '{}') as ids
             from ((select w.* from unnest($5::uuid[]) as e (id) cross join lateral (
                      select id, organization_id, endpoint_id, event_type, leased_by, attempt_count from deliveries
                       where endpoint_id = e.id and leased_by is null order by (attempt_count > 0), due_at limit $4) w limit $4)
                   union all
                   (select id, organization_id, endpoint_id, event_type, leased_by, attempt_count from deliveries where leased_by is not null order by due_at limit $4)) d`,
    values: [organizationId, before, from, most, plainArray(endpointIds), eventType],
  });
  const { ids, leased, waiting } = row!;
  return waiting < most && leased < most ? ids : null;
}

/** Looks at what was given up, newest first: it has an index of its own. */
export function lookAtExhausted(db: Queryable, filter: DeliveryFilter, range: LogRange): Promise<LogStep> {
  const { endpointId = null, eventType = null, organizationId } = filter;
  return one(db, {
    name: 'look-at-exhausted',
    text: `select count(*) as looked, min(f.id::text) as last,
                  coalesce(array_agg(f.id) filter (where id >= $3 and ($5::uuid is null or endpoint_id = $5) and ($6::text is null or event_type = $6)), '{}') as ids
             from (select id, endpoint_id, event_type from finished_deliveries
                    where organization_id = $1 and status = 'exhausted' and id < $2 order by id desc limit $4) f`,
    values: [organizationId, range.before, range.from, range.rows, endpointId, eventType],
  });
}

async function one(db: Queryable, statement: { readonly name: string; readonly text: string; readonly values: readonly unknown[] }) {
  const [row] = await db.query<LogStep>(statement);
  return row!;
}

/** An endpoint of the history, and how far it was read. */
export interface HistoryStream {
  readonly endpointId: string;
  readonly before: string;
}

/**
 * Looks at the history of some endpoints, of each at so many rows of its newest, by the index on (organization, endpoint,
 * id). Gives a step for each where there is something.
 */
export async function lookAtHistory(
  db: Queryable,
  filter: Pick<DeliveryFilter, 'organizationId' | 'eventType' | 'status'>,
  streams: readonly HistoryStream[],
  { from, rows }: Pick<LogRange, 'from' | 'rows'>,
): Promise<Map<string, LogStep>> {
  const { eventType = null, organizationId, status = null } = filter;
  const steps = await db.query<LogStep & { readonly endpoint_id: string }>({
    name: 'look-at-history',
    text: `select s.endpoint_id, l.* from unnest($2::uuid[], $3::uuid[]) as s (endpoint_id, before)
            cross join lateral (
              select count(*) as looked, min(f.id::text) as last,
                     coalesce(array_agg(f.id) filter (where ($6::text is null or event_type = $6) and ($7::text is null or status = $7)), '{}') as ids
                from (select id, event_type, status from finished_deliveries
                       where organization_id = $1 and endpoint_id = s.endpoint_id and id < s.before and id >= $4
                       order by id desc limit $5) f
            ) l where l.looked > 0`,
    values: [
      organizationId,
      plainArray(streams.map(({ endpointId }) => endpointId)),
      plainArray(streams.map(({ before }) => before)),
      from,
      rows,
      eventType,
      status,
    ],
  });
  return new Map(steps.map(({ endpoint_id: id, ...step }) => [id, step]));
}

/** Endpoints that an organization has or had while the history goes back, in the order of their ids. */
export async function knownEndpoints(db: Queryable, organizationId: string): Promise<string[]> {
  const known: string[] = [];
  for (;;) {
    const some = await listKnownEndpoints(db, organizationId, known.at(-1) ?? FIRST_UUID, LIMITS.listedEndpointIds);
    known.push(...some);
    if (some.length < LIMITS.listedEndpointIds) return known;
  }
}

async function listKnownEndpoints(db: Queryable, organizationId: string, after: string, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'list-known-endpoints',
    text: `with recursive known as (
             (select endpoint_id as id, 1 as n from endpoint_versions where organization_id = $1 and endpoint_id > $2 order by endpoint_id limit 1)
             union all
             select next.endpoint_id, n + 1 from known k cross join lateral (
               select v.endpoint_id from endpoint_versions v where v.organization_id = $1 and v.endpoint_id > k.id order by v.endpoint_id limit 1) next
              where n < $3
           )
           select id from known order by n`,
    values: [organizationId, after, limit],
  });
  return rows.map(({ id }) => id);
}
