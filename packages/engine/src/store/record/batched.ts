import { textArray, uuidArray } from '../binary-arrays.ts';
import type { Queryable } from '../database.ts';
import { COUNTED_ROWS, countSent, ruleValues, toRecorded } from './count.ts';
import { RESULT_ARRAYS, RESULT_COLUMNS, resultValues, type Recorded, type RecordedRow, type Result } from './result.ts';

const recordBatchedText = (unknown: string) => `
  with result as materialized (
    select * from unnest(${RESULT_ARRAYS}, $12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[], $16::text[])
      as r (${RESULT_COLUMNS}, batch_id, organization_id, endpoint_id, event_id, event_type)
  ), closed as (
    delete from batches where id = any ($17::uuid[]) returning id, created_at
  ), kept as (
    select id, created_at from batches where id = any ($18::uuid[]) for key share
  ), held as materialized (
    select * from closed union all select * from kept
  ), fenced as materialized (
    select r.*, held.created_at from result r join held on held.id = r.batch_id ${unknown}
  ), archived as (
    insert into finished_deliveries (id, organization_id, endpoint_id, endpoint_version, event_id, event_type, status, created_at, attempt_count,
      scheduled_at, last_attempt_at, last_duration_ms, last_response_status, last_response_body, last_error, signature, finished_at)
    select id, organization_id, endpoint_id, version, event_id, event_type, outcome, created_at, attempt,
           created_at, started_at, duration_ms, status, body, error, signature, $19
      from fenced where outcome in ('delivered', 'exhausted')
    returning endpoint_id, status = 'delivered' as delivered, last_attempt_at + last_duration_ms * interval '1 ms' as ended_at,
              coalesce(last_response_status = 410, false) as gone
  ), queued as (
    insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, attempt_count, scheduled_at, due_at,
      last_attempt_at, last_response_status, last_error)
    select id, organization_id, endpoint_id, event_id, event_type, created_at, case outcome when 'retry' then attempt else attempt - 1 end,
           case outcome when 'retry' then due_at else created_at end, due_at, started_at, status, error
      from fenced where outcome in ('retry', 'released')
    returning id
  ), retried as materialized (
    select f.* from fenced f join queued q on q.id = f.id where f.outcome = 'retry'
  ), logged as (
    insert into attempts (delivery_id, number, organization_id, endpoint_version, started_at, duration_ms, response_status, response_body, error, signature)
    select id, attempt, organization_id, version, started_at, duration_ms, status, body, error, signature from retried
  ), sent as (
    select * from archived where ended_at is not null
    union all
    select endpoint_id, false, started_at + duration_ms * interval '1 ms', false from retried
  ), ${countSent(['$20', '$21', '$22'], '$19')}
  select id, 'held' as what from held union all ${COUNTED_ROWS}`;

const FIRST = recordBatchedText('');
/**
 * For results that an earlier try may have stored: wherever its delivery has gone since, there is a row in the queue or in the
 * history, or an attempt. Looking for each costs more, so it is not the rule.
 */
const AGAIN = recordBatchedText(`
  where not exists (select from deliveries where id = r.id offset 0)
    and not exists (select from finished_deliveries where id = r.id offset 0)
    and not exists (select from attempts where delivery_id = r.id offset 0)`);
/**
 * Writes results of batched deliveries in one statement: what is finished goes into the history, the rest into the queue.
 * Only results of batches that are still there are written: a node that took over has deleted them. `closing` are
 * the batches of which nothing is left with these results. `isRepeated`: the outcome of an earlier try is not known.
 */
export async function recordBatched(
  db: Queryable,
  results: readonly Result[],
  closing: ReadonlySet<string>,
  now: number,
  isRepeated = false,
): Promise<Recorded> {
  const batchIds = [...new Set(results.map((r) => r.delivery.batch!.id))];
  const rows = await db.query<RecordedRow>({
    name: isRepeated ? 'record-batched-again' : 'record-batched',
    text: isRepeated ? AGAIN : FIRST,
    values: [
      ...resultValues(results),
      uuidArray(results.map((r) => r.delivery.batch!.id)),
      uuidArray(results.map((r) => r.delivery.event.organizationId)),
      uuidArray(results.map((r) => r.delivery.endpointId)),
      uuidArray(results.map((r) => r.delivery.event.id)),
      textArray(results.map((r) => r.delivery.event.type)),
      uuidArray(batchIds.filter((id) => closing.has(id))),
      uuidArray(batchIds.filter((id) => !closing.has(id))),
      new Date(now),
      ...ruleValues(results),
    ],
  });
  return toRecorded(rows, batchIds);
}
