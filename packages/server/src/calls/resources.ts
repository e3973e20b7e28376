import { organizationPublicId, publicId } from './ids.ts';
import type { Call, Campaign, CampaignLead, Workflow, WorkflowEdge, WorkflowLead, WorkflowNode, WorkflowStep } from './model.ts';

/** The vendor's shapes of everything here, for answers and for webhooks alike (contracts/dialnexa.md 2.5 and 3 to 5). */

export function toCall(call: Call) {
  return {
    id: publicId('call', call.id),
    agent_id: call.agentId,
    agent_version_number: call.agentVersionNumber,
    to_phone_number: call.toPhoneNumber,
    from_phone_number: call.fromPhoneNumber,
    status: call.status,
    end_reason: call.endReason,
    duration_seconds: call.durationSeconds,
    recording_url: call.recordingUrl,
    metadata: JSON.parse(call.metadata) as Record<string, unknown>,
    campaign_id: call.campaignId === null ? null : publicId('cmp', call.campaignId),
    lead_id: call.leadId === null ? null : publicId(call.campaignId === null ? 'wlead' : 'lead', call.leadId),
    created_at: call.createdAt,
    ended_at: call.endedAt,
  };
}

export function toCallLog(call: Call) {
  return {
    id: publicId('log', call.id),
    call_id: publicId('call', call.id),
    agent_id: call.agentId,
    status: call.status,
    sentiment: call.sentiment ?? 'unknown',
    duration_seconds: call.durationSeconds,
    recording_url: call.recordingUrl,
    analysis: call.analysis === null ? null : (JSON.parse(call.analysis) as unknown),
    end_reason: call.endReason,
    fallback_stt_transcriber_id: null,
    created_at: call.createdAt,
  };
}

export function toCallDetails(call: Call) {
  return { ...toCallLog(call), transcript: call.transcript, timeline: call.timeline };
}

export function toCampaign(campaign: Campaign) {
  const { callingLeads, completedLeads, failedLeads, pendingLeads } = campaign;
  return {
    id: publicId('cmp', campaign.id),
    organization_id: organizationPublicId(campaign.organizationId),
    name: campaign.name,
    agent_id: campaign.agentId,
    from_phone_number: campaign.fromPhoneNumber,
    status: campaign.status,
    max_concurrent_calls: campaign.maxConcurrentCalls,
    scheduled_at: campaign.scheduledAt,
    retry_config: { max_retries: campaign.maxRetries, retry_interval_minutes: campaign.retryIntervalMinutes },
    total_leads: pendingLeads + callingLeads + completedLeads + failedLeads,
    completed_calls: completedLeads,
    failed_calls: failedLeads,
    pending_calls: pendingLeads + callingLeads,
    created_at: campaign.createdAt,
  };
}

export function toCampaignLead(lead: CampaignLead) {
  return {
    id: publicId('lead', lead.id),
    name: lead.name,
    phone_number: lead.phoneNumber,
    campaign_id: publicId('cmp', lead.campaignId),
    status: lead.status,
    notes: JSON.parse(lead.notes) as Record<string, unknown>,
    call_log_id: lead.callId === null ? null : publicId('log', lead.callId),
    created_at: lead.createdAt,
  };
}

export function toWorkflow(workflow: Workflow) {
  return {
    id: publicId('wf', workflow.id),
    organization_id: organizationPublicId(workflow.organizationId),
    title: workflow.title,
    description: workflow.description,
    status: workflow.status,
    created_at: workflow.createdAt,
    updated_at: workflow.updatedAt,
  };
}

export function toNode(workflowId: string, node: WorkflowNode) {
  return {
    id: publicId('node', node.id),
    workflow_id: publicId('wf', workflowId),
    node_type: node.type,
    label: node.label,
    position_x: node.positionX,
    position_y: node.positionY,
    config: node.config,
  };
}

export function toEdge(workflowId: string, edge: WorkflowEdge) {
  return {
    id: publicId('edge', edge.id),
    workflow_id: publicId('wf', workflowId),
    from_node_id: publicId('node', edge.from),
    to_node_id: publicId('node', edge.to),
    label: edge.label,
  };
}

export function toWorkflowLead(lead: WorkflowLead) {
  return {
    id: publicId('wlead', lead.id),
    workflow_id: publicId('wf', lead.workflowId),
    phone_number: lead.phoneNumber,
    metadata: JSON.parse(lead.metadata) as Record<string, unknown>,
    status: lead.status,
    outcome: lead.outcome,
    current_node_id: lead.currentNodeId === null ? null : publicId('node', lead.currentNodeId),
    enrolled_at: lead.enrolledAt,
    completed_at: lead.completedAt,
  };
}

export function toHistoryEntry(step: WorkflowStep) {
  return {
    node_id: publicId('node', step.nodeId),
    node_label: step.nodeLabel,
    node_type: step.nodeType,
    status: step.status,
    call_id: step.callId === null ? null : publicId('call', step.callId),
    entered_at: step.enteredAt,
    exited_at: step.exitedAt,
  };
}
