import type { CallStatus, CampaignLeadStatus, CampaignStatus, WorkflowLeadStatus, WorkflowStatus } from './states.ts';

/** contracts/dialnexa.md 3 */
export const END_REASONS = [
  'user_disconnected',
  'agent_disconnected',
  'user_did_not_pick_up',
  'user_busy',
  'user_unreachable',
  'invalid_phone_number',
  'destination_forbidden',
  'network_failure',
  'voicemail_detected',
  'system_at_capacity',
  'insufficient_balance',
  'unknown',
] as const;
export type EndReason = (typeof END_REASONS)[number];

export const SENTIMENTS = ['positive', 'neutral', 'negative', 'unknown'] as const;
export type Sentiment = (typeof SENTIMENTS)[number];

export interface TimelineEntry {
  readonly event: string;
  readonly timestamp: string;
}

/** What belongs to a call from its beginning. */
export interface NewCall {
  readonly id: string;
  readonly organizationId: string;
  readonly campaignId: string | null;
  readonly workflowId: string | null;
  readonly leadId: string | null;
  /** 1 for the first call to a lead. */
  readonly attempt: number;
  readonly agentId: string;
  readonly agentVersionNumber: number;
  readonly toPhoneNumber: string;
  readonly fromPhoneNumber: string | null;
  /** JSON text of an object. */
  readonly metadata: string;
}

export interface Call extends NewCall {
  readonly status: CallStatus;
  readonly endReason: EndReason | null;
  readonly durationSeconds: number | null;
  readonly recordingUrl: string | null;
  readonly sentiment: Sentiment | null;
  readonly transcript: string | null;
  /** JSON text. */
  readonly analysis: string | null;
  readonly timeline: readonly TimelineEntry[];
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

/** What a call engine says of a call: how far it is, or how it ended. */
export interface CallReport {
  readonly callId: string;
  readonly status: CallStatus;
  readonly endReason?: EndReason | undefined;
  readonly durationSeconds?: number | undefined;
  readonly recordingUrl?: string | undefined;
  readonly sentiment?: Sentiment | undefined;
  readonly transcript?: string | undefined;
  /** JSON text. */
  readonly analysis?: string | undefined;
  /** Unix milliseconds; now when absent. */
  readonly occurredAt?: number | undefined;
}

/** What became of a report. `late`: it told less than is known already. `conflict`: the call ended in another way before. */
export type ReportResult = 'applied' | 'late' | 'conflict' | 'unknown_call';

export interface Campaign {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly agentId: string;
  readonly fromPhoneNumber: string | null;
  readonly status: CampaignStatus;
  readonly maxConcurrentCalls: number;
  readonly maxRetries: number;
  readonly retryIntervalMinutes: number;
  readonly scheduledAt: Date | null;
  /** Leads by status, removed ones left out. */
  readonly pendingLeads: number;
  readonly callingLeads: number;
  readonly completedLeads: number;
  readonly failedLeads: number;
  readonly callsPlaced: number;
  readonly createdAt: Date;
}

export interface CampaignLead {
  readonly id: string;
  readonly organizationId: string;
  readonly campaignId: string;
  readonly name: string | null;
  readonly phoneNumber: string;
  /** JSON text of an object. */
  readonly notes: string;
  readonly status: CampaignLeadStatus;
  readonly attempts: number;
  readonly callId: string | null;
  readonly createdAt: Date;
}

/** A row of a file of leads, or one lead that was given by itself. */
export interface NewLead {
  readonly phoneNumber: string;
  readonly name: string | null;
  /** JSON text of an object: notes of a campaign's lead, metadata of a workflow's. */
  readonly fields: string;
}

export interface Workflow {
  readonly id: string;
  readonly organizationId: string;
  readonly title: string;
  readonly description: string;
  readonly status: WorkflowStatus;
  readonly pausedAt: Date | null;
  readonly callingLeads: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const NODE_TYPES = ['VOICE_CALL', 'TIME', 'CONDITIONAL', 'APPLICATION', 'CONVERTED', 'DROPPED'] as const;
export type NodeType = (typeof NODE_TYPES)[number];

export interface WorkflowNode {
  readonly id: string;
  readonly type: NodeType;
  readonly label: string;
  readonly positionX: number;
  readonly positionY: number;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface WorkflowEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string | null;
}

/**
 * What a lead of a workflow waits for: to enter its node, for a timer, for an application's answer, for a free line,
 * for a call's end, for somebody who mends the graph, or for nothing any more.
 */
export type LeadPhase = 'enter' | 'timer' | 'request' | 'queue' | 'call' | 'stuck' | 'ended';

/** How a lead's last call went, as conditions see it. */
export interface LastCall {
  readonly status: CallStatus;
  readonly end_reason: EndReason | null;
  readonly duration_seconds: number | null;
  readonly sentiment: Sentiment | null;
}

export interface WorkflowLead {
  readonly id: string;
  readonly organizationId: string;
  readonly workflowId: string;
  readonly phoneNumber: string;
  /** JSON text of an object. */
  readonly metadata: string;
  readonly status: WorkflowLeadStatus;
  readonly outcome: string | null;
  readonly currentNodeId: string | null;
  readonly step: number;
  readonly phase: LeadPhase;
  readonly dueAt: Date | null;
  readonly tries: number;
  readonly callId: string | null;
  readonly lastCall: LastCall | null;
  readonly enrolledAt: Date;
  readonly completedAt: Date | null;
}

export interface WorkflowStep {
  readonly leadId: string;
  readonly step: number;
  readonly nodeId: string;
  readonly nodeLabel: string;
  readonly nodeType: NodeType;
  /** `in_progress`, or what came out of it. */
  readonly status: string;
  readonly callId: string | null;
  readonly enteredAt: Date;
  readonly exitedAt: Date | null;
}

export interface Page {
  /** From 1. */
  readonly page: number;
  readonly limit: number;
}

export interface Paged<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

export type CallErrorCode = 'not_found' | 'invalid' | 'conflict';

/** What is wrong with a call, a campaign or a workflow, as the caller may read it; one line for each bad field. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: CallErrorCode;
  readonly lines: readonly string[];
  constructor(code: CallErrorCode, ...lines: readonly string[]) {
    super(lines.join('; '));
    this.code = code;
    this.lines = lines;
  }
}
