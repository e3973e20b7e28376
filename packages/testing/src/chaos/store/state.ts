import pg from 'pg';

/** What the database says at the end of a run. The only place of the chaos run that knows the tables. */
export interface State {
  /** Ids of stored events by the run's own names. */
  readonly events: ReadonlyMap<string, string>;
  readonly deliveries: readonly StoredDelivery[];
}

export interface StoredDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly endpointId: string;
  readonly status: 'pending' | 'in_flight' | 'delivered' | 'exhausted';
  /** Attempts made, as the row counts them. */
  readonly attemptCount: number;
  /** Of one that is unfinished: milliseconds until it is due, or until its lease ends. */
  readonly dueInMs: number;
  readonly error: string | null;
  readonly attempts: StoredAttempt[];
}

export interface StoredAttempt {
  readonly number: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly body: string | null;
}

interface Row {
  readonly id: string;
  readonly event_id: string;
  readonly endpoint_id: string;
  readonly status: StoredDelivery['status'];
  readonly attempt_count: number;
  readonly due_in_ms: number;
  readonly error: string | null;
  /** Of the last attempt, which the history holds itself; null when it ended without one. */
  readonly last: StoredAttempt | null;
}

const UNFINISHED = `
  select id, event_id, endpoint_id, case when leased_by is null then 'pending' else 'in_flight' end as status, attempt_count,
         (extract(epoch from due_at - now()) * 1000)::float8 as due_in_ms, last_error as error, null::jsonb as last
    from deliveries`;
/** Sent for the first time: in neither of the other two tables. */
const BATCHED = `
  select m.id, m.event_id, m.endpoint_id, 'in_flight' as status, 0 as attempt_count,
         (extract(epoch from b.ends_at - now()) * 1000)::float8 as due_in_ms, null::text as error, null::jsonb as last
    from batches b cross join lateral unnest(b.delivery_ids, b.event_ids, b.endpoint_ids) as m (id, event_id, endpoint_id)
   where not exists (select from deliveries d where d.id = m.id) and not exists (select from finished_deliveries f where f.id = m.id)`;
const FINISHED = `
  select id, event_id, endpoint_id, status, attempt_count, 0::float8 as due_in_ms, last_error as error,
         case when last_duration_ms is not null then jsonb_build_object(
           'number', attempt_count, 'status', last_response_status, 'error', last_error, 'body', last_response_body) end as last
    from finished_deliveries`;

/** One snapshot of everything. */
export async function readState(client: pg.Client): Promise<State> {
  await client.query('begin isolation level repeatable read, read only');
  const events = await client.query<{ id: string; name: string }>(
    `select id, data::jsonb->>'m' as name from events where data like '%"m"%'`,
  );
  const deliveries = await client.query<Row>(`${UNFINISHED} union all ${BATCHED} union all ${FINISHED}`);
  const attempts = await client.query<StoredAttempt & { delivery_id: string }>(
    'select delivery_id, number, response_status as status, error, response_body as body from attempts order by number',
  );
  await client.query('commit');
  const byDelivery = new Map<string, StoredAttempt[]>();
  for (const { delivery_id: id, ...attempt } of attempts.rows) byDelivery.set(id, [...(byDelivery.get(id) ?? []), attempt]);
  return {
    events: new Map(events.rows.map(({ id, name }) => [name, id])),
    deliveries: deliveries.rows.map((row) => ({
      id: row.id,
      eventId: row.event_id,
      endpointId: row.endpoint_id,
      status: row.status,
      attemptCount: row.attempt_count,
      dueInMs: row.due_in_ms,
      error: row.error,
      attempts: [...(byDelivery.get(row.id) ?? []), ...(row.last === null ? [] : [row.last])],
    })),
  };
}

/** How many deliveries are unfinished, and events whose deliveries are still being made. */
export async function countUnfinished(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select ((select count(*) from deliveries) + (select count(*) from (${BATCHED}) b) + (select count(*) from fan_outs))::float8 as count`,
  );
  return rows[0]!.count;
}

/**
 * Deliveries of an endpoint that are older than the history, so that their event and their day's partitions are gone: as
 * an endpoint leaves behind that was paused for longer than the retention.
 */
export async function insertExpired(client: pg.Client, endpointId: string, count: number, days: number): Promise<void> {
  await client.query(
    `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at)
     select overlay(gen_random_uuid()::text placing to_hex_time || '-7' from 1 for 15)::uuid, e.organization_id, e.id,
            overlay(gen_random_uuid()::text placing to_hex_time || '-7' from 1 for 15)::uuid, 'thing.done', at, at, at
       from endpoints e, generate_series(1, $2),
            lateral (select now() - $3 * interval '1 day' as at) t,
            lateral (select lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') as hex) h,
            lateral (select left(hex, 8) || '-' || right(hex, 4) as to_hex_time) f
      where e.id = $1`,
    [endpointId, count, days],
  );
}
