import type { LeasedDelivery } from '../../core/delivery.ts';
import { intArray, uuidArray } from '../binary-arrays.ts';
import type { Queryable } from '../database.ts';
import { COUNTED_ROWS, countSent, ruleValues, toRecorded } from './count.ts';
import { RESULT_ARRAYS, RESULT_COLUMNS, resultValues, type Recorded, type RecordedRow, type Result } from './result.ts';

const RECORD_QUEUED = `
  with result as materialized (
    select * from unnest(${RESULT_ARRAYS}, $12::int[], $13::uuid[]) as r (${RESULT_COLUMNS}, lease, archive_id)
  ), ended as (
    delete from deliveries d using result r
     where d.id = r.id and d.lease = r.lease and d.leased_by is not null and r.outcome in ('delivered', 'exhausted')
    returning r.archive_id, d.organization_id, d.endpoint_id, r.version, d.event_id, d.event_type, r.outcome, d.created_at, r.attempt,
              d.scheduled_at, coalesce(r.started_at, d.last_attempt_at) as started_at, r.duration_ms,
              case when r.started_at is null then d.last_response_status else r.status end as status,
              r.body, r.error, r.signature
  ), archived as (
    insert into finished_deliveries (id, organization_id, endpoint_id, endpoint_version, event_id, event_type, status, created_at, attempt_count,
      scheduled_at, last_attempt_at, last_duration_ms, last_response_status, last_response_body, last_error, signature, finished_at)
    select archive_id, organization_id, endpoint_id, version, event_id, event_type, outcome, created_at, attempt,
           scheduled_at, started_at, duration_ms, status, body, error, signature, $14 from ended
    on conflict do nothing
    returning endpoint_id, status = 'delivered' as delivered, last_attempt_at + last_duration_ms * interval '1 ms' as ended_at,
              coalesce(last_response_status = 410, false) as gone
  ), postponed as (
    update deliveries d
       set leased_by = null, due_at = r.due_at,
           attempt_count = case r.outcome when 'retry' then r.attempt else d.attempt_count end,
           scheduled_at = case r.outcome when 'retry' then r.due_at else d.scheduled_at end,
           last_attempt_at = case r.outcome when 'retry' then r.started_at else d.last_attempt_at end,
           last_response_status = case r.outcome when 'retry' then r.status else d.last_response_status end,
           last_error = case r.outcome when 'retry' then r.error else coalesce(r.error, d.last_error) end
      from result r
     where d.id = r.id and d.lease = r.lease and d.leased_by is not null and r.outcome in ('retry', 'released')
    returning d.id, d.organization_id, d.endpoint_id, r.outcome, r.attempt, r.version, r.started_at, r.duration_ms, r.status, r.body, r.error, r.signature
  ), logged as (
    insert into attempts (delivery_id, number, organization_id, endpoint_version, started_at, duration_ms, response_status, response_body, error, signature)
    select id, attempt, organization_id, version, started_at, duration_ms, status, body, error, signature from postponed where outcome = 'retry'
  ), sent as (
    select * from archived where ended_at is not null
    union all
    select endpoint_id, false, started_at + duration_ms * interval '1 ms', false from postponed where outcome = 'retry'
  ), ${countSent(['$15', '$16', '$17'], '$14')}
  ${COUNTED_ROWS}`;

/**
 * Writes results of deliveries that have rows in the queue, in one statement: finished ones move to the history, the others
 * get their next due time, attempts are logged. Rows whose lease is no longer the writer's do not match and are left alone.
 * `archiveIds` are the ids in the history: another than the delivery's own where the history of its day is gone.
 */
export async function recordQueued(
  db: Queryable,
  results: readonly Result[],
  archiveIds: readonly string[],
  now: number,
): Promise<Recorded> {
  const rows = await db.query<RecordedRow>({
    name: 'record-queued',
    text: RECORD_QUEUED,
    values: [
      ...resultValues(results),
      intArray(results.map((r) => r.delivery.lease)),
      uuidArray(archiveIds),
      new Date(now),
      ...ruleValues(results),
    ],
  });
  return toRecorded(rows, []);
}

/** Removes a delivery of this node from the queue, for good and without a line in the history: when nothing else can be stored. */
export async function dropDelivery(db: Queryable, { id, lease }: LeasedDelivery): Promise<void> {
  await db.query({ text: 'delete from deliveries where id = $1 and lease = $2 and leased_by is not null', values: [id, lease] });
}
