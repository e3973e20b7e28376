import type { DueSource, Queryable } from '@dialhook/engine';
import type { Graph } from '../graph.ts';
import type { NodeType, Page, Paged, Workflow, WorkflowEdge, WorkflowNode } from '../model.ts';
import type { WorkflowStatus } from '../states.ts';
import { paged } from './paged.ts';

interface Row {
  id: string;
  organization_id: string;
  title: string;
  description: string;
  status: WorkflowStatus;
  paused_at: Date | null;
  calling_leads: number;
  created_at: Date;
  updated_at: Date;
}

export async function insertWorkflow(tx: Queryable, workflow: Workflow): Promise<void> {
  await tx.query({
    text: `insert into workflows (id, organization_id, title, description, status, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)`,
    values: [workflow.id, workflow.organizationId, workflow.title, workflow.description, workflow.status, workflow.createdAt],
  });
}

export async function findWorkflow(db: Queryable, organizationId: string, id: string): Promise<Workflow | null> {
  const [row] = await db.query<Row>({
    text: 'select * from workflows where organization_id = $1 and id = $2',
    values: [organizationId, id],
  });
  return row ? toWorkflowRow(row) : null;
}

export async function listWorkflows(
  db: Queryable,
  organizationId: string,
  status: WorkflowStatus | undefined,
  page: Page,
): Promise<Paged<Workflow>> {
  const where = `organization_id = $1 and ($2::text is null or status = $2)`;
  const { rows, total } = await paged<Row>(db, { table: 'workflows', where, values: [organizationId, status ?? null] }, page);
  return { rows: rows.map(toWorkflowRow), total };
}

/** Holds a workflow, and with it the walk of its leads, until the transaction ends. */
export async function lockWorkflow(tx: Queryable, id: string): Promise<Workflow | null> {
  const [row] = await tx.query<Row>({ name: 'lock-workflow', text: 'select * from workflows where id = $1 for update', values: [id] });
  return row ? toWorkflowRow(row) : null;
}

/** When the next workflow is to be looked at. */
export const WORKFLOWS_DUE: DueSource = {
  name: 'workflows',
  text: 'select due_at from workflows where due_at is not null order by due_at limit 1',
};

/** Holds the workflow that is due longest and that nobody else holds. */
export async function lockDueWorkflow(tx: Queryable, now: Date): Promise<Workflow | null> {
  const [row] = await tx.query<Row>({
    name: 'lock-due-workflow',
    text: 'select * from workflows where due_at <= $1 order by due_at limit 1 for update skip locked',
    values: [now],
  });
  return row ? toWorkflowRow(row) : null;
}

/** Writes a workflow that the caller holds. */
export async function saveWorkflow(tx: Queryable, workflow: Workflow, dueAt: Date | null): Promise<void> {
  await tx.query({
    name: 'save-workflow',
    text: `update workflows set title = $2, description = $3, status = $4, paused_at = $5, calling_leads = $6, due_at = $7, updated_at = $8 where id = $1`,
    values: [
      workflow.id,
      workflow.title,
      workflow.description,
      workflow.status,
      workflow.pausedAt,
      workflow.callingLeads,
      dueAt,
      workflow.updatedAt,
    ],
  });
}

export async function deleteWorkflow(tx: Queryable, id: string): Promise<void> {
  await tx.query({ text: 'delete from workflows where id = $1', values: [id] });
}

interface NodeRow {
  id: string;
  node_type: NodeType;
  label: string;
  position_x: number;
  position_y: number;
  config: string;
}

export async function loadGraph(db: Queryable, workflowId: string): Promise<Graph> {
  const nodes = await db.query<NodeRow>({
    name: 'load-nodes',
    text: 'select * from workflow_nodes where workflow_id = $1 order by ordinal',
    values: [workflowId],
  });
  const edges = await db.query<WorkflowEdge>({
    name: 'load-edges',
    text: 'select id, from_node_id as "from", to_node_id as "to", label from workflow_edges where workflow_id = $1 order by ordinal',
    values: [workflowId],
  });
  return { nodes: new Map(nodes.map((row) => [row.id, toNodeRow(row)])), edges };
}

export async function insertNodes(tx: Queryable, workflowId: string, nodes: readonly WorkflowNode[]): Promise<void> {
  await tx.query({
    text: `insert into workflow_nodes (id, organization_id, workflow_id, node_type, label, position_x, position_y, config)
           select id, (select organization_id from workflows where id = $1), $1, node_type, label, x, y, config
             from unnest($2::uuid[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::text[])
               with ordinality as i (id, node_type, label, x, y, config, place)
            order by place`,
    values: [
      workflowId,
      nodes.map(({ id }) => id),
      nodes.map(({ type }) => type),
      nodes.map(({ label }) => label),
      nodes.map(({ positionX }) => positionX),
      nodes.map(({ positionY }) => positionY),
      nodes.map(({ config }) => JSON.stringify(config)),
    ],
  });
}

export async function updateNode(tx: Queryable, node: WorkflowNode): Promise<void> {
  await tx.query({
    text: 'update workflow_nodes set label = $2, position_x = $3, position_y = $4, config = $5 where id = $1',
    values: [node.id, node.label, node.positionX, node.positionY, JSON.stringify(node.config)],
  });
}

/** Its edges go with it. */
export async function deleteNode(tx: Queryable, id: string): Promise<void> {
  await tx.query({ text: 'delete from workflow_nodes where id = $1', values: [id] });
}

export async function insertEdges(tx: Queryable, workflowId: string, edges: readonly WorkflowEdge[]): Promise<void> {
  await tx.query({
    text: `insert into workflow_edges (id, organization_id, workflow_id, from_node_id, to_node_id, label)
           select id, (select organization_id from workflows where id = $1), $1, from_node, to_node, label
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) with ordinality as i (id, from_node, to_node, label, place)
            order by place`,
    values: [
      workflowId,
      edges.map(({ id }) => id),
      edges.map(({ from }) => from),
      edges.map(({ to }) => to),
      edges.map(({ label }) => label),
    ],
  });
}

export async function deleteEdge(tx: Queryable, id: string): Promise<void> {
  await tx.query({ text: 'delete from workflow_edges where id = $1', values: [id] });
}

function toWorkflowRow(row: Row): Workflow {
  return {
    id: row.id,
    organizationId: row.organization_id,
    title: row.title,
    description: row.description,
    status: row.status,
    pausedAt: row.paused_at,
    callingLeads: row.calling_leads,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toNodeRow(row: NodeRow): WorkflowNode {
  return {
    id: row.id,
    type: row.node_type,
    label: row.label,
    positionX: row.position_x,
    positionY: row.position_y,
    config: JSON.parse(row.config) as Record<string, unknown>,
  };
}
