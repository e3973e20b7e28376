import { plainArray, uuidFloor, type Queryable } from '@dialhook/engine';
import type { Call, EndReason, NewCall, Page, Paged, Sentiment, TimelineEntry } from '../model.ts';
import { before, isFinal } from '../../states.ts';
import { CALL_TRANSITIONS, type CallStatus } from '../states.ts';
import { paged } from './paged.ts';

interface Row {
  id: string;
  organization_id: string;
  campaign_id: string | null;
  workflow_id: string | null;
  lead_id: string | null;
  attempt: number;
  agent_id: string;
  agent_version_number: number;
  to_phone_number: string;
  from_phone_number: string | null;
  metadata: string;
  status: CallStatus;
  end_reason: EndReason | null;
  duration_seconds: number | null;
  recording_url: string | null;
  sentiment: Sentiment | null;
  transcript: string | null;
  analysis: string | null;
  timeline: TimelineEntry[];
  created_at: Date;
  ended_at: Date | null;
}

const NEW_COLUMNS = `id, organization_id, campaign_id, workflow_id, lead_id, attempt, agent_id, agent_version_number, to_phone_number, from_phone_number, metadata`;

/** Stores calls that begin as `initiated`, and that wait to be dialled. */
export async function insertCalls(tx: Queryable, calls: readonly NewCall[], now: Date, endsAt: Date): Promise<void> {
  await tx.query({
    name: 'insert-calls',
    text: `
      with input as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::int[], $9::text[], $10::text[], $11::text[])
          as i (${NEW_COLUMNS})
      ), live as (
        insert into live_calls (call, organization_id, campaign_id, workflow_id, lead_id, stage, due_at, ends_at)
        select id, organization_id, campaign_id, workflow_id, lead_id, 'waiting', $12, $13 from input
      )
      insert into calls (${NEW_COLUMNS}, status, timeline, created_at)
      select ${NEW_COLUMNS}, 'initiated', jsonb_build_array(jsonb_build_object('event', 'initiated', 'timestamp', $14::text)), $12 from input`,
    values: [
      plainArray(calls.map((c) => c.id)),
      plainArray(calls.map((c) => c.organizationId)),
      plainArray(calls.map((c) => c.campaignId)),
      plainArray(calls.map((c) => c.workflowId)),
      plainArray(calls.map((c) => c.leadId)),
      plainArray(calls.map((c) => c.attempt)),
      calls.map((c) => c.agentId),
      plainArray(calls.map((c) => c.agentVersionNumber)),
      calls.map((c) => c.toPhoneNumber),
      calls.map((c) => c.fromPhoneNumber),
      calls.map((c) => c.metadata),
      now,
      endsAt,
      now.toISOString(),
    ],
  });
}

/** Calls by id, in no order. The bounds of the ids let the database leave out the days that none is in. */
export async function loadCalls(db: Queryable, ids: readonly string[]): Promise<Call[]> {
  if (ids.length === 0) return [];
  const sorted = [...ids].sort();
  const rows = await db.query<Row>({
    name: 'load-calls',
    text: 'select * from calls where id = any ($1::uuid[]) and id between $2 and $3',
    values: [sorted, sorted[0], sorted.at(-1)],
  });
  return rows.map(toCallRow);
}

/** What a call has become: only what the report knew is changed. */
export interface CallChange {
  readonly id: string;
  readonly status: CallStatus;
  readonly endReason: EndReason | null;
  readonly durationSeconds: number | null;
  readonly recordingUrl: string | null;
  readonly sentiment: Sentiment | null;
  readonly transcript: string | null;
  readonly analysis: string | null;
  readonly timeline: readonly TimelineEntry[];
  readonly endedAt: Date | null;
}

/** Writes changes whose order the caller has settled. Details that are known already are kept. Gives the calls as they are now. */
export async function changeCalls(tx: Queryable, changes: readonly CallChange[]): Promise<Call[]> {
  if (changes.length === 0) return [];
  const ids = changes.map((c) => c.id).sort();
  const rows = await tx.query<Row>({
    name: 'change-calls',
    text: `
      update calls c
         set status = i.status, end_reason = coalesce(c.end_reason, i.end_reason), duration_seconds = coalesce(c.duration_seconds, i.duration_seconds),
             recording_url = coalesce(c.recording_url, i.recording_url), sentiment = coalesce(c.sentiment, i.sentiment),
             transcript = coalesce(c.transcript, i.transcript), analysis = coalesce(c.analysis, i.analysis),
             timeline = i.timeline::jsonb, ended_at = coalesce(c.ended_at, i.ended_at)
        from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[])
          as i (id, status, end_reason, duration_seconds, recording_url, sentiment, transcript, analysis, timeline, ended_at)
       where c.id = i.id and c.id between $11 and $12
      returning c.*`,
    values: [
      plainArray(changes.map((c) => c.id)),
      plainArray(changes.map((c) => c.status)),
      plainArray(changes.map((c) => c.endReason)),
      plainArray(changes.map((c) => c.durationSeconds)),
      changes.map((c) => c.recordingUrl),
      plainArray(changes.map((c) => c.sentiment)),
      changes.map((c) => c.transcript),
      changes.map((c) => c.analysis),
      changes.map((c) => JSON.stringify(c.timeline)),
      changes.map((c) => c.endedAt),
      ids[0],
      ids.at(-1),
    ],
  });
  return rows.map(toCallRow);
}

/** Calls that were handed to a dialler. */
export async function markSent(tx: Queryable, ids: readonly string[], now: Date): Promise<void> {
  const sorted = [...ids].sort();
  await tx.query({
    name: 'mark-sent',
    text: `update calls set status = 'sent', timeline = timeline || jsonb_build_object('event', 'sent', 'timestamp', $2::text)
            where id = any ($1::uuid[]) and id between $3 and $4 and status = any ($5)`,
    values: [sorted, now.toISOString(), sorted[0], sorted.at(-1), before(CALL_TRANSITIONS, 'sent')],
  });
}

/** Calls that were never begun are not begun any more. */
export async function cancelCalls(tx: Queryable, ids: readonly string[], now: Date): Promise<void> {
  if (ids.length === 0) return;
  const sorted = [...ids].sort();
  await tx.query({
    text: `update calls set status = 'cancelled', ended_at = $2, timeline = timeline || jsonb_build_object('event', 'cancelled', 'timestamp', $3::text)
            where id = any ($1::uuid[]) and id between $4 and $5 and status = any ($6)`,
    values: [sorted, now, now.toISOString(), sorted[0], sorted.at(-1), before(CALL_TRANSITIONS, 'cancelled')],
  });
}

export async function findCall(db: Queryable, organizationId: string, id: string): Promise<Call | null> {
  const [row] = await db.query<Row>({ text: 'select * from calls where organization_id = $1 and id = $2', values: [organizationId, id] });
  return row ? toCallRow(row) : null;
}

export interface CallFilter {
  readonly agentId?: string | undefined;
  readonly status?: CallStatus | undefined;
  readonly campaignId?: string | undefined;
  /** Unix milliseconds of the creation; `to` is not in it. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only calls that have ended. */
  readonly ended?: boolean | undefined;
}

export async function listCalls(db: Queryable, organizationId: string, filter: CallFilter, page: Page): Promise<Paged<Call>> {
  const values: unknown[] = [organizationId];
  const where = ['organization_id = $1'];
  const add = (condition: string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    where.push(`${condition} $${values.length}`);
  };
  add('agent_id =', filter.agentId);
  add('status =', filter.status);
  add('campaign_id =', filter.campaignId);
  add('id >=', filter.from === undefined ? undefined : uuidFloor(filter.from));
  add('id <', filter.to === undefined ? undefined : uuidFloor(filter.to));
  if (filter.ended) {
    values.push(Object.keys(CALL_TRANSITIONS).filter((status) => isFinal(CALL_TRANSITIONS, status as CallStatus)));
    where.push(`status = any ($${values.length})`);
  }
  const { rows, total } = await paged<Row>(db, { table: 'calls', where: where.join(' and '), values }, page);
  return { rows: rows.map(toCallRow), total };
}

function toCallRow(row: Row): Call {
  return {
    id: row.id,
    organizationId: row.organization_id,
    campaignId: row.campaign_id,
    workflowId: row.workflow_id,
    leadId: row.lead_id,
    attempt: row.attempt,
    agentId: row.agent_id,
    agentVersionNumber: row.agent_version_number,
    toPhoneNumber: row.to_phone_number,
    fromPhoneNumber: row.from_phone_number,
    metadata: row.metadata,
    status: row.status,
    endReason: row.end_reason,
    durationSeconds: row.duration_seconds,
    recordingUrl: row.recording_url,
    sentiment: row.sentiment,
    transcript: row.transcript,
    analysis: row.analysis,
    timeline: row.timeline,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}
