import type { Batch } from '../core/batch.ts';
import { LIMITS } from '../core/limits.ts';
import { dueWhile } from './agenda.ts';
import { textArray, timeArray, uuidArray } from './binary-arrays.ts';
import type { Queryable, Transaction } from './database.ts';

/**
 * Takes batches of this node apart: what is unfinished gets rows in the queue, leased to the node with number 1. Gives the
 * ids of the deliveries that are the node's now; the others are somebody else's, or finished. May be tried again when its
 * answer was lost.
 */
export async function explodeBatches(db: Queryable, nodeId: string, batches: readonly Batch[]): Promise<Set<string>> {
  const members = batches.flatMap((batch) => Array.from(batch.open, (delivery) => ({ batch, delivery })));
  const rows = await db.query<{ id: string }>({
    name: 'explode-batches',
    text: `
      with gone as (
        delete from batches where id = any ($1::uuid[]) returning id
      ), input as materialized (
        select * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[])
          as m (batch_id, id, organization_id, endpoint_id, event_id, event_type, created_at)
      ), moved as (
        insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at, leased_by, lease)
        select id, organization_id, endpoint_id, event_id, event_type, created_at, created_at, now() + ${LIMITS.leaseMs} * interval '1 ms', $9, 1
          from input where batch_id in (select id from gone)
        on conflict do nothing
        returning id
      )
      select id from moved
      union
      select d.id from deliveries d where d.id in (select id from input) and d.leased_by = $9 and d.lease = 1`,
    values: [
      uuidArray(batches.map(({ id }) => id)),
      uuidArray(members.map(({ batch }) => batch.id)),
      uuidArray(members.map(({ delivery }) => delivery.id)),
      uuidArray(members.map(({ delivery }) => delivery.event.organizationId)),
      uuidArray(members.map(({ delivery }) => delivery.endpointId)),
      uuidArray(members.map(({ delivery }) => delivery.event.id)),
      textArray(members.map(({ delivery }) => delivery.event.type)),
      timeArray(members.map(({ batch }) => batch.createdAt)),
      nodeId,
    ],
  });
  return new Set(rows.map(({ id }) => id));
}

const IS_OVERDUE = 'ends_at < now()';
const HAS_NO_NODE = 'not exists (select from nodes n where n.id = b.node_id)';

/** Batches that somebody should take over. */
export const ABANDONED_BATCHES_DUE = dueWhile('abandoned batches', `batches b where ${IS_OVERDUE} or ${HAS_NO_NODE}`);

/**
 * Batches whose node is dead or forgotten; with `overdue` also those that their node lost track of. After an outage every
 * batch is overdue, and its node has the results: nobody should ask for them before nodes had the time to write.
 */
export async function findAbandonedBatches(db: Queryable, limit: number, overdue: boolean): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'find-abandoned-batches',
    text: `select id from batches b where ($2 and ${IS_OVERDUE}) or ${HAS_NO_NODE} limit $1`,
    values: [limit, overdue],
  });
  return rows.map(({ id }) => id);
}

/**
 * Puts what is unfinished of an abandoned batch into the queue, for any node. Two statements: the first waits for a node that
 * is just recording results of the batch; the second, with a newer snapshot, sees what that node has recorded. As one
 * statement it would send again what was delivered. Gives how many deliveries are due now, 0 when somebody else did it.
 */
export async function takeOverBatch(tx: Transaction, id: string, now: Date): Promise<number> {
  const locked = await tx.query({ name: 'lock-batch', text: 'select id from batches where id = $1 for update', values: [id] });
  if (locked.length === 0) return 0;
  const rows = await tx.query({
    name: 'take-over-batch',
    text: `
      with gone as (
        delete from batches where id = $1 returning created_at, delivery_ids, event_ids, endpoint_ids
      ), member as materialized (
        select g.created_at, m.* from gone g
         cross join lateral unnest(g.delivery_ids, g.event_ids, g.endpoint_ids) as m (id, event_id, endpoint_id)
      )
      insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, scheduled_at, due_at)
      select m.id, coalesce(v.organization_id, e.organization_id), m.endpoint_id, m.event_id, coalesce(v.type, 'unknown'), m.created_at, m.created_at, $2
        from member m
        left join lateral (select organization_id, type from events where id = m.event_id offset 0) v on true
        left join endpoints e on e.id = m.endpoint_id
       where coalesce(v.organization_id, e.organization_id) is not null -- neither event nor endpoint: nobody could be told
         and not exists (select from finished_deliveries f where f.id = m.id offset 0)
      on conflict do nothing
      returning 1`,
    values: [id, now],
  });
  return rows.length;
}
