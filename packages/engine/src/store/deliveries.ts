import type { Delivery, DeliveryStatus } from '../core/delivery.ts';
import { uuidFloor } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
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
const OPEN = `not exists (select from deliveries d where d.id = m.id offset 0) and not exists (select from finished_deliveries f where f.id = m.id offset 0)`;

/** The delivery log, newest first. Filters become conditions only when set, so that each shape gets its own plan. */
export async function listDeliveries(db: Queryable, filter: DeliveryFilter, limit: number): Promise<Delivery[]> {
  const values: unknown[] = [filter.organizationId, limit];
  const conditions = ['organization_id = $1'];
  const where = (condition: string, value: unknown) => conditions.push(`${condition} $${values.push(value)}`);
  if (filter.eventType !== undefined) where('event_type =', filter.eventType);
  if (filter.before !== undefined) where('id <', filter.before);
  if (filter.since !== undefined) where('id >=', uuidFloor(filter.since));
  if (filter.until !== undefined) where('id <', uuidFloor(filter.until));
  const common = conditions.join(' and ');
  const newest = `order by id desc limit $2`;
  const endpoint = filter.endpointId === undefined ? '' : ` and endpoint_id = $${values.push(filter.endpointId)}`;
  const unfinished = `(${QUEUE} where ${common}${endpoint}${queueStatus(filter.status)} ${newest})`;
  const batched = `(${listBatched(common, endpoint)})`;
  const finished = `(${history(common, endpoint, filter.status)} ${newest})`;
  const parts = partsOf(filter.status);
  const listed = `select * from (${parts.join(' union all ')}) d ${newest}`;
  const rows = await db.query<Row>({ text: listed, values });
  return rows.map(toDelivery);

  function partsOf(status: DeliveryFilter['status']): string[] {
    if (status === undefined) return [unfinished, batched, finished];
    if (status === 'undelivered') return [unfinished, finished];
    if (status === 'in_flight') return [unfinished, batched];
    return [status === 'pending' ? unfinished : finished];
  }
}

/** The members of the organization's endpoints, newest first, and of those the ones that are open: few are looked up. */
function listBatched(common: string, endpoint: string): string {
  return `${BATCHED} from (
      select m.id, m.event_id, m.endpoint_id, b.created_at from batches b
       cross join lateral unnest(b.delivery_ids, b.event_ids, b.endpoint_ids) as m (id, event_id, endpoint_id)
       where m.endpoint_id in (select e.id from endpoints e where e.organization_id = $1)
       order by m.id desc offset 0
    ) m cross join lateral (select organization_id, type from events where id = m.event_id offset 0) v
    where ${OPEN} and exists (select from (select m.id, v.organization_id, m.endpoint_id, v.type as event_type) x where ${common}${endpoint})
    limit $2`;
}

function queueStatus(status: DeliveryFilter['status']): string {
  if (status === undefined) return '';
  if (status === 'undelivered') return ' and attempt_count > 0';
  return ` and leased_by is ${status === 'pending' ? '' : 'not '}null`;
}

/**
 * The history by the index on (organization, endpoint, id): of one endpoint directly, of all as a merge of the newest of
 * each, whose ids a loose index scan finds. What is exhausted has a small index of its own.
 */
function history(common: string, endpoint: string, wanted: DeliveryFilter['status']): string {
  const status = wanted === 'undelivered' ? 'exhausted' : wanted;
  const state = status === undefined ? '' : ` and status = '${status}'`;
  if (endpoint !== '' || status === 'exhausted') return `${HISTORY} where ${common}${endpoint}${state}`;
  return `with recursive target as (
      (select endpoint_id from finished_deliveries where organization_id = $1 order by endpoint_id limit 1)
      union all
      select (select f.endpoint_id from finished_deliveries f where f.organization_id = $1 and f.endpoint_id > t.endpoint_id
               order by f.endpoint_id limit 1)
        from target t where t.endpoint_id is not null
    )
    select newest.* from target cross join lateral (
      ${HISTORY} where ${common}${state} and endpoint_id = target.endpoint_id order by id desc limit $2
    ) newest`;
}

export interface Backlog {
  /** Deliveries that could be sent now. */
  readonly due: number;
  /** Deliveries that wait: due ones, and retries whose time has not come. */
  readonly pending: number;
  /** How long the oldest due one has been due; 0 when none is. */
  readonly oldestDueMs: number;
}

/** Counts what waits. Deliveries of endpoints that are paused or switched off are pending and not due. */
export async function measureBacklog(db: Queryable, now: Date): Promise<Backlog> {
  const [row] = await db.query<{ due: number; pending: number; oldest: Date | null }>({
    name: 'measure-backlog',
    text: `select count(*) filter (where d.due_at <= $1 and e.is_active and e.paused_at is null) as due, count(*) as pending,
                  min(d.due_at) filter (where e.is_active and e.paused_at is null) as oldest
             from deliveries d left join endpoints e on e.id = d.endpoint_id where d.leased_by is null`,
    values: [now],
  });
  const { due, oldest, pending } = row!;
  return { due, pending, oldestDueMs: oldest === null ? 0 : Math.max(0, now.getTime() - oldest.getTime()) };
}

export interface OrganizationBacklog extends Backlog {
  /** Of the pending ones, those that failed before. */
  readonly retries: number;
}

/** Counts what waits of one organization, endpoint by endpoint along the queue's index, and of each so many at most. */
export async function measureOrganization(db: Queryable, organizationId: string, now: Date): Promise<OrganizationBacklog> {
  const [row] = await db.query<{ due: number; pending: number; retries: number; oldest: Date | null }>({
    name: 'measure-organization',
    text: `select coalesce(sum(w.due) filter (where e.is_active and e.paused_at is null), 0)::bigint as due,
                  coalesce(sum(w.pending), 0)::bigint as pending, coalesce(sum(w.retries), 0)::bigint as retries,
                  min(w.oldest) filter (where e.is_active and e.paused_at is null) as oldest
             from endpoints e
             cross join lateral (
               select count(*) filter (where d.due_at <= $2) as due, count(*) as pending, count(*) filter (where d.attempt_count > 0) as retries,
                      min(d.due_at) filter (where d.due_at <= $2) as oldest
                 from (select due_at, attempt_count from deliveries where endpoint_id = e.id and leased_by is null limit $3) d
             ) w
            where e.organization_id = $1`,
    values: [organizationId, now, LIMITS.countedDeliveries],
  });
  const { due, oldest, pending, retries } = row!;
  return { due, pending, retries, oldestDueMs: oldest === null ? 0 : Math.max(0, now.getTime() - oldest.getTime()) };
}

export interface LoggedAttempt {
  readonly number: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly responseStatus: number | null;
  readonly responseBody: string | null;
  readonly error: string | null;
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
