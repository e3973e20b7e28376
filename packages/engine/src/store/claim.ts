import type { LeasedDelivery } from '../core/delivery.ts';
import type { StoredEvent } from '../core/dialect.ts';
import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { AT_ONCE, type DueSource } from './agenda.ts';
import { plainArray } from './arrays.ts';
import type { Queryable } from './database.ts';

export interface ClaimOptions {
  readonly nodeId: string;
  readonly now: number;
  /** On the caller's monotonic clock. In the database leases run on the database's clock. */
  readonly leaseEndsAt: number;
  /** Deliveries at most. */
  readonly room: number;
  /** How many deliveries an endpoint may get at most, where the node knows; 0 for none. */
  readonly rooms: ReadonlyMap<string, number>;
  /** The same for every other endpoint. */
  readonly others: number;
  /** Endpoints are visited in the order of their ids, from the one after this; makes every endpoint's turn come. */
  readonly after: string;
}

export interface Claim {
  readonly deliveries: LeasedDelivery[];
  /** Claimed rows whose event was dropped by retention: nothing is left to send. `attempt` is the last one made. */
  readonly expired: LeasedDelivery[];
  /** Claimed rows whose event the node has no memory for: they are given back. */
  readonly unfit: LeasedDelivery[];
  /** Where the next claim goes on: after the last endpoint that was served. The first UUID when the end was reached. */
  readonly next: string;
  /** Some endpoint got all that it may get, so that more of it may be due. */
  readonly isLimited: boolean;
}

/**
 * When the next delivery is due that a node may claim, whoever has room for it. Walks the queue as a claim does; where endpoints
 * are left that it did not come to, it says at once.
 */
export const DELIVERIES_DUE: DueSource = {
  name: 'deliveries',
  text: `
    with recursive live as (
      (select endpoint_id, 1 as n from deliveries where leased_by is null order by endpoint_id limit 1)
      union all
      select (select d.endpoint_id from deliveries d where d.leased_by is null and d.endpoint_id > l.endpoint_id
               order by d.endpoint_id limit 1), n + 1
        from live l where l.endpoint_id is not null and n < ${LIMITS.claimEndpoints}
    )
    select min(due) from (
      select case when kind.is_retry then d.due_at else ${AT_ONCE} end as due -- first attempts are always due
        from live l
        cross join lateral (select from endpoints where id = l.endpoint_id and is_active and paused_at is null offset 0) e
        cross join (values (false), (true)) as kind (is_retry)
        cross join lateral (
          select due_at from deliveries
           where endpoint_id = l.endpoint_id and leased_by is null and (attempt_count > 0) = kind.is_retry order by due_at limit 1
        ) d
      union all
      select ${AT_ONCE} from live where endpoint_id is not null and n = ${LIMITS.claimEndpoints}
    ) w`,
};

interface Row {
  id: string;
  endpoint_id: string;
  version: number;
  event_id: string;
  lease: number;
  attempt_count: number;
}

/** How the events of claimed deliveries are loaded; the caller may try again, since the claim is committed by then. */
export type LoadEvents = (db: Queryable, ids: readonly string[]) => Promise<Map<string, StoredEvent | null>>;

/**
 * Takes due deliveries: retries, what overflowed a node, and what was given back. Walks the distinct endpoints of
 * the queue by index (a loose index scan), then takes a few of each in their order, so that the cost follows the number of
 * endpoints with work and one endpoint's backlog never hides the others, nor its retries its first attempts.
 */
export async function claimDeliveries(db: Queryable, options: ClaimOptions, load: LoadEvents = loadEvents): Promise<Claim> {
  const rows = await db.query<Row | { id: null; endpoint_id: string | null }>({
    name: 'claim-deliveries',
    text: `
      with recursive live as (
        (select endpoint_id, 1 as n from deliveries where leased_by is null and endpoint_id > $1 order by endpoint_id limit 1)
        union all
        select (select d.endpoint_id from deliveries d where d.leased_by is null and d.endpoint_id > l.endpoint_id
                 order by d.endpoint_id limit 1), n + 1
          from live l where l.endpoint_id is not null and n < $2
      ), open as materialized (
        select e.id, e.version, (least(coalesce(r.room, $10), $5) + 1) / 2 as room, kind.is_retry
          from live l join endpoints e on e.id = l.endpoint_id
          left join unnest($3::uuid[], $9::int[]) as r (id, room) on r.id = e.id
          cross join (values (false), (true)) as kind (is_retry)
         where e.is_active and e.paused_at is null and coalesce(r.room, $10) > 0 and exists (select from nodes where id = $7)
         order by l.n, kind.is_retry
      ), picked as materialized (
        select d.id, o.version from open o cross join lateral (
          select id from deliveries
           where endpoint_id = o.id and leased_by is null and (attempt_count > 0) = o.is_retry
             and (due_at <= $4 or not o.is_retry) -- first attempts are always due, whatever was done to the clock
           order by due_at limit o.room for update skip locked
        ) d limit $6
      ), taken as (
        update deliveries d set leased_by = $7, lease = d.lease + 1, due_at = now() + $8 * interval '1 ms'
          from picked where d.id = picked.id
        returning d.id, d.endpoint_id, picked.version, d.event_id, d.lease, d.attempt_count
      )
      select id, endpoint_id, version, event_id, lease, attempt_count from taken
      union all
      (select null, endpoint_id, null, null, null, null from live order by n desc limit 1)`,
    values: [
      options.after,
      LIMITS.claimEndpoints,
      plainArray([...options.rooms.keys()]),
      new Date(options.now),
      // Little room is shared as well: a claim serves several endpoints, and the next one goes on after them.
      Math.ceil((2 * LIMITS.claimPerEndpoint * options.room) / LIMITS.claimBatch),
      options.room,
      options.nodeId,
      LIMITS.leaseMs,
      plainArray([...options.rooms.values()]),
      options.others,
    ],
  });
  const last = rows.find((row) => row.id === null);
  const taken = rows.filter((row): row is Row => row.id !== null);
  const events = await load(db, [...new Set(taken.map((row) => row.event_id))]);
  const deliveries: LeasedDelivery[] = [];
  const expired: LeasedDelivery[] = [];
  const unfit: LeasedDelivery[] = [];
  for (const row of taken) {
    const event = events.get(row.event_id);
    const delivery = {
      id: row.id,
      endpointId: row.endpoint_id,
      endpointVersion: row.version,
      batch: null,
      lease: row.lease,
      leaseEndsAt: options.leaseEndsAt,
    };
    if (event === undefined) expired.push({ ...delivery, event: absentEvent(row.event_id), attempt: row.attempt_count });
    else if (event === null) unfit.push({ ...delivery, event: absentEvent(row.event_id), attempt: row.attempt_count + 1 });
    else deliveries.push({ ...delivery, event, attempt: row.attempt_count + 1 });
  }
  const counts = new Map<string, number>();
  for (const { endpoint_id: id } of taken) counts.set(id, (counts.get(id) ?? 0) + 1);
  const isLimited = counts.entries().some(([id, count]) => 2 * count >= (options.rooms.get(id) ?? options.others));
  // With the room used up, endpoints behind the last one that was served were not looked at.
  const next =
    taken.length < options.room ? last?.endpoint_id : taken.reduce((max, row) => (row.endpoint_id > max ? row.endpoint_id : max), '');
  return { deliveries, expired, unfit, next: next ?? FIRST_UUID, isLimited };
}

/** Stands for an event that retention has dropped, or that was not loaded. */
function absentEvent(id: string): StoredEvent {
  return { id, organizationId: '', type: '', data: '', occurredAt: 0 };
}

/**
 * Events by id. One look-up for each, which finds its day's partition by itself: `id = any (…)` would look for every id in
 * every partition. `offset 0` keeps the planner from turning it into a join over all of them.
 */
export async function loadEvents(db: Queryable, ids: readonly string[]): Promise<Map<string, StoredEvent>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<{ id: string; organization_id: string; type: string; data: string; occurred_at: Date }>({
    name: 'load-events',
    text: `select e.* from unnest($1::uuid[]) as wanted (id)
            cross join lateral (select id, organization_id, type, data, occurred_at from events where id = wanted.id offset 0) e`,
    values: [plainArray(ids)],
  });
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        organizationId: row.organization_id,
        type: row.type,
        data: row.data,
        occurredAt: row.occurred_at.getTime(),
        encoded: undefined,
      },
    ]),
  );
}
