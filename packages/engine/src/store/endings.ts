import { uuidFloor } from '../core/ids.ts';
import type { Queryable } from './database.ts';

export type EndReason = 'endpoint_deleted' | 'endpoint_disabled';

/**
 * Endpoints with waiting deliveries that will never be sent: the endpoint is deleted, or switched off in one of the dialects
 * that keep nothing. Walks the distinct endpoints of the queue by index, so it costs as many steps as there are endpoints
 * with work.
 */
export async function findEnded(
  db: Queryable,
  droppingDialects: readonly string[],
  limit: number,
): Promise<{ endpointId: string; reason: EndReason }[]> {
  const rows = await db.query<{ endpoint_id: string; reason: EndReason }>({
    name: 'find-ended',
    text: `with recursive live as (
             (select endpoint_id from deliveries where leased_by is null order by endpoint_id limit 1)
             union all
             select (select d.endpoint_id from deliveries d where d.leased_by is null and d.endpoint_id > l.endpoint_id
                      order by d.endpoint_id limit 1)
               from live l where l.endpoint_id is not null
           )
           select l.endpoint_id, case when e.id is null then 'endpoint_deleted' else 'endpoint_disabled' end as reason
             from live l left join endpoints e on e.id = l.endpoint_id
            where l.endpoint_id is not null and (e.id is null or (not e.is_active and e.dialect = any ($1::text[])))
            limit $2`,
    values: [droppingDialects, limit],
  });
  return rows.map((row) => ({ endpointId: row.endpoint_id, reason: row.reason }));
}

export interface Ending {
  readonly endpointId: string;
  readonly reason: EndReason;
  /** Unix milliseconds. */
  readonly now: number;
  /** What was made before this time is kept under a new id: the history of its own day is gone. */
  readonly floorMs: number;
}

/** Moves so many waiting deliveries of an endpoint to the history, as given up. Gives how many there were. */
export async function endWaiting(db: Queryable, { endpointId, floorMs, now, reason }: Ending, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'end-waiting',
    text: `with ended as (
             delete from deliveries where id in (
               select id from deliveries where endpoint_id = $1 and leased_by is null limit $5 for update skip locked)
             returning *
           )
           insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at,
             attempt_count, scheduled_at, last_attempt_at, last_response_status, last_error, finished_at)
           select case when id >= $4 then id else (left($6, 13) || '-7' || right(gen_random_uuid()::text, 21))::uuid end,
             organization_id, endpoint_id, event_id, event_type, 'exhausted', created_at,
             attempt_count, scheduled_at, last_attempt_at, last_response_status, $3, $2 from ended
           returning 1`,
    values: [endpointId, new Date(now), reason, uuidFloor(floorMs), limit, uuidFloor(now)],
  });
  return rows.length;
}

/** When the oldest day of the history begins, Unix milliseconds; 0 when there is none. */
export async function oldestHistory(db: Queryable): Promise<number> {
  const [row] = await db.query<{ day: string | null }>({
    name: 'oldest-history',
    text: `select min(right(c.relname, 8)) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'finished_deliveries'::regclass`,
  });
  const day = row?.day ?? null;
  return day === null ? 0 : Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}`);
}
