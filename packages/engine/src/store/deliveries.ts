import type { Delivery, DeliveryStatus } from '../core/delivery.ts';
import { plainArray } from './arrays.ts';
import type { Queryable } from './database.ts';

export interface DeliveryFilter {
  readonly organizationId: string;
  readonly endpointId?: string | undefined;
  /** A state, or `undelivered`: exhausted, or failed and still to be retried. */
  readonly status?: DeliveryStatus | 'undelivered' | undefined;
  readonly eventType?: string | undefined;
  /** Only deliveries older than this id. */
  readonly before?: string | undefined;
  /** Only deliveries made in this time, Unix milliseconds; `until` itself is not in it. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

interface Row {
  id: string;
  organization_id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: DeliveryStatus;
  created_at: Date;
  attempt_count: number;
  scheduled_at: Date;
  last_attempt_at: Date | null;
  last_response_status: number | null;
  last_error: string | null;
  finished_at: Date | null;
  last_duration_ms: number | null;
  last_response_body: string | null;
}

/** The places of a delivery in one shape: a batch while it is sent at once, the queue while it waits, the history in the end. */
const QUEUE = `select id, organization_id, endpoint_id, event_id, event_type,
  case when leased_by is null then 'pending' else 'in_flight' end as status, created_at,
  attempt_count + (leased_by is not null)::int as attempt_count, scheduled_at, last_attempt_at, last_response_status, last_error,
  null::timestamptz as finished_at, null::int as last_duration_ms, null::text as last_response_body from deliveries`;
const HISTORY = `select id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count, scheduled_at, last_attempt_at,
  last_response_status, last_error, finished_at, last_duration_ms, last_response_body from finished_deliveries`;
const BATCHED = `select m.id, v.organization_id, m.endpoint_id, m.event_id, v.type as event_type, 'in_flight' as status, m.created_at,
  1 as attempt_count, m.created_at as scheduled_at, null::timestamptz as last_attempt_at, null::int as last_response_status, null::text as last_error,
  null::timestamptz as finished_at, null::int as last_duration_ms, null::text as last_response_body`;
/** A delivery of a batch that is neither recorded nor taken out of it. One look-up each, see `loadEvents`. */
export const OPEN = `not exists (select from deliveries d where d.id = m.id offset 0) and not exists (select from finished_deliveries f where f.id = m.id offset 0)`;

export interface LoggedAttempt {
  readonly number: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly responseStatus: number | null;
  readonly responseBody: string | null;
  readonly error: string | null;
}

/**
 * Deliveries of an organization by id, newest first, as they are now: one look-up for each in each place. Those that are gone
 * are missing. `withBatches`: also where they are sent for the first time; who has seen an id elsewhere need not look there.
 */
export async function loadDeliveries(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
  withBatches: boolean,
): Promise<Delivery[]> {
  const batched = `union all
    ${BATCHED} from (
      select u.id, u.event_id, u.endpoint_id, b.created_at from batches b
       cross join lateral unnest(b.delivery_ids, b.event_ids, b.endpoint_ids) as u (id, event_id, endpoint_id)
       where u.id = any ($2::uuid[])
    ) m cross join lateral (select organization_id, type from events where id = m.event_id offset 0) v
    where v.organization_id = $1 and ${OPEN}`;
  const rows = await db.query<Row>({
    name: withBatches ? 'load-deliveries-with-batches' : 'load-deliveries',
    text: `select f.* from unnest($2::uuid[]) as w (id) cross join lateral (${HISTORY} where id = w.id and organization_id = $1 offset 0) f
           union all
           select d.* from unnest($2::uuid[]) as w (id) cross join lateral (${QUEUE} where id = w.id and organization_id = $1 offset 0) d
           ${withBatches ? batched : ''}
           order by id desc`,
    values: [organizationId, plainArray(ids)],
  });
  return rows.map(toDelivery);
}

/** One delivery with its attempts, oldest first; null when the organization has no such delivery. */
export async function findDelivery(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<{ delivery: Delivery; attempts: LoggedAttempt[] } | null> {
  const [row] = await db.query<Row>({
    text: `${HISTORY} where organization_id = $1 and id = $2
           union all ${QUEUE} where organization_id = $1 and id = $2
           union all
           ${BATCHED} from (
             select $2::uuid as id, u.event_id, u.endpoint_id, b.created_at from batches b
              cross join lateral unnest(b.delivery_ids, b.event_ids, b.endpoint_ids) as u (id, event_id, endpoint_id)
              where $2 = any (b.delivery_ids) and u.id = $2
           ) m cross join lateral (select organization_id, type from events where id = m.event_id offset 0) v
           where v.organization_id = $1 and ${OPEN}
           limit 1`, // the first that has it: the others are not looked at
    values: [organizationId, id],
  });
  if (!row) return null;
  const earlier = await db.query<AttemptRow>({
    text: 'select number, started_at, duration_ms, response_status, response_body, error from attempts where delivery_id = $1 order by number',
    values: [id],
  });
  return { delivery: toDelivery(row), attempts: [...earlier, ...lastAttempt(row)].map(toAttempt) };
}

interface AttemptRow {
  number: number;
  started_at: Date;
  duration_ms: number;
  response_status: number | null;
  response_body: string | null;
  error: string | null;
}

/** The attempt that a finished delivery holds itself; none when it ended without one. */
function lastAttempt(row: Row): AttemptRow[] {
  if (row.last_duration_ms === null || row.last_attempt_at === null) return [];
  return [
    {
      number: row.attempt_count,
      started_at: row.last_attempt_at,
      duration_ms: row.last_duration_ms,
      response_status: row.last_response_status,
      response_body: row.last_response_body,
      error: row.last_error,
    },
  ];
}

function toAttempt(row: AttemptRow): LoggedAttempt {
  return {
    number: row.number,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    responseStatus: row.response_status,
    responseBody: row.response_body,
    error: row.error,
  };
}

function toDelivery(row: Row): Delivery {
  return {
    id: row.id,
    organizationId: row.organization_id,
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    eventType: row.event_type,
    status: row.status,
    createdAt: row.created_at,
    attemptCount: row.attempt_count,
    scheduledAt: row.scheduled_at,
    lastAttemptAt: row.last_attempt_at,
    lastResponseStatus: row.last_response_status,
    lastError: row.last_error,
    finishedAt: row.finished_at,
  };
}
