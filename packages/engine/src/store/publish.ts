import { Batch } from '../core/batch.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import type { StoredEvent } from '../core/dialect.ts';
import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { plainArray, timeArray } from './arrays.ts';
import type { Queryable } from './database.ts';

export interface PublishOptions {
  readonly nodeId: string;
  readonly now: number;
  /** On the caller's monotonic clock. In the database leases run on the database's clock. */
  readonly monotonicNow: number;
  /** How many deliveries the node has room for; the rest is left pending for whoever has. */
  readonly room: number;
  /** Endpoints that have enough waiting on this node: their deliveries are left pending, as those of paused ones. */
  readonly fullEndpoints: readonly string[];
  /** Endpoints that failed lately on this node: their deliveries get rows of their own at once. */
  readonly failingEndpoints: readonly string[];
  /** Ids for the batches that the statement may make: one for each `LIMITS.batchDeliveries` of `room`. */
  readonly batchIds: readonly string[];
}

export interface Published {
  readonly deliveries: LeasedDelivery[];
  /** An organization has so many endpoints that the deliveries are still to be made, step by step. */
  readonly isFanningOut: boolean;
}

interface Row {
  id: string | null;
  event_id: string;
  endpoint_id: string;
  version: number;
  /** Which of the batch ids; 0 for a row in the queue. */
  batch: number;
}

/**
 * From the CTE `match` (event_id, organization_id, type, and the endpoint as `e`) to rows: deliveries of healthy endpoints
 * go into batches, those of rate-limited and failing ones into the queue with a lease of this node, and those that wait
 * (paused, full, no room, a node that counts as dead) into the queue as pending. Parameters: $1 node, $2 room, $3 full and
 * $4 failing endpoints, $5 batch ids, $6 now. `created` gives the time of a delivery's id.
 */
export const DELIVERIES_OF_MATCH = `
  target as materialized (
    select m.*, case when m.n > $2 or m.is_waiting or not exists (select from nodes where id = $1) then -1
                     when m.has_own_row then 0
                     else (m.n - 1) / ${LIMITS.batchDeliveries} + 1 end as batch
      from match m
  ), queued as (
    insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at, leased_by, lease)
    select id, organization_id, endpoint_id, event_id, type, $6, $6,
           case when batch = 0 then now() + ${LIMITS.leaseMs} * interval '1 ms' else $6 end, case when batch = 0 then $1::uuid end, batch + 1
      from target where batch <= 0
  ), batched as (
    insert into batches (id, node_id, ends_at, created_at, delivery_ids, event_ids, endpoint_ids)
    select ($5::uuid[])[batch], $1, now() + ${LIMITS.leaseMs} * interval '1 ms', $6, array_agg(id), array_agg(event_id), array_agg(endpoint_id)
      from target where batch > 0 group by batch
  )`;

/** Columns of the CTE `match`, from an event `i` and an endpoint `e`. The delivery's id takes the time of `i.id_time`. */
export const MATCH_COLUMNS = `
  (left(i.id_time, 15) || right(gen_random_uuid()::text, 21))::uuid as id, i.id as event_id, i.organization_id, i.type,
  e.id as endpoint_id, e.version, (row_number() over ())::int as n, e.paused_at is not null or e.id = any ($3::uuid[]) as is_waiting,
  e.rate_limit is not null or e.id = any ($4::uuid[])
    or coalesce(e.last_failure_at > coalesce(e.last_success_at, '-infinity'), false) as has_own_row`;

const PUBLISH = `
  with input as materialized (
    select *, id::text as id_time from unnest($7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::timestamptz[])
      as i (id, organization_id, type, data, occurred_at)
  ), stored as (
    insert into events (id, organization_id, type, data, occurred_at)
    select id, organization_id, type, data, occurred_at from input
  ), wide as materialized (
    select o.organization_id from (select distinct organization_id from input) o
     where (select count(*) from (select from endpoints where organization_id = o.organization_id limit ${LIMITS.fanOutStep + 1}) e) > ${LIMITS.fanOutStep}
  ), postponed as (
    insert into fan_outs (organization_id, event_id, event_type, created_at, after_endpoint)
    select organization_id, id, type, $6, '${FIRST_UUID}' from input where organization_id in (select organization_id from wide)
  ), match as materialized (
    select ${MATCH_COLUMNS}
      from input i
      join endpoints e on e.organization_id = i.organization_id
       and e.is_active and (e.events is null or i.type = any (e.events))
     where i.organization_id not in (select organization_id from wide)
  ), ${DELIVERIES_OF_MATCH}
  select id, event_id, endpoint_id, version, batch from target where batch >= 0
  union all
  (select null, null, null, null, null from wide limit 1)`;

/**
 * Stores events and one delivery for each active endpoint that subscribes, in one statement: with the caller's
 * transaction they commit together or not at all. What this node has room for comes back to be sent. Delivery ids take
 * the event's time, so both land in the same day's partitions.
 */
export async function publishEvents(db: Queryable, events: readonly StoredEvent[], options: PublishOptions): Promise<Published> {
  const rows = await db.query<Row>({
    name: 'publish-events',
    text: PUBLISH,
    values: [
      ...placementValues(options),
      plainArray(events.map((event) => event.id)),
      plainArray(events.map((event) => event.organizationId)),
      events.map((event) => event.type),
      events.map((event) => event.data),
      timeArray(events.map((event) => event.occurredAt)),
    ],
  });
  const byId = new Map(events.map((event) => [event.id, event]));
  return toPublished(rows, (eventId) => byId.get(eventId)!, options); // the rows were made from these very events
}

/** $1 to $6 of `DELIVERIES_OF_MATCH`. */
export function placementValues(options: PublishOptions): unknown[] {
  const { batchIds, failingEndpoints, fullEndpoints, nodeId, now, room } = options;
  return [nodeId, room, plainArray(fullEndpoints), plainArray(failingEndpoints), plainArray(batchIds), new Date(now)];
}

export function toPublished(rows: readonly Row[], eventOf: (id: string) => StoredEvent, options: PublishOptions): Published {
  const batches = new Map<number, Batch>();
  const deliveries: LeasedDelivery[] = [];
  let isFanningOut = false;
  const leaseEndsAt = options.monotonicNow + LIMITS.leaseMs;
  for (const row of rows) {
    if (row.id === null) {
      isFanningOut = true;
      continue;
    }
    let batch: Batch | null = null;
    if (row.batch > 0) {
      batch = batches.get(row.batch) ?? new Batch(options.batchIds[row.batch - 1]!, options.now, options.monotonicNow);
      batches.set(row.batch, batch);
    }
    const delivery: LeasedDelivery = {
      id: row.id,
      endpointId: row.endpoint_id,
      endpointVersion: row.version,
      event: eventOf(row.event_id),
      batch,
      lease: 1,
      leaseEndsAt,
      attempt: 1,
    };
    batch?.add(delivery);
    deliveries.push(delivery);
  }
  return { deliveries, isFanningOut };
}
