import type { StateTable } from '../states.ts';

/** Every state machine of calls, campaigns and workflows. Statements and verbs ask these tables; nothing else decides. */

/** contracts/dialnexa.md 3: progress goes forward, in leaps if reports are missing, and every call ends once. */
export const CALL_STATUSES = [
  'created',
  'initiated',
  'sent',
  'received',
  'completed',
  'did_not_pick',
  'busy',
  'no_answer',
  'failed',
  'cancelled',
  'retry_expired',
] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];

const ENDS = ['completed', 'did_not_pick', 'busy', 'no_answer', 'failed', 'cancelled', 'retry_expired'] as const;

export const CALL_TRANSITIONS: StateTable<CallStatus> = {
  created: ['initiated', 'sent', 'received', ...ENDS],
  initiated: ['sent', 'received', ...ENDS],
  sent: ['received', ...ENDS],
  received: ENDS,
  completed: [],
  did_not_pick: [],
  busy: [],
  no_answer: [],
  failed: [],
  cancelled: [],
  retry_expired: [],
};

/** contracts/dialnexa.md 4 */
export const CAMPAIGN_STATUSES = ['draft', 'active', 'running', 'paused', 'completed', 'cancelled'] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

export const CAMPAIGN_TRANSITIONS: StateTable<CampaignStatus> = {
  draft: ['active', 'cancelled'],
  active: ['running', 'paused', 'completed', 'cancelled'],
  running: ['paused', 'completed', 'cancelled'],
  paused: ['active', 'running', 'completed', 'cancelled'], // completed: the last call was under way when it was paused
  completed: [],
  cancelled: [],
};

export const CAMPAIGN_LEAD_STATUSES = ['pending', 'in_progress', 'completed', 'failed', 'removed'] as const;
export type CampaignLeadStatus = (typeof CAMPAIGN_LEAD_STATUSES)[number];

export const CAMPAIGN_LEAD_TRANSITIONS: StateTable<CampaignLeadStatus> = {
  pending: ['in_progress', 'removed'],
  in_progress: ['pending', 'completed', 'failed', 'removed'], // pending: a retry, or a call that was withdrawn
  completed: ['removed'],
  failed: ['removed'],
  removed: [],
};

/** contracts/dialnexa.md 5 */
export const WORKFLOW_STATUSES = ['draft', 'active', 'paused', 'completed', 'cancelled'] as const;
export type WorkflowStatus = (typeof WORKFLOW_STATUSES)[number];

export const WORKFLOW_TRANSITIONS: StateTable<WorkflowStatus> = {
  draft: ['active', 'cancelled'],
  active: ['paused', 'cancelled'],
  paused: ['active', 'cancelled'],
  completed: [], // the vendor's older records have it; nothing of ours leads there, since leads may come at any time
  cancelled: [],
};

export const WORKFLOW_LEAD_STATUSES = ['pending', 'in_progress', 'completed', 'dropped', 'failed', 'removed'] as const;
export type WorkflowLeadStatus = (typeof WORKFLOW_LEAD_STATUSES)[number];

export const WORKFLOW_LEAD_TRANSITIONS: StateTable<WorkflowLeadStatus> = {
  pending: ['in_progress', 'removed'],
  in_progress: ['completed', 'dropped', 'failed', 'removed'],
  completed: [],
  dropped: ['removed'],
  failed: ['removed'],
  removed: [],
};
