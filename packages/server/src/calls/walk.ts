import type { EndedCall } from './calls.ts';
import { branchOf, delayMs, entryOf, nextOf, type Graph } from './graph.ts';
import { CALL_LIMITS } from './limits.ts';
import type { WorkflowLead, WorkflowNode, WorkflowStep } from './model.ts';
import type { CallStatus } from './states.ts';

/** A lead after it has gone as far as it can at one moment, and the steps that it took. */
export interface Walk {
  readonly lead: WorkflowLead;
  readonly steps: ReadonlyMap<number, WorkflowStep>;
}

/** What a call's end is called on edges, the special before the general (contracts/dialnexa.md 5). */
const CALL_OUTCOMES: Partial<Record<CallStatus, string>> = { completed: 'COMPLETED', no_answer: 'NO_ANSWER', did_not_pick: 'NO_ANSWER' };

/** Takes a lead from node to node until it must wait or has arrived. Nothing here touches the world. */
export class Walker {
  readonly #graph: Graph;
  readonly #now: Date;
  readonly #steps = new Map<number, WorkflowStep>();
  #lead: WorkflowLead;

  constructor(lead: WorkflowLead, graph: Graph, now: Date) {
    this.#lead = lead;
    this.#graph = graph;
    this.#now = now;
  }

  /** For a lead whose time has come: to enter a node, or to leave a time node. */
  go(): Walk {
    if (this.#lead.phase === 'timer') this.#leave(null, 'elapsed');
    for (let taken = 0; this.#lead.phase === 'enter' && taken < CALL_LIMITS.stepsPerLook; taken++) this.#enter();
    return this.#walked();
  }

  /** Leaves a voice call whose call has ended. */
  callEnded({ durationSeconds, endReason, id, sentiment, status }: EndedCall): Walk {
    this.#change({ lastCall: { status, end_reason: endReason, duration_seconds: durationSeconds, sentiment } });
    const general = CALL_OUTCOMES[status] ?? 'FAILED';
    this.#leave(endReason === 'voicemail_detected' ? ['VOICEMAIL', general] : [general], status, id);
    return this.#walked();
  }

  /** Counts a request that is about to be made. Should its node die, the lead is due again when the answer is overdue. */
  ask(): Walk {
    if (this.#lead.tries >= CALL_LIMITS.applicationTries) this.#leave(['failure'], 'failure');
    else {
      const dueAt = new Date(this.#now.getTime() + CALL_LIMITS.applicationTimeoutMs + CALL_LIMITS.applicationRetryMs);
      this.#change({ tries: this.#lead.tries + 1, dueAt });
    }
    return this.#walked();
  }

  /** Leaves an application node, or tries it again later. */
  answered(isSuccess: boolean): Walk {
    if (isSuccess) this.#leave(['success'], 'success');
    else if (this.#lead.tries >= CALL_LIMITS.applicationTries) this.#leave(['failure'], 'failure');
    else this.#change({ dueAt: new Date(this.#now.getTime() + CALL_LIMITS.applicationRetryMs) });
    return this.#walked();
  }

  #walked(): Walk {
    return { lead: this.#lead, steps: this.#steps };
  }

  #enter(): void {
    const lead = this.#lead;
    const node = lead.step === 0 ? entryOf(this.#graph) : (this.#graph.nodes.get(lead.currentNodeId ?? '') ?? null);
    if (node === null) return this.#change({ phase: 'stuck', dueAt: null });
    if (lead.step >= CALL_LIMITS.steps) return this.#end('failed', 'too_many_steps');
    this.#change({ status: 'in_progress', step: lead.step + 1, currentNodeId: node.id });
    this.#note(node, 'in_progress');
    switch (node.type) {
      case 'CONVERTED':
        this.#note(node, 'converted', this.#now);
        return this.#end('completed', 'converted');
      case 'DROPPED':
        this.#note(node, 'dropped', this.#now);
        return this.#end('dropped', 'dropped');
      case 'TIME':
        return this.#change({ phase: 'timer', dueAt: new Date(this.#now.getTime() + (delayMs(node) ?? 0)) });
      case 'CONDITIONAL': {
        const branch = branchOf(node, lead);
        return this.#leave([branch], branch === '' ? 'no_branch' : branch);
      }
      case 'APPLICATION':
        return this.#change({ phase: 'request', tries: 0, dueAt: this.#now });
      case 'VOICE_CALL':
        return this.#change({ phase: 'queue', dueAt: null });
      default:
        return node.type satisfies never;
    }
  }

  #leave(outcomes: readonly string[] | null, status: string, callId: string | null = null): void {
    const { currentNodeId } = this.#lead;
    const node = this.#graph.nodes.get(currentNodeId ?? '');
    const next = nextOf(this.#graph, currentNodeId ?? '', outcomes);
    if (node !== undefined) this.#note(node, status, this.#now, callId);
    if (next === 'end') this.#end('completed', 'end');
    else if (next === 'stuck') this.#change({ phase: 'stuck', dueAt: null });
    else this.#change({ phase: 'enter', currentNodeId: next.id, dueAt: this.#now, tries: 0 });
  }

  #end(status: 'completed' | 'dropped' | 'failed', outcome: string): void {
    this.#change({ status, outcome, phase: 'ended', dueAt: null, completedAt: this.#now });
  }

  #note(node: WorkflowNode, status: string, exitedAt: Date | null = null, callId: string | null = null): void {
    const { id: leadId, step } = this.#lead;
    const known = this.#steps.get(step);
    this.#steps.set(step, {
      leadId,
      step,
      nodeId: node.id,
      nodeLabel: node.label,
      nodeType: node.type,
      status,
      callId: callId ?? known?.callId ?? null,
      enteredAt: known?.enteredAt ?? this.#now,
      exitedAt,
    });
  }

  #change(change: Partial<WorkflowLead>): void {
    this.#lead = { ...this.#lead, ...change };
  }
}
