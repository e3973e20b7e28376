import { Batch } from '../core/batch.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import type { StoredEvent } from '../core/dialect.ts';
import { FIRST_UUID, uuidTime } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { newIdArray, textArray, timeArray, uuidArray } from './binary-arrays.ts';
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
  /** How many deliveries this may make: ids are made for so many beforehand, because the server takes 3 µs for one. */
  readonly expected: number;
}

export interface Published {
  readonly deliveries: LeasedDelivery[];
  /** An organization has so many endpoints that the deliveries are still to be made, step by step. */
  readonly isFanningOut: boolean;
}

interface Row {
  id: string | null;
  /** Which of the events, from 1. */
  event: number;
  endpoint_id: string;
  version: number;
  /** Which of the batch ids; 0 for a row in the queue. */
  batch: number;
}

/**
 * From the CTE `match` (event_id, event, organization_id, type, and the endpoint as `e`) to rows: deliveries of healthy
 * endpoints go into batches, those of rate-limited and failing ones into the queue with a lease of this node, and those that
 * wait (paused, full, no room, a node that counts as dead) into the queue as pending. Parameters: $1 node, $2 room, $3 full
 * and $4 failing endpoints, $5 batch ids, $6 now, $7 ids for the first deliveries; the others take the time of their event's id.
 */
export const DELIVERIES_OF_MATCH = `
  target as materialized (
    select coalesce(($7::uuid[])[n], (left(event_id::text, 15) || right(gen_random_uuid()::text, 21))::uuid) as id,
           event_id, event, organization_id, type, endpoint_id, version,
           case when n > $2 or is_waiting or not exists (select from nodes where id = $1) then -1
                when has_own_row then 0
                else (n - 1) / ${LIMITS.batchDeliveries} + 1 end as batch
      from match
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

/** Columns of the CTE `match`, from an event `i` and an endpoint `e`. */
export const MATCH_COLUMNS = `
  i.id as event_id, i.event, i.organization_id, i.type, e.id as endpoint_id, e.version, (row_number() over ())::int as n,
  e.paused_at is not null or e.id = any ($3::uuid[]) as is_waiting,
  e.rate_limit is not null or e.id = any ($4::uuid[])
    or coalesce(e.last_failure_at > coalesce(e.last_success_at, '-infinity'), false) as has_own_row`;

const PUBLISH = `
  with input as materialized (
    select id, organization_id, type, event::int from unnest($8::uuid[], $9::uuid[], $10::text[]) with ordinality
      as i (id, organization_id, type, event)
  ), stored as (
    insert into events (id, organization_id, type, data, occurred_at)
    select unnest($8::uuid[]), unnest($9::uuid[]), unnest($10::text[]), unnest($11::text[]), unnest($12::timestamptz[])
  ), wide as materialized (
    select o.organization_id from (select distinct organization_id from input) o
     where (select count(*) from (select from endpoints where organization_id = o.organization_id limit ${LIMITS.fanOutStep + 1}) e) > ${LIMITS.fanOutStep}
  ), postponed as (
    insert into fan_outs (organization_id, event_id, event_type, created_at, after_endpoint)
    select organization_id, id, type, $6, '${FIRST_UUID}' from input where organization_id in (select organization_id from wide)
  ), match as (
    select ${MATCH_COLUMNS}
      from input i
      join endpoints e on e.organization_id = i.organization_id
       and e.is_active and (e.events is null or i.type = any (e.events))
     where i.organization_id not in (select organization_id from wide)
  ), ${DELIVERIES_OF_MATCH}
  select id, event, endpoint_id, version, batch from target where batch >= 0
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
      ...placementValues(options, commonTime(events)),
      uuidArray(events.map((event) => event.id)),
      uuidArray(events.map((event) => event.organizationId)),
      textArray(events.map((event) => event.type)),
      textArray(events.map((event) => event.data)),
      timeArray(events.map((event) => event.occurredAt)),
    ],
  });
  return toPublished(rows, (number) => events[number - 1]!, options); // the rows were made from these very events
}

const DAY_MS = 86_400_000;

/** Null when the events' ids are not all of one day: a delivery's id lies in the same day's partition as its event's. */
function commonTime(events: readonly StoredEvent[]): number | null {
  let time: number | null = null;
  for (const { id } of events) {
    const own = uuidTime(id);
    if (time !== null && Math.floor(own / DAY_MS) !== Math.floor(time / DAY_MS)) return null;
    time = own;
  }
  return time;
}

/** $1 to $7 of `DELIVERIES_OF_MATCH`. `time`: what the ids of deliveries carry; null when each takes its event's. */
export function placementValues(options: PublishOptions, time: number | null): unknown[] {
  const { batchIds, expected, failingEndpoints, fullEndpoints, nodeId, now, room } = options;
  return [
    nodeId,
    room,
    uuidArray(fullEndpoints),
    uuidArray(failingEndpoints),
    uuidArray(batchIds),
    new Date(now),
    time === null ? uuidArray([]) : newIdArray(expected, time),
  ];
}

export function toPublished(rows: readonly Row[], eventOf: (number: number) => StoredEvent, options: PublishOptions): Published {
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
      event: eventOf(row.event),
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
