import { uuidFloor } from '../core/ids.ts';
import type { Replay, ReplayFilter, ReplayStatus } from '../core/replay.ts';
import { dueWhile } from './agenda.ts';
import type { Queryable } from './database.ts';

interface Row {
  id: string;
  organization_id: string;
  endpoint_id: string | null;
  event_type: string | null;
  delivery_status: 'delivered' | 'exhausted' | null;
  since: string;
  until: string;
  cursor: string;
  status: ReplayStatus;
  total: number;
  replayed: number;
  skipped: number;
  created_at: Date;
  finished_at: Date | null;
}

/** Counts running replays while nobody else starts one for the organization: the lock ends with the transaction. */
export async function countRunningLocked(tx: Queryable, organizationId: string): Promise<number> {
  await tx.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`replays:${organizationId}`] });
  const [row] = await tx.query<{ count: number }>({
    text: `select count(*) as count from replays where organization_id = $1 and status = 'running'`,
    values: [organizationId],
  });
  return row!.count;
}

export async function insertReplay(db: Queryable, id: string, filter: ReplayFilter, total: number, now: Date): Promise<Replay> {
  const [row] = await db.query<Row>({
    text: `insert into replays (id, organization_id, since, until, endpoint_id, event_type, delivery_status, cursor, status, total, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $3, 'running', $8, $9) returning *`,
    values: [id, ...filterValues(filter), total, now],
  });
  return toReplay(row!);
}

export async function findReplay(db: Queryable, organizationId: string, id: string): Promise<Replay | null> {
  const [row] = await db.query<Row>({ text: 'select * from replays where organization_id = $1 and id = $2', values: [organizationId, id] });
  return row ? toReplay(row) : null;
}

/** Newest first. */
export async function listReplays(db: Queryable, organizationId: string, limit: number): Promise<Replay[]> {
  const rows = await db.query<Row>({
    text: 'select * from replays where organization_id = $1 order by id desc limit $2',
    values: [organizationId, limit],
  });
  return rows.map(toReplay);
}

/** Ends a running replay; what it put into the queue already is sent. One that has ended stays as it is. */
export async function cancelReplay(db: Queryable, organizationId: string, id: string, now: Date): Promise<Replay | null> {
  await db.query({
    text: `update replays set status = 'cancelled', finished_at = $3 where organization_id = $1 and id = $2 and status = 'running'`,
    values: [organizationId, id, now],
  });
  return findReplay(db, organizationId, id);
}

/** Removes jobs that ended before a time, the oldest first. Gives how many. One that ends late is found by its start all the same. */
export async function removeEndedReplays(db: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'remove-ended-replays',
    text: `delete from replays where id = any (array(
             select id from replays where id < $1 and status <> 'running' and finished_at < $2 order by id limit $3 for update skip locked))
           returning 1`,
    values: [uuidFloor(before.getTime()), before, limit],
  });
  return rows.length;
}

/** Replays that are to be carried on. */
export const REPLAYS_DUE = dueWhile('replays', `replays where status = 'running'`);

/**
 * One step of one running replay, in the caller's transaction: the next deliveries in the order of their ids go into the
 * queue once more, and the cursor moves past them, so that each is replayed exactly once whatever happens: new ids are never
 * within the replay's own range, also on a node whose clock is behind. Organizations take turns: `served` are those that had a step, the
 * latest last. Gives the organization whose turn it was, or null when no replay is running, or other nodes are at them.
 */
export async function stepReplay(tx: Queryable, batch: number, now: Date, served: readonly string[] = []): Promise<string | null> {
  const [replay] = await tx.query<Row>({
    text: `select * from replays where status = 'running'
            order by array_position($1::uuid[], organization_id) nulls first, id limit 1 for update skip locked`,
    values: [served],
  });
  if (replay === undefined) return null;
  const [step] = await tx.query<{ last: string | null; looked: number; queued: number }>({
    text: `
      with source as materialized (
        select f.* from finished_deliveries f
         where f.organization_id = $1 and f.id > $2 and f.id < $3 and ($4::uuid is null or f.endpoint_id = $4)
           and ($5::text is null or f.event_type = $5) and ($6::text is null or f.status = $6)
         order by f.id limit $7
      ), queued as (
        insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at)
        select overlay(gen_random_uuid()::text placing greatest(left($9::text, 13), left($3::text, 13)) || '-7' from 1 for 15)::uuid,
               s.organization_id, s.endpoint_id, s.event_id, s.event_type, $8, $8, $8
          from source s join endpoints e on e.id = s.endpoint_id and e.is_active
               cross join lateral (select from events where id = s.event_id offset 0) v -- one look-up each, see loadEvents
        returning 1
      )
      select (select id from source order by id desc limit 1) as last, (select count(*) from source) as looked,
             (select count(*) from queued) as queued`,
    values: [
      replay.organization_id,
      replay.cursor,
      replay.until,
      replay.endpoint_id,
      replay.event_type,
      replay.delivery_status,
      batch,
      now,
      uuidFloor(now.getTime()),
    ],
  });
  const { last, looked, queued } = step!;
  await tx.query({
    text: `update replays set cursor = coalesce($2, cursor), replayed = replayed + $3, skipped = skipped + $4,
             status = case when $5 then 'completed' else status end, finished_at = case when $5 then $6::timestamptz end where id = $1`,
    values: [replay.id, last, queued, looked - queued, looked < batch, now],
  });
  return replay.organization_id;
}

export type Resent = 'resent' | 'brought_forward' | 'in_flight' | 'gone' | 'unknown';

/**
 * Sends one delivery again: a finished one as a new delivery with the id `newId`, one that waits for its retry now.
 * `gone`: the endpoint is deleted or switched off, or the event was dropped by retention.
 */
export async function resendDelivery(tx: Queryable, organizationId: string, id: string, newId: string, now: Date): Promise<Resent> {
  // In the order in which a delivery moves, so that one that is just moving is found.
  const sending = await tx.query({ text: 'select from batches where $1 = any (delivery_ids) limit 1', values: [id] });
  const [waiting] = await tx.query<{ leased_by: string | null }>({
    text: 'select leased_by from deliveries where organization_id = $1 and id = $2 for update',
    values: [organizationId, id],
  });
  if (waiting !== undefined) {
    if (waiting.leased_by !== null) return 'in_flight';
    await tx.query({ text: 'update deliveries set due_at = $2, scheduled_at = $2 where id = $1', values: [id, now] });
    return 'brought_forward';
  }
  const [found] = await tx.query<{ sendable: boolean }>({
    text: `with source as (
             select f.*, exists (select from endpoints e where e.id = f.endpoint_id and e.is_active)
                      and exists (select from events v where v.id = f.event_id) as sendable
               from finished_deliveries f
              where f.organization_id = $1 and f.id = $2
           ), queued as (
             insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at)
             select $3, organization_id, endpoint_id, event_id, event_type, $4, $4, $4 from source where sendable
           )
           select sendable from source`,
    values: [organizationId, id, newId, now],
  });
  if (found === undefined) return sending.length > 0 ? 'in_flight' : 'unknown';
  return found.sendable ? 'resent' : 'gone';
}

function filterValues(filter: ReplayFilter): unknown[] {
  const { deliveryStatus = null, endpointId = null, eventType = null, organizationId, since, until } = filter;
  return [organizationId, uuidFloor(since), uuidFloor(until), endpointId, eventType, deliveryStatus];
}

function toReplay(row: Row): Replay {
  return {
    id: row.id,
    status: row.status,
    total: row.total,
    replayed: row.replayed,
    skipped: row.skipped,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
