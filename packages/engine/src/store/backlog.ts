import { plainArray } from './arrays.ts';
import type { Queryable } from './database.ts';

/** What some rows of the queue say. */
export interface BacklogStep {
  /** Deliveries that could be sent now: not of endpoints that are paused or switched off. */
  readonly due: number;
  /** Deliveries that wait: due ones, and retries whose time has not come. */
  readonly pending: number;
  /** Since when the oldest due one has been due; null when none is. */
  readonly oldest: Date | null;
}

/** Counts so many rows of the whole queue, by id after the one given. `last`: where the next step goes on; null at the end. */
export async function countQueue(
  db: Queryable,
  after: string,
  rows: number,
  now: Date,
): Promise<BacklogStep & { readonly looked: number; readonly last: string | null }> {
  const [row] = await db.query<BacklogStep & { readonly looked: number; readonly last: string | null }>({
    name: 'count-queue',
    text: `select coalesce(sum(looked), 0)::bigint as looked, max(last) as last, coalesce(sum(pending), 0)::bigint as pending,
                  coalesce(sum(due) filter (where can_be_sent), 0)::bigint as due, min(oldest) filter (where can_be_sent) as oldest
             from (select w.*, exists (select from endpoints e where e.id = w.endpoint_id and e.is_active and e.paused_at is null offset 0) as can_be_sent
                     from (select endpoint_id, count(*) as looked, max(id::text) as last, count(*) filter (where leased_by is null) as pending,
                                  count(*) filter (where leased_by is null and due_at <= $3) as due,
                                  min(due_at) filter (where leased_by is null and due_at <= $3) as oldest
                             from (select id, endpoint_id, due_at, leased_by from deliveries where id > $1 order by id limit $2) q
                            group by endpoint_id offset 0) w) s`,
    values: [after, rows, now],
  });
  return row!;
}

export interface EndpointBacklog extends BacklogStep {
  readonly endpointId: string;
  /** Of the pending ones, those that failed before. */
  readonly retries: number;
}

/** Counts what waits for these endpoints along the queue's index, of each so many at most. */
export async function countWaiting(db: Queryable, endpointIds: readonly string[], most: number, now: Date): Promise<EndpointBacklog[]> {
  return db.query<EndpointBacklog>({
    name: 'count-waiting',
    text: `select e.id as "endpointId", w.pending, w.retries, case when e.is_active and e.paused_at is null then w.due else 0 end as due,
                  case when e.is_active and e.paused_at is null then w.oldest end as oldest
             from unnest($1::uuid[]) as asked (id) join endpoints e on e.id = asked.id
            cross join lateral (
              select count(*) filter (where d.due_at <= $2) as due, count(*) as pending, count(*) filter (where d.attempt_count > 0) as retries,
                     min(d.due_at) filter (where d.due_at <= $2) as oldest
                from (select due_at, attempt_count from deliveries where endpoint_id = e.id and leased_by is null order by (attempt_count > 0), due_at limit $3) d
            ) w where w.pending > 0`,
    values: [plainArray(endpointIds), now, most],
  });
}

/** Endpoints of an organization in the order of their ids, after the one given. */
export async function listEndpointIds(db: Queryable, organizationId: string, after: string, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'list-endpoint-ids',
    text: 'select id from endpoints where organization_id = $1 and id > $2 order by id limit $3',
    values: [organizationId, after, limit],
  });
  return rows.map(({ id }) => id);
}
