import { plainArray, timeArray, type DueSource, type Queryable } from '@dialhook/engine';
import type { LastCall, LeadPhase, NewLead, NodeType, Page, Paged, WorkflowLead, WorkflowStep } from '../model.ts';
import type { WorkflowLeadStatus } from '../states.ts';
import { paged } from './paged.ts';

interface Row {
  id: string;
  organization_id: string;
  workflow_id: string;
  phone_number: string;
  metadata: string;
  status: WorkflowLeadStatus;
  outcome: string | null;
  current_node_id: string | null;
  step: number;
  phase: LeadPhase;
  due_at: Date | null;
  tries: number;
  call_id: string | null;
  last_call: string | null;
  enrolled_at: Date;
  completed_at: Date | null;
}

export async function insertWorkflowLeads(
  tx: Queryable,
  workflow: { readonly id: string; readonly organizationId: string },
  leads: readonly (NewLead & { readonly id: string })[],
  dueAt: Date,
  now: Date,
): Promise<void> {
  await tx.query({
    text: `insert into workflow_leads (id, organization_id, workflow_id, phone_number, metadata, status, phase, due_at, enrolled_at)
           select i.id, $1, $2, i.phone_number, i.metadata, 'pending', 'enter', $3, $4
             from unnest($5::uuid[], $6::text[], $7::text[]) as i (id, phone_number, metadata)`,
    values: [
      workflow.organizationId,
      workflow.id,
      dueAt,
      now,
      plainArray(leads.map(({ id }) => id)),
      leads.map(({ phoneNumber }) => phoneNumber),
      leads.map(({ fields }) => fields),
    ],
  });
}

export async function findWorkflowLead(db: Queryable, workflowId: string, id: string): Promise<WorkflowLead | null> {
  const [row] = await db.query<Row>({ text: 'select * from workflow_leads where workflow_id = $1 and id = $2', values: [workflowId, id] });
  return row ? toLead(row) : null;
}

export async function listWorkflowLeads(
  db: Queryable,
  workflowId: string,
  status: WorkflowLeadStatus | undefined,
  page: Page,
): Promise<Paged<WorkflowLead>> {
  const where = `workflow_id = $1 and ($2::text is null or status = $2)`;
  const { rows, total } = await paged<Row>(db, { table: 'workflow_leads', where, values: [workflowId, status ?? null] }, page);
  return { rows: rows.map(toLead), total };
}

/** Leads that may move by themselves, longest waiting first; those that ask the application are not among them. Their workflow must be held. */
export async function dueWorkflowLeads(tx: Queryable, workflowId: string, now: Date, limit: number): Promise<WorkflowLead[]> {
  const rows = await tx.query<Row>({
    name: 'due-workflow-leads',
    text: `select * from workflow_leads where workflow_id = $1 and due_at <= $2 and phase <> 'request' order by due_at, id limit $3`,
    values: [workflowId, now, limit],
  });
  return rows.map(toLead);
}

export interface WaitingWorkflow {
  readonly organizationId: string;
  readonly workflowId: string;
}

/** The CTE `step` (workflow_id): workflows with leads that wait for the application, from workflow to workflow in the index. */
const WAITING = `
  recursive step (workflow_id) as (
    (select workflow_id from workflow_leads where phase = 'request' order by workflow_id limit 1)
    union all
    select (select l.workflow_id from workflow_leads l where l.phase = 'request' and l.workflow_id > s.workflow_id
             order by l.workflow_id limit 1)
      from step s where s.workflow_id is not null
  )`;

/** When the next lead asks the application. */
export const REQUESTS_DUE: DueSource = {
  name: 'requests to the application',
  text: `
    with ${WAITING}
    select min(l.due_at) from step s join workflows w on w.id = s.workflow_id and w.status = 'active'
      cross join lateral (select due_at from workflow_leads where phase = 'request' and workflow_id = w.id order by due_at limit 1) l`,
};

/**
 * Active workflows with leads that wait for the application. Steps from workflow to workflow in the index, so that it costs as many
 * steps as there are workflows, however many leads wait.
 */
export async function waitingWorkflows(db: Queryable, now: Date, limit: number): Promise<WaitingWorkflow[]> {
  return db.query<WaitingWorkflow>({
    name: 'waiting-workflows',
    text: `
      with ${WAITING}
      select w.organization_id as "organizationId", w.id as "workflowId"
        from step s join workflows w on w.id = s.workflow_id
       where w.status = 'active'
         and exists (select from workflow_leads l where l.phase = 'request' and l.workflow_id = w.id and l.due_at <= $1)
       order by random() limit $2`,
    values: [now, limit],
  });
}

/** Leads of a workflow that wait for the application, longest waiting first. Their workflow must be held. */
export async function waitingLeads(tx: Queryable, workflowId: string, now: Date, limit: number): Promise<WorkflowLead[]> {
  const rows = await tx.query<Row>({
    name: 'waiting-leads',
    text: `select * from workflow_leads where workflow_id = $1 and due_at <= $2 and phase = 'request' order by due_at, id limit $3`,
    values: [workflowId, now, limit],
  });
  return rows.map(toLead);
}

/** Leads that wait for a free line, longest enrolled first. */
export async function queuedWorkflowLeads(tx: Queryable, workflowId: string, limit: number): Promise<WorkflowLead[]> {
  const rows = await tx.query<Row>({
    name: 'queued-workflow-leads',
    text: `select * from workflow_leads where workflow_id = $1 and phase = 'queue' order by id limit $2`,
    values: [workflowId, limit],
  });
  return rows.map(toLead);
}

/** When the next lead of a workflow may move by itself; null when none waits for a time. */
export async function nextWorkflowLead(tx: Queryable, workflowId: string): Promise<Date | null> {
  const [row] = await tx.query<{ due: Date | null }>({
    name: 'next-workflow-lead',
    text: `select min(due_at) as due from workflow_leads where workflow_id = $1 and due_at is not null and phase <> 'request'`,
    values: [workflowId],
  });
  return row?.due ?? null;
}

export async function loadWorkflowLeads(tx: Queryable, ids: readonly string[]): Promise<WorkflowLead[]> {
  const rows = await tx.query<Row>({
    name: 'load-workflow-leads',
    text: 'select * from workflow_leads where id = any ($1::uuid[])',
    values: [plainArray(ids)],
  });
  return rows.map(toLead);
}

/** Writes leads whose workflow the caller holds. */
export async function saveWorkflowLeads(tx: Queryable, leads: readonly WorkflowLead[]): Promise<void> {
  if (leads.length === 0) return;
  await tx.query({
    name: 'save-workflow-leads',
    text: `
      update workflow_leads l
         set status = i.status, outcome = i.outcome, current_node_id = i.node, step = i.step, phase = i.phase, due_at = i.due_at,
             tries = i.tries, call_id = i.call, last_call = i.last_call, completed_at = i.completed_at
        from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::timestamptz[], $8::int[], $9::uuid[], $10::text[], $11::timestamptz[])
          as i (id, status, outcome, node, step, phase, due_at, tries, call, last_call, completed_at)
       where l.id = i.id`,
    values: [
      plainArray(leads.map((l) => l.id)),
      plainArray(leads.map((l) => l.status)),
      leads.map((l) => l.outcome),
      plainArray(leads.map((l) => l.currentNodeId)),
      plainArray(leads.map((l) => l.step)),
      plainArray(leads.map((l) => l.phase)),
      timeArray(leads.map((l) => l.dueAt?.getTime() ?? null)),
      plainArray(leads.map((l) => l.tries)),
      plainArray(leads.map((l) => l.callId)),
      leads.map((l) => (l.lastCall === null ? null : JSON.stringify(l.lastCall))),
      timeArray(leads.map((l) => l.completedAt?.getTime() ?? null)),
    ],
  });
}

/** Lets everything that waited for a time wait for as much longer as the workflow was paused. */
export async function shiftWorkflowLeads(tx: Queryable, workflowId: string, byMs: number): Promise<void> {
  await tx.query({
    text: `update workflow_leads set due_at = due_at + $2 * interval '1 ms' where workflow_id = $1 and due_at is not null`,
    values: [workflowId, byMs],
  });
}

/** The node of these leads is gone: they wait for somebody who takes them out. Those in a call end it. */
export async function strandWorkflowLeads(tx: Queryable, workflowId: string, nodeId: string): Promise<void> {
  await tx.query({
    text: `update workflow_leads set phase = 'stuck', due_at = null
            where workflow_id = $1 and current_node_id = $2 and phase in ('enter', 'timer', 'request', 'queue')`,
    values: [workflowId, nodeId],
  });
}

/** Removes leads that ended before a time, with their steps. Gives how many. One that was taken out during its call stays until that has ended. */
export async function removeEndedLeads(db: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'remove-ended-leads',
    text: `delete from workflow_leads where id = any (array(
             select l.id from workflow_leads l
              where l.phase = 'ended' and coalesce(l.completed_at, l.enrolled_at) < $1
                and not exists (select from live_calls c where c.call = l.call_id)
              order by coalesce(l.completed_at, l.enrolled_at) limit $2 for update of l skip locked))
           returning 1`,
    values: [before, limit],
  });
  return rows.length;
}

/** How many leads are at each node of a workflow now; those that have ended count at the node where they did. */
export async function countByNode(db: Queryable, workflowId: string): Promise<{ node: string; count: number }[]> {
  return db.query<{ node: string; count: number }>({
    text: `select current_node_id as node, count(*) as count from workflow_leads
            where workflow_id = $1 and current_node_id is not null and status <> 'removed' group by current_node_id`,
    values: [workflowId],
  });
}

/** Stores steps that were begun, and what became of them. */
export async function saveSteps(tx: Queryable, steps: readonly WorkflowStep[]): Promise<void> {
  if (steps.length === 0) return;
  await tx.query({
    name: 'save-steps',
    text: `
      insert into workflow_steps (lead_id, step, node_id, node_label, node_type, status, call_id, entered_at, exited_at, organization_id)
      select i.*, l.organization_id
        from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::timestamptz[], $9::timestamptz[])
          as i (lead_id, step, node_id, node_label, node_type, status, call_id, entered_at, exited_at)
        join workflow_leads l on l.id = i.lead_id
      on conflict (lead_id, step) do update
        set status = excluded.status, call_id = coalesce(excluded.call_id, workflow_steps.call_id), exited_at = excluded.exited_at`,
    values: [
      plainArray(steps.map((s) => s.leadId)),
      plainArray(steps.map((s) => s.step)),
      plainArray(steps.map((s) => s.nodeId)),
      steps.map((s) => s.nodeLabel),
      plainArray(steps.map((s) => s.nodeType)),
      steps.map((s) => s.status),
      plainArray(steps.map((s) => s.callId)),
      timeArray(steps.map((s) => s.enteredAt.getTime())),
      timeArray(steps.map((s) => s.exitedAt?.getTime() ?? null)),
    ],
  });
}

interface StepRow {
  lead_id: string;
  step: number;
  node_id: string;
  node_label: string;
  node_type: NodeType;
  status: string;
  call_id: string | null;
  entered_at: Date;
  exited_at: Date | null;
}

/** In the order in which they were taken. */
export async function listSteps(db: Queryable, leadId: string): Promise<WorkflowStep[]> {
  const rows = await db.query<StepRow>({ text: 'select * from workflow_steps where lead_id = $1 order by step', values: [leadId] });
  return rows.map((row) => ({
    leadId: row.lead_id,
    step: row.step,
    nodeId: row.node_id,
    nodeLabel: row.node_label,
    nodeType: row.node_type,
    status: row.status,
    callId: row.call_id,
    enteredAt: row.entered_at,
    exitedAt: row.exited_at,
  }));
}

function toLead(row: Row): WorkflowLead {
  return {
    id: row.id,
    organizationId: row.organization_id,
    workflowId: row.workflow_id,
    phoneNumber: row.phone_number,
    metadata: row.metadata,
    status: row.status,
    outcome: row.outcome,
    currentNodeId: row.current_node_id,
    step: row.step,
    phase: row.phase,
    dueAt: row.due_at,
    tries: row.tries,
    callId: row.call_id,
    lastCall: row.last_call === null ? null : (JSON.parse(row.last_call) as LastCall),
    enrolledAt: row.enrolled_at,
    completedAt: row.completed_at,
  };
}
