import type { LeasedDelivery } from '../core/delivery.ts';
import type { StoredEvent } from '../core/dialect.ts';
import { LIMITS } from '../core/limits.ts';
import { plainArray, timeArray } from './arrays.ts';
import type { Queryable } from './database.ts';

export interface PublishOptions {
  readonly nodeId: string;
  readonly now: number;
  /** On the caller's monotonic clock. In the database leases run on the database's clock. */
  readonly leaseEndsAt: number;
  /** How many deliveries the node has room for; the rest is left pending for whoever has. */
  readonly room: number;
  /** Endpoints that have enough waiting on this node: their deliveries are left pending, as those of paused ones. */
  readonly fullEndpoints: readonly string[];
}

interface Row {
  id: string;
  event_id: string;
  endpoint_id: string;
  version: number;
}

/**
 * Stores events and one delivery for each active endpoint that subscribes, in one statement: with the caller's
 * transaction they commit together or not at all. The deliveries come leased to this node as far as it has room.
 * Delivery ids take the event's time, so both land in the same day's partitions.
 */
export async function publishEvents(db: Queryable, events: readonly StoredEvent[], options: PublishOptions): Promise<LeasedDelivery[]> {
  const rows = await db.query<Row>({
    name: 'publish-events',
    text: `
      with input as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
          as i (id, organization_id, type, data, occurred_at)
      ), stored as (
        insert into events (id, organization_id, type, data, occurred_at)
        select id, organization_id, type, data, occurred_at from input
      ), target as materialized (
        select (left(i.id::text, 15) || right(gen_random_uuid()::text, 21))::uuid as id,
               i.id as event_id, i.organization_id, i.type, e.id as endpoint_id, e.version,
               e.paused_at is null and e.id <> all ($6::uuid[]) and row_number() over () <= $7 as leased
          from input i
          join endpoints e on e.organization_id = i.organization_id
           and e.is_active and (e.events is null or i.type = any (e.events))
      ), queued as (
        insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at, leased_by, lease)
        select id, organization_id, endpoint_id, event_id, type, $8, $8,
               case when leased then now() + $9 * interval '1 ms' else $8 end, case when leased then $10::uuid end, leased::int
          from target
      )
      select id, event_id, endpoint_id, version from target where leased`,
    values: [
      plainArray(events.map((event) => event.id)),
      plainArray(events.map((event) => event.organizationId)),
      events.map((event) => event.type),
      events.map((event) => event.data),
      timeArray(events.map((event) => event.occurredAt)),
      options.fullEndpoints,
      options.room,
      new Date(options.now),
      LIMITS.leaseMs,
      options.nodeId,
    ],
  });
  if (rows.length === 0) return [];
  const byId = new Map(events.map((event) => [event.id, event]));
  return rows.map((row) => ({
    id: row.id,
    endpointId: row.endpoint_id,
    endpointVersion: row.version,
    event: byId.get(row.event_id)!, // the row was made from this very event
    lease: 1,
    leaseEndsAt: options.leaseEndsAt,
    attempt: 1,
  }));
}
