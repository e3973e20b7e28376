import type { NewEvent } from '@dialhook/engine';
import type { Call, Campaign, Workflow, WorkflowLead } from './model.ts';
import { toCall, toCampaign, toWorkflowLead } from './resources.ts';
import { publicId } from './ids.ts';
import type { CallStatus } from './states.ts';

/** What a call's end tells the customer's webhooks (contracts/dialnexa.md 2.3); nothing where the table has nothing. */
export const CALL_EVENTS: Partial<Record<CallStatus, string>> = {
  completed: 'call.completed',
  no_answer: 'call.no_answer',
  did_not_pick: 'call.no_answer',
  failed: 'call.failed',
  busy: 'call.failed',
};

/** The event of a call that just ended. */
export function callEvent(call: Call): NewEvent | null {
  const type = CALL_EVENTS[call.status];
  return type === undefined ? null : { organizationId: call.organizationId, type, data: JSON.stringify({ call: toCall(call) }) };
}

export function campaignEvent(type: 'campaign.completed' | 'campaign.paused', campaign: Campaign): NewEvent {
  return { organizationId: campaign.organizationId, type, data: JSON.stringify({ campaign: toCampaign(campaign) }) };
}

export function leadCompletedEvent(workflow: Pick<Workflow, 'id' | 'title'>, lead: WorkflowLead): NewEvent {
  const data = { workflow: { id: publicId('wf', workflow.id), title: workflow.title }, lead: toWorkflowLead(lead) };
  return { organizationId: lead.organizationId, type: 'workflow.lead.completed', data: JSON.stringify(data) };
}
