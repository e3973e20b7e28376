import { byteArray, intArray, textArray, timeArray, uuidArray } from '../binary-arrays.ts';
import type { Queryable } from '../database.ts';
import { FRESH } from './count.ts';
import type { Result } from './result.ts';

const RECORD_DELIVERED = `
  with held as materialized (
    select id from batches where id = any ($1::uuid[]) for update
  ), fence as materialized (
    select count(*) = cardinality($1::uuid[]) as holds from held
  ), closed as (
    delete from batches where id = any ($2::uuid[]) and (select holds from fence)
  ), archived as (
    insert into finished_deliveries (id, organization_id, endpoint_id, endpoint_version, event_id, event_type, status, created_at, attempt_count,
      scheduled_at, last_attempt_at, last_duration_ms, last_response_status, last_response_body, signature, finished_at)
    select id, organization_id, endpoint_id, version, event_id, event_type, 'delivered', created_at, 1,
           created_at, started_at, duration_ms, status, body, signature, $14
      from (select unnest($3::uuid[]) as id, unnest($4::uuid[]) as organization_id, unnest($5::uuid[]) as endpoint_id, unnest($6::int[]) as version,
                   unnest($7::uuid[]) as event_id, unnest($8::text[]) as event_type, unnest($9::timestamptz[]) as created_at,
                   unnest($10::timestamptz[]) as started_at, unnest($11::int[]) as duration_ms, unnest($12::int[]) as status,
                   unnest($13::text[]) as body, unnest($15::bytea[]) as signature
             where (select holds from fence)) r
  ), stale as materialized (
    select e.id, s.at from unnest($16::uuid[], $17::timestamptz[]) as s (id, at) join endpoints e on e.id = s.id
     where (select holds from fence)
       and (e.consecutive_failures > 0 or e.last_success_at is null or e.last_success_at < s.at - ${FRESH} or e.last_failure_at >= e.last_success_at)
     order by e.id for no key update of e
  ), counted as (
    update endpoints e set last_success_at = greatest(e.last_success_at, stale.at), consecutive_failures = 0
      from stale where e.id = stale.id
  )
  select id from held`;

/**
 * Writes results of batched deliveries that all succeeded, to endpoints none of which failed meanwhile: nearly all there are.
 * Either all are written, or, when some of their batches are no longer this node's, none. `closing` are the batches of which
 * nothing is left with these results. Gives the batches that are lost.
 */
export async function recordDelivered(
  db: Queryable,
  results: readonly Result[],
  closing: ReadonlySet<string>,
  now: number,
): Promise<readonly string[]> {
  const batchIds = new Set<string>();
  /** When each endpoint answered last. */
  const successes = new Map<string, number>();
  for (const { delivery, durationMs, startedAt } of results) {
    batchIds.add(delivery.batch!.id);
    const endedAt = startedAt! + durationMs!;
    if (endedAt > (successes.get(delivery.endpointId) ?? 0)) successes.set(delivery.endpointId, endedAt);
  }
  const held = await db.query<{ id: string }>({
    name: 'record-delivered',
    text: RECORD_DELIVERED,
    values: [
      uuidArray([...batchIds]),
      uuidArray([...batchIds].filter((id) => closing.has(id))),
      uuidArray(results.map((r) => r.delivery.id)),
      uuidArray(results.map((r) => r.delivery.event.organizationId)),
      uuidArray(results.map((r) => r.delivery.endpointId)),
      intArray(results.map((r) => r.endpointVersion)),
      uuidArray(results.map((r) => r.delivery.event.id)),
      textArray(results.map((r) => r.delivery.event.type)),
      timeArray(results.map((r) => r.delivery.batch!.createdAt)),
      timeArray(results.map((r) => r.startedAt)),
      intArray(results.map((r) => r.durationMs)),
      intArray(results.map((r) => r.status)),
      textArray(results.map((r) => r.responseBody)),
      new Date(now),
      byteArray(results.map((r) => r.signature)),
      uuidArray([...successes.keys()]),
      timeArray([...successes.values()]),
    ],
  });
  for (const { id } of held) batchIds.delete(id);
  return [...batchIds];
}
