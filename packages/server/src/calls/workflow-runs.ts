import { uuidv7, type Clock, type Database, type Engine, type Transaction } from '@dialhook/engine';
import type { ApplicationRequest } from './applications.ts';
import type { CallOwner, Calls, EndedCall } from './calls.ts';
import { leadCompletedEvent } from './events.ts';
import { configOf, type Graph } from './graph.ts';
import { CALL_LIMITS } from './limits.ts';
import type { NewCall, Workflow, WorkflowLead, WorkflowStep } from './model.ts';
import { cancelCalls } from './store/calls.ts';
import { withdrawLive } from './store/live-calls.ts';
import {
  dueWorkflowLeads,
  loadWorkflowLeads,
  nextWorkflowLead,
  queuedWorkflowLeads,
  saveSteps,
  saveWorkflowLeads,
  shiftWorkflowLeads,
  waitingLeads,
} from './store/workflow-leads.ts';
import { loadGraph, lockDueWorkflow, lockWorkflow, saveWorkflow } from './store/workflows.ts';
import { Walker, type Walk } from './walk.ts';

export interface WorkflowRunsOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly calls: Calls;
  /** A workflow is to be looked at, at this time (Unix ms). */
  readonly onDue: (time: number) => void;
  /** A lead waits for the application from this time on (Unix ms). */
  readonly onWaiting: (time: number) => void;
}

/**
 * Moves the leads of workflows. A workflow's row is held by whatever moves them: a timer, a call's end, an application's
 * answer, a pause. Each move commits together with the calls that it starts and the events that it fires.
 */
export class WorkflowRuns implements CallOwner {
  readonly #options: WorkflowRunsOptions;

  constructor(options: WorkflowRunsOptions) {
    this.#options = options;
  }

  async lock(tx: Transaction, id: string): Promise<void> {
    await lockWorkflow(tx, id);
  }

  async ended(tx: Transaction, id: string, calls: readonly EndedCall[]): Promise<void> {
    const workflow = (await lockWorkflow(tx, id))!; // held already; a workflow with calls is not deleted
    const leads = new Map(
      (
        await loadWorkflowLeads(
          tx,
          calls.map(({ leadId }) => leadId!),
        )
      ).map((lead) => [lead.id, lead]),
    );
    const graph = await loadGraph(tx, id);
    const now = this.#leadTime(workflow);
    const walks: Walk[] = [];
    for (const call of calls) {
      const lead = leads.get(call.leadId!);
      if (lead?.phase === 'call' && lead.callId === call.id) walks.push(new Walker(lead, graph, now).callEnded(call));
    }
    await this.#store(tx, workflow, walks);
    await this.look(tx, { ...workflow, callingLeads: workflow.callingLeads - calls.length }, graph);
  }

  /** Looks at the workflow that is due longest; false when none is. */
  async step(): Promise<boolean> {
    const { clock, database } = this.#options;
    return database.transaction(async (tx) => {
      const workflow = await lockDueWorkflow(tx, new Date(clock.now()));
      if (workflow === null) return false;
      await this.look(tx, workflow);
      return true;
    });
  }

  /** Moves what is due in a workflow that is held, and saves it. */
  async look(tx: Transaction, given: Workflow, known?: Graph): Promise<Workflow> {
    const { clock } = this.#options;
    const now = new Date(clock.now());
    if (given.status !== 'active') {
      await saveWorkflow(tx, { ...given, updatedAt: now }, null);
      return given;
    }
    const graph = known ?? (await loadGraph(tx, given.id));
    const due = await dueWorkflowLeads(tx, given.id, now, CALL_LIMITS.leadsPerLook);
    const walks = due.map((lead) => new Walker(lead, graph, now).go());
    await this.#store(tx, given, walks);
    const workflow = await this.#callQueued(tx, given, graph, now);
    const next = await nextWorkflowLead(tx, workflow.id);
    await saveWorkflow(tx, { ...workflow, updatedAt: now }, next);
    if (next !== null) tx.afterCommit(() => this.#options.onDue(next.getTime()));
    return workflow;
  }

  /** Stops everything that has not begun; timers stand still until `resume`. */
  async pause(tx: Transaction, workflow: Workflow): Promise<Workflow> {
    const now = new Date(this.#options.clock.now());
    const paused = { ...(await this.#withdraw(tx, workflow, now)), status: 'paused' as const, pausedAt: now };
    return this.look(tx, paused);
  }

  async resume(tx: Transaction, workflow: Workflow): Promise<Workflow> {
    const stood = this.#options.clock.now() - (workflow.pausedAt?.getTime() ?? this.#options.clock.now());
    await shiftWorkflowLeads(tx, workflow.id, stood);
    return this.look(tx, { ...workflow, status: 'active', pausedAt: null });
  }

  async cancel(tx: Transaction, workflow: Workflow): Promise<Workflow> {
    const now = new Date(this.#options.clock.now());
    return this.look(tx, { ...(await this.#withdraw(tx, workflow, now)), status: 'cancelled', pausedAt: null });
  }

  /** Counts a try for so many leads that wait for the application, and gives their requests. */
  async claimRequests(workflowId: string, limit: number): Promise<ApplicationRequest[]> {
    return this.#options.database.transaction(async (tx) => {
      const workflow = await lockWorkflow(tx, workflowId);
      if (workflow?.status !== 'active') return [];
      const graph = await loadGraph(tx, workflowId);
      const now = new Date(this.#options.clock.now());
      const waiting = await waitingLeads(tx, workflowId, now, limit);
      const walks = waiting.map((lead) => new Walker(lead, graph, now).ask());
      await this.#store(tx, workflow, walks);
      const asking = walks.filter(({ lead }) => lead.phase === 'request');
      if (asking.length < walks.length) await this.look(tx, workflow, graph); // the last try of some was a dead node's
      return asking.map(({ lead }) => requestOf(lead, graph));
    });
  }

  /** Rejects while the database is away: then the request is made again when its answer is overdue. */
  async answered({ leadId, step, workflowId }: ApplicationRequest, isSuccess: boolean): Promise<void> {
    await this.#options.database.transaction(async (tx) => {
      const workflow = await lockWorkflow(tx, workflowId);
      const [lead] = workflow === null ? [] : await loadWorkflowLeads(tx, [leadId]);
      if (workflow === null || lead?.phase !== 'request' || lead.step !== step) return; // taken out, or answered before
      const graph = await loadGraph(tx, workflowId);
      await this.#store(tx, workflow, [new Walker(lead, graph, this.#leadTime(workflow)).answered(isSuccess)]);
      await this.look(tx, workflow, graph);
    });
  }

  /** What the time is for leads: it stands still while the workflow is paused. */
  #leadTime(workflow: Workflow): Date {
    return workflow.pausedAt ?? new Date(this.#options.clock.now());
  }

  async #store(tx: Transaction, workflow: Workflow, walks: readonly Walk[]): Promise<void> {
    await saveWorkflowLeads(
      tx,
      walks.map(({ lead }) => lead),
    );
    await saveSteps(
      tx,
      walks.flatMap(({ steps }) => [...steps.values()]),
    );
    const waiting = walks.filter(({ lead }) => lead.phase === 'request').map(({ lead }) => lead.dueAt!.getTime());
    if (waiting.length > 0) tx.afterCommit(() => this.#options.onWaiting(Math.min(...waiting)));
    const completed = walks.filter(({ lead }) => lead.status === 'completed');
    if (completed.length > 0)
      await this.#options.engine.publish(
        tx,
        completed.map(({ lead }) => leadCompletedEvent(workflow, lead)),
      );
  }

  async #callQueued(tx: Transaction, workflow: Workflow, graph: Graph, now: Date): Promise<Workflow> {
    const free = Math.min(CALL_LIMITS.workflowCalls - workflow.callingLeads, CALL_LIMITS.leadsPerLook);
    const queued = free > 0 ? await queuedWorkflowLeads(tx, workflow.id, free) : [];
    if (queued.length === 0) return workflow;
    const calls: NewCall[] = [];
    const leads: WorkflowLead[] = [];
    const steps: WorkflowStep[] = [];
    for (const lead of queued) {
      const node = graph.nodes.get(lead.currentNodeId!)!; // a node that is deleted strands its queue
      const { agent_id: agentId, from_phone_number: fromPhoneNumber } = configOf(node, 'VOICE_CALL');
      const id = uuidv7(now.getTime());
      calls.push({
        id,
        organizationId: workflow.organizationId,
        campaignId: null,
        workflowId: workflow.id,
        leadId: lead.id,
        attempt: lead.step,
        agentId: agentId ?? '',
        agentVersionNumber: 1,
        toPhoneNumber: lead.phoneNumber,
        fromPhoneNumber: fromPhoneNumber ?? null,
        metadata: lead.metadata,
      });
      leads.push({ ...lead, phase: 'call', callId: id });
      const { label: nodeLabel, type: nodeType } = node;
      steps.push({
        leadId: lead.id,
        step: lead.step,
        nodeId: node.id,
        nodeLabel,
        nodeType,
        status: 'in_progress',
        callId: id,
        enteredAt: now,
        exitedAt: null,
      });
    }
    await saveWorkflowLeads(tx, leads);
    await saveSteps(tx, steps);
    await this.#options.calls.place(tx, calls);
    return { ...workflow, callingLeads: workflow.callingLeads + calls.length };
  }

  /** Takes back the calls that nobody dials yet; their leads wait for a line as before. */
  async #withdraw(tx: Transaction, workflow: Workflow, now: Date): Promise<Workflow> {
    const withdrawn = await withdrawLive(tx, 'workflow_id', workflow.id);
    await cancelCalls(
      tx,
      withdrawn.map(({ call }) => call),
      now,
    );
    const leads = await loadWorkflowLeads(
      tx,
      withdrawn.map(({ leadId }) => leadId!),
    );
    await saveWorkflowLeads(
      tx,
      leads.filter(({ phase }) => phase === 'call').map((lead) => ({ ...lead, phase: 'queue' as const, callId: null })),
    );
    return { ...workflow, callingLeads: workflow.callingLeads - withdrawn.length };
  }
}

function requestOf(lead: WorkflowLead, graph: Graph): ApplicationRequest {
  const node = graph.nodes.get(lead.currentNodeId!)!; // the walk has just entered it
  const { action = null, parameters = {} } = configOf(node, 'APPLICATION');
  const { id: leadId, lastCall, metadata, organizationId, phoneNumber, step, workflowId } = lead;
  return {
    organizationId,
    workflowId,
    leadId,
    step,
    phoneNumber,
    metadata,
    lastCall,
    node: { id: node.id, label: node.label, action, parameters },
  };
}
