import { uuidv7, type Clock, type Database, type Transaction } from '@dialhook/engine';
import { isFinal } from '../states.ts';
import { checkConfig, checkGraph, entryOf, type Graph } from './graph.ts';
import { withOrderedIds } from './ids.ts';
import { CALL_LIMITS } from './limits.ts';
import {
  CallError,
  type NewLead,
  type Page,
  type Paged,
  type Workflow,
  type WorkflowEdge,
  type WorkflowLead,
  type WorkflowNode,
  type WorkflowStep,
} from './model.ts';
import { WORKFLOW_LEAD_TRANSITIONS, WORKFLOW_TRANSITIONS, type WorkflowLeadStatus, type WorkflowStatus } from './states.ts';
import {
  countByNode,
  findWorkflowLead,
  insertWorkflowLeads,
  listSteps,
  listWorkflowLeads,
  saveWorkflowLeads,
  strandWorkflowLeads,
} from './store/workflow-leads.ts';
import {
  deleteEdge,
  deleteNode,
  deleteWorkflow,
  findWorkflow,
  insertEdges,
  insertNodes,
  insertWorkflow,
  listWorkflows,
  loadGraph,
  lockWorkflow,
  updateNode,
} from './store/workflows.ts';
import type { WorkflowRuns } from './workflow-runs.ts';

export interface WorkflowsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly runs: WorkflowRuns;
  /** Whether application nodes have something to call. */
  readonly canAsk: boolean;
}

export type WorkflowVerb = 'activate' | 'pause' | 'resume' | 'cancel';

/** From and to of each verb; the table of states must know the way (contracts/dialnexa.md 5). */
const VERBS: Record<WorkflowVerb, { readonly from: readonly WorkflowStatus[]; readonly to: WorkflowStatus; readonly past: string }> = {
  activate: { from: ['draft'], to: 'active', past: 'activated' },
  pause: { from: ['active'], to: 'paused', past: 'paused' },
  resume: { from: ['paused'], to: 'active', past: 'resumed' },
  cancel: { from: ['draft', 'active', 'paused'], to: 'cancelled', past: 'cancelled' },
};

export type NodeChange = Partial<Omit<WorkflowNode, 'id' | 'type'>>;

/** Workflows: graphs that leads walk. What changes one holds its row, and so comes before or after every move of its leads. */
export class Workflows {
  readonly #options: WorkflowsOptions;

  constructor(options: WorkflowsOptions) {
    this.#options = options;
  }

  async create(workflow: Pick<Workflow, 'organizationId' | 'title' | 'description'>): Promise<Workflow> {
    const { clock, database } = this.#options;
    const now = new Date(clock.now());
    const rest = { status: 'draft', pausedAt: null, callingLeads: 0, createdAt: now, updatedAt: now } as const;
    const created: Workflow = { ...workflow, ...rest, id: uuidv7(clock.now()) };
    await insertWorkflow(database, created);
    return created;
  }

  /** Throws `not_found`. */
  async find(organizationId: string, id: string | null): Promise<Workflow> {
    const workflow = id === null ? null : await findWorkflow(this.#options.database, organizationId, id);
    if (workflow === null) throw new CallError('not_found', 'Workflow not found');
    return workflow;
  }

  /** Newest first. */
  list(organizationId: string, status: WorkflowStatus | undefined, page: Page): Promise<Paged<Workflow>> {
    return listWorkflows(this.#options.database.reads, organizationId, status, page);
  }

  async graph(organizationId: string, id: string | null): Promise<Graph> {
    return loadGraph(this.#options.database, (await this.find(organizationId, id)).id);
  }

  /** How many leads are at each node. */
  async counts(organizationId: string, id: string | null): Promise<{ node: string; count: number }[]> {
    return countByNode(this.#options.database.reads, (await this.find(organizationId, id)).id);
  }

  rename(organizationId: string, id: string | null, change: { readonly title?: string; readonly description?: string }): Promise<Workflow> {
    return this.#held(organizationId, id, (tx, workflow) => this.#options.runs.look(tx, { ...workflow, ...change }));
  }

  /** Throws `conflict` where the table of states has no way, and `invalid` for a graph that cannot be walked. */
  act(organizationId: string, id: string | null, verb: WorkflowVerb): Promise<Workflow> {
    const { canAsk, runs } = this.#options;
    const { from, past, to } = VERBS[verb];
    return this.#held(organizationId, id, async (tx, workflow) => {
      if (!from.includes(workflow.status) || !WORKFLOW_TRANSITIONS[workflow.status].includes(to))
        throw new CallError('conflict', `A ${workflow.status} workflow cannot be ${past}`);
      if (verb === 'pause') return runs.pause(tx, workflow);
      if (verb === 'resume') return runs.resume(tx, workflow);
      if (verb === 'cancel') return runs.cancel(tx, workflow);
      const problems = checkGraph(await loadGraph(tx, workflow.id), canAsk);
      if (problems.length > 0) throw new CallError('invalid', ...problems);
      return runs.look(tx, { ...workflow, status: to });
    });
  }

  /** A draft with the same graph and no leads. */
  async duplicate(organizationId: string, id: string | null): Promise<Workflow> {
    const { clock, database } = this.#options;
    const original = await this.find(organizationId, id);
    const graph = await loadGraph(database, original.id);
    const now = clock.now();
    const copies = new Map([...graph.nodes.keys()].map((nodeId) => [nodeId, uuidv7(now)]));
    const title = `${original.title} (Copy)`;
    const created = new Date(now);
    const copy: Workflow = {
      ...original,
      id: uuidv7(now),
      title,
      status: 'draft',
      pausedAt: null,
      callingLeads: 0,
      createdAt: created,
      updatedAt: created,
    };
    const edges = graph.edges.map((edge) => ({ ...edge, id: uuidv7(now), from: copies.get(edge.from)!, to: copies.get(edge.to)! }));
    await database.transaction(async (tx) => {
      await insertWorkflow(tx, copy);
      await insertNodes(
        tx,
        copy.id,
        [...graph.nodes.values()].map((node) => ({ ...node, id: copies.get(node.id)! })),
      );
      await insertEdges(tx, copy.id, edges);
    });
    return copy;
  }

  async delete(organizationId: string, id: string | null): Promise<void> {
    await this.#held(organizationId, id, async (tx, workflow) => {
      if (workflow.status === 'active' || workflow.status === 'paused')
        throw new CallError('conflict', `A workflow that is ${workflow.status} cannot be deleted: cancel it first`);
      if (workflow.callingLeads > 0) throw new CallError('conflict', 'A call of this workflow is still under way');
      await deleteWorkflow(tx, workflow.id);
    });
  }

  // --- the graph ---

  addNode(organizationId: string, id: string | null, node: Omit<WorkflowNode, 'id'>): Promise<WorkflowNode> {
    return this.#editing(organizationId, id, async (tx, workflow, graph) => {
      if (graph.nodes.size >= CALL_LIMITS.workflowNodes)
        throw new CallError('invalid', `a workflow may have at most ${CALL_LIMITS.workflowNodes} nodes`);
      refuse(checkConfig(node.type, node.config));
      const created = { ...node, id: uuidv7(this.#options.clock.now()) };
      await insertNodes(tx, workflow.id, [created]);
      return created;
    });
  }

  changeNode(organizationId: string, id: string | null, nodeId: string | null, change: NodeChange): Promise<WorkflowNode> {
    return this.#editing(organizationId, id, async (tx, _workflow, graph) => {
      const changed = { ...nodeOf(graph, nodeId), ...change };
      refuse(checkConfig(changed.type, changed.config));
      await updateNode(tx, changed);
      return changed;
    });
  }

  /** Its edges go with it; leads that wait there are stranded. */
  async deleteNode(organizationId: string, id: string | null, nodeId: string | null): Promise<void> {
    await this.#editing(organizationId, id, async (tx, workflow, graph) => {
      const { id: gone } = nodeOf(graph, nodeId);
      const nodes = new Map([...graph.nodes].filter(([other]) => other !== gone));
      const edges = graph.edges.filter(({ from, to }) => from !== gone && to !== gone);
      if (workflow.status !== 'draft' && entryOf({ nodes, edges }) === null)
        throw new CallError('conflict', 'Without this node the workflow would have no entry');
      await deleteNode(tx, gone);
      await strandWorkflowLeads(tx, workflow.id, gone);
    });
  }

  addEdge(
    organizationId: string,
    id: string | null,
    edge: { from: string | null; to: string | null; label: string | null },
  ): Promise<WorkflowEdge> {
    return this.#editing(organizationId, id, async (tx, workflow, graph) => {
      if (graph.edges.length >= CALL_LIMITS.workflowEdges)
        throw new CallError('invalid', `a workflow may have at most ${CALL_LIMITS.workflowEdges} edges`);
      const { from, to } = edge;
      refuse([
        ...(graph.nodes.has(from ?? '') ? [] : ['from_node_id must be a node of this workflow']),
        ...(graph.nodes.has(to ?? '') ? [] : ['to_node_id must be a node of this workflow']),
      ]);
      const created = { id: uuidv7(this.#options.clock.now()), from: from!, to: to!, label: edge.label };
      await insertEdges(tx, workflow.id, [created]);
      return created;
    });
  }

  async deleteEdge(organizationId: string, id: string | null, edgeId: string | null): Promise<void> {
    await this.#editing(organizationId, id, async (tx, _workflow, graph) => {
      if (!graph.edges.some((edge) => edge.id === edgeId)) throw new CallError('not_found', 'Edge not found');
      await deleteEdge(tx, edgeId!);
    });
  }

  // --- leads ---

  /** Enrols leads; they begin at the entry, at once or when the workflow goes on. */
  async enrol(organizationId: string, id: string | null, leads: readonly NewLead[]): Promise<void> {
    const { clock, runs } = this.#options;
    await this.#held(organizationId, id, async (tx, workflow) => {
      if (isFinal(WORKFLOW_TRANSITIONS, workflow.status))
        throw new CallError('conflict', `Leads cannot be added to a ${workflow.status} workflow`);
      const now = clock.now();
      const withIds = withOrderedIds(leads, now);
      for (let from = 0; from < withIds.length; from += CALL_LIMITS.insertLeads) {
        const some = withIds.slice(from, from + CALL_LIMITS.insertLeads);
        await insertWorkflowLeads(tx, workflow, some, workflow.pausedAt ?? new Date(now), new Date(now));
      }
      await runs.look(tx, workflow);
    });
  }

  /** Newest first. */
  async listLeads(
    organizationId: string,
    id: string | null,
    status: WorkflowLeadStatus | undefined,
    page: Page,
  ): Promise<Paged<WorkflowLead>> {
    return listWorkflowLeads(this.#options.database.reads, (await this.find(organizationId, id)).id, status, page);
  }

  async history(organizationId: string, id: string | null, leadId: string | null): Promise<{ lead: WorkflowLead; steps: WorkflowStep[] }> {
    const { database } = this.#options;
    const workflow = await this.find(organizationId, id);
    const lead = leadId === null ? null : await findWorkflowLead(database, workflow.id, leadId);
    if (lead === null) throw new CallError('not_found', 'Lead not found');
    return { lead, steps: await listSteps(database, lead.id) };
  }

  /** Takes a lead out; a call that is under way goes on to its end. */
  async removeLead(organizationId: string, id: string | null, leadId: string | null): Promise<void> {
    await this.#held(organizationId, id, async (tx, workflow) => {
      const lead = leadId === null ? null : await findWorkflowLead(tx, workflow.id, leadId);
      if (lead === null) throw new CallError('not_found', 'Lead not found');
      if (!WORKFLOW_LEAD_TRANSITIONS[lead.status].includes('removed'))
        throw new CallError('conflict', `A lead that is ${lead.status} cannot be removed`);
      await saveWorkflowLeads(tx, [{ ...lead, status: 'removed', phase: 'ended', dueAt: null }]);
    });
  }

  async #held<T>(organizationId: string, id: string | null, work: (tx: Transaction, workflow: Workflow) => Promise<T>): Promise<T> {
    return this.#options.database.transaction(async (tx) => {
      const workflow = id === null ? null : await lockWorkflow(tx, id);
      if (workflow === null || workflow.organizationId !== organizationId) throw new CallError('not_found', 'Workflow not found');
      return work(tx, workflow);
    });
  }

  #editing<T>(
    organizationId: string,
    id: string | null,
    work: (tx: Transaction, workflow: Workflow, graph: Graph) => Promise<T>,
  ): Promise<T> {
    return this.#held(organizationId, id, async (tx, workflow) => {
      if (isFinal(WORKFLOW_TRANSITIONS, workflow.status))
        throw new CallError('conflict', `A ${workflow.status} workflow cannot be changed`);
      return work(tx, workflow, await loadGraph(tx, workflow.id));
    });
  }
}

function nodeOf(graph: Graph, id: string | null): WorkflowNode {
  const node = graph.nodes.get(id ?? '');
  if (node === undefined) throw new CallError('not_found', 'Node not found');
  return node;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new CallError('invalid', ...problems);
}
