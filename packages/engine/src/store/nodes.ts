import { LIMITS } from '../core/limits.ts';
import { dueWhile } from './agenda.ts';
import type { Queryable } from './database.ts';

export interface Beat {
  /** Nodes that send. */
  readonly nodes: number;
  /** No other node is there, not even one that does not send. */
  readonly isAlone: boolean;
  /** The node was not known: it has just started, or another node counted it as dead meanwhile. */
  readonly isNew: boolean;
  /** The database's clock, Unix milliseconds. */
  readonly time: number;
}

/**
 * Says that the node lives. Writes its row again if another node counted it as dead meanwhile. Heartbeats and leases
 * are kept by the database's clock: nodes whose clocks differ must not take each other for dead.
 */
export async function heartbeat(db: Queryable, nodeId: string, delivers: boolean): Promise<Beat> {
  const [row] = await db.query<{ is_new: boolean; is_alone: boolean; time: number; others: number }>({
    name: 'heartbeat',
    text: `insert into nodes (id, started_at, heartbeat_at, delivers) values ($1, now(), now(), $2)
           on conflict (id) do update set heartbeat_at = excluded.heartbeat_at
           returning xmax = 0 as is_new, (extract(epoch from clock_timestamp()) * 1000)::float8 as time,
                     (select count(*) from nodes where delivers and id <> $1) as others,
                     not exists (select from nodes where id <> $1) as is_alone`,
    values: [nodeId, delivers],
  });
  return { nodes: row!.others + (delivers ? 1 : 0), isNew: row!.is_new, isAlone: row!.is_alone, time: row!.time };
}

/** Nodes that were silent for so long that they count as dead. */
export const DEAD_NODES_DUE = dueWhile('dead nodes', `nodes where heartbeat_at < now() - ${LIMITS.deadAfterMs} * interval '1 ms'`);

/**
 * Takes over from nodes that were silent for so long: their leases end now, and any node may claim the work. A
 * node that was only slow is fenced off by the lease number. Returns the dead nodes' ids.
 */
export async function releaseDeadNodes(db: Queryable, silentMs: number, now: Date): Promise<string[]> {
  const dead = await db.query<{ id: string }>({
    name: 'find-dead-nodes',
    text: `delete from nodes where heartbeat_at < now() - $1 * interval '1 ms' returning id`,
    values: [silentMs],
  });
  const ids = dead.map((row) => row.id);
  if (ids.length > 0) await releaseLeases(db, ids, now);
  return ids;
}

/** Ends the leases of nodes; used for dead ones, and by a node that stops. */
export async function releaseLeases(db: Queryable, nodeIds: readonly string[], now: Date): Promise<void> {
  await db.query({
    text: 'update deliveries set leased_by = null, lease = lease + 1, due_at = $2 where leased_by = any ($1::uuid[])',
    values: [nodeIds, now],
  });
}

/** Leases that ran out. */
export const EXPIRED_LEASES_DUE = dueWhile('expired leases', 'deliveries where leased_by is not null and due_at < now()');

/**
 * Ends so many of the leases that ran out: of a claim whose answer was lost, of a result that could not be stored. Returns
 * how many there were.
 */
export async function endExpiredLeases(db: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'end-expired-leases',
    text: `update deliveries set leased_by = null, lease = lease + 1, due_at = $1
            where id in (select id from deliveries where leased_by is not null and due_at < now() limit $2 for update skip locked)
              and leased_by is not null
           returning 1`,
    values: [now, limit],
  });
  return rows.length;
}

export async function removeNode(db: Queryable, nodeId: string): Promise<void> {
  await db.query({ text: 'delete from nodes where id = $1', values: [nodeId] });
}

/** On the embedded database nobody else can be alive: whatever was leased belonged to a process that is gone. */
export async function removeOtherNodes(db: Queryable, nodeId: string, now: Date): Promise<void> {
  await db.query({ text: 'delete from nodes where id <> $1', values: [nodeId] });
  await db.query({
    text: 'update deliveries set leased_by = null, lease = lease + 1, due_at = $2 where leased_by <> $1',
    values: [nodeId, now],
  });
}
