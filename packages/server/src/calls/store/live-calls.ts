import { plainArray, timeArray, type DueSource, type Queryable } from '@dialhook/engine';

/** A call that has not ended, and whose it is. */
export interface LiveCall {
  readonly call: string;
  readonly campaignId: string | null;
  readonly workflowId: string | null;
  readonly leadId: string | null;
}

const COLUMNS = `call, campaign_id as "campaignId", workflow_id as "workflowId", lead_id as "leadId"`;

/** Which of these calls live, without holding them. */
export async function findLive(db: Queryable, ids: readonly string[]): Promise<LiveCall[]> {
  return db.query<LiveCall>({
    name: 'find-live',
    text: `select ${COLUMNS} from live_calls where call = any ($1::uuid[])`,
    values: [plainArray(ids)],
  });
}

/** Holds those that still live until the transaction ends. What they belong to must be held before. */
export async function lockLive(tx: Queryable, ids: readonly string[]): Promise<LiveCall[]> {
  return tx.query<LiveCall>({
    name: 'lock-live',
    text: `select ${COLUMNS} from live_calls where call = any ($1::uuid[]) order by call for update`,
    values: [plainArray(ids)],
  });
}

/** News of calls that go on. `dueAt`, in Unix milliseconds, is when the engine looks at the call again. */
export async function startLive(
  tx: Queryable,
  calls: readonly { readonly id: string; readonly dueAt: number | null }[],
  endsAt: Date,
): Promise<void> {
  if (calls.length === 0) return;
  await tx.query({
    name: 'start-live',
    text: `update live_calls l set stage = 'started', due_at = coalesce(i.due_at, $3), ends_at = $3
             from unnest($1::uuid[], $2::timestamptz[]) as i (call, due_at) where l.call = i.call`,
    values: [plainArray(calls.map(({ id }) => id)), timeArray(calls.map(({ dueAt }) => dueAt)), endsAt],
  });
}

export async function removeLive(tx: Queryable, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({ name: 'remove-live', text: 'delete from live_calls where call = any ($1::uuid[])', values: [plainArray(ids)] });
}

/** Takes back the calls of a campaign or a workflow that nobody dials yet. The owner must be held. */
export async function withdrawLive(tx: Queryable, owner: 'campaign_id' | 'workflow_id', id: string): Promise<LiveCall[]> {
  return tx.query<LiveCall>({
    text: `delete from live_calls where ${owner} = $1 and stage = 'waiting' returning ${COLUMNS}`,
    values: [id],
  });
}

/** Hands out waiting calls, oldest first, and those that were handed out before and not heard of. Being taken is no news: they expire as before. */
export async function takeLive(tx: Queryable, limit: number, now: Date, dueAt: Date): Promise<string[]> {
  const rows = await tx.query<{ call: string }>({
    name: 'take-live',
    text: `update live_calls set stage = 'taken', due_at = $3
            where call in (select call from live_calls where due_at <= $1 and stage in ('waiting', 'taken') order by due_at limit $2 for update skip locked)
           returning call`,
    values: [now, limit, dueAt],
  });
  return rows.map(({ call }) => call);
}

/** Calls whose next step is due become this node's until `dueAt`. They count as begun. */
export async function claimLive(db: Queryable, limit: number, now: Date, dueAt: Date, endsAt: Date): Promise<string[]> {
  const rows = await db.query<{ call: string }>({
    name: 'claim-live',
    text: `update live_calls set stage = 'started', due_at = $3, ends_at = $4
            where call in (select call from live_calls where due_at <= $1 order by due_at limit $2 for update skip locked)
           returning call`,
    values: [now, limit, dueAt, endsAt],
  });
  return rows.map(({ call }) => call);
}

/** When the next call goes on. */
export const LIVE_CALLS_DUE: DueSource = { name: 'live calls', text: 'select due_at from live_calls order by due_at limit 1' };

/** When the next call should have ended. */
export const LOST_CALLS_DUE: DueSource = { name: 'lost calls', text: 'select ends_at from live_calls order by ends_at limit 1' };

/** When the next call is due; null when none lives. */
export async function nextLive(db: Queryable): Promise<Date | null> {
  const [row] = await db.query<{ due: Date | null }>({ name: 'next-live', text: 'select min(due_at) as due from live_calls' });
  return row?.due ?? null;
}

/** Calls that should have ended, with whether anybody began to dial them. */
export async function lostCalls(db: Queryable, now: Date, limit: number): Promise<{ call: string; stage: string }[]> {
  return db.query<{ call: string; stage: string }>({
    name: 'lost-calls',
    text: 'select call, stage from live_calls where ends_at <= $1 order by ends_at limit $2',
    values: [now, limit],
  });
}
