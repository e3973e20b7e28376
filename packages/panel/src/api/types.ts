// Made by `npm run generate` from openapi.json: change the server's schemas instead.

export type DeletePanelOrganizationsSlugApiKeysKeyId = {
  id: string;
  kind: "optimaldial" | "outboundiq" | "dialnexa";
  name: string;
  prefix: string;
  user_id: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
  created_at: string;
};

export type DeleteV1UserWebhooksWebhookId = {
  message: string;
};

export type GetDials = {
  success: true;
  dials: {
    id: string;
    companySlug: string;
    callId: string | null;
    callDirection: string;
    timestamp: string;
    ani: string | null;
    phone: string | null;
    campaign: string | null;
    campaignInternalId: string | null;
    agent: string | null;
    disposition: string | null;
    dispositionId: string | null;
    contact: boolean;
    success: boolean;
    isSystemDispo: boolean;
    totalDialAttempts: number | null;
  }[];
  next_cursor: string | null;
};

export type GetPanelOrganizationsSlugApiKeys = {
  data: {
    id: string;
    kind: "optimaldial" | "outboundiq" | "dialnexa";
    name: string;
    prefix: string;
    user_id: string;
    expires_at: string | null;
    last_used_at: string | null;
    revoked_at: string | null;
    created_at: string;
  }[];
};

export type GetPanelOrganizationsSlugDeliveries = {
  data: {
    id: string;
    endpoint_id: string;
    event_id: string;
    event_type: string;
    status: "pending" | "in_flight" | "delivered" | "exhausted";
    attempt_count: number;
    scheduled_at: string;
    last_attempt_at: string | null;
    last_response_status: number | null;
    last_error: string | null;
    created_at: string;
    finished_at: string | null;
  }[];
  next_cursor: string | null;
  searched_until?: string | null;
};

export type GetPanelOrganizationsSlugDeliveriesDeliveryId = {
  id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: "pending" | "in_flight" | "delivered" | "exhausted";
  attempt_count: number;
  scheduled_at: string;
  last_attempt_at: string | null;
  last_response_status: number | null;
  last_error: string | null;
  created_at: string;
  finished_at: string | null;
  attempts: {
    number: number;
    started_at: string;
    duration_ms: number;
    response_status: number | null;
    response_body: string | null;
    error: string | null;
  }[];
};

export type GetPanelOrganizationsSlugEndpoints = {
  data: {
    id: string;
    dialect: string;
    url: string;
    name: string | null;
    description: string | null;
    events: string[] | null;
    is_active: boolean;
    paused_at: string | null;
    rate_limit: number | null;
    disabled_at: string | null;
    disabled_reason: string | null;
    verified_at: string | null;
    last_success_at: string | null;
    last_failure_at: string | null;
    consecutive_failures: number;
    created_at: string;
    updated_at: string;
  }[];
  next_cursor: string | null;
};

export type GetPanelOrganizationsSlugEndpointsEndpointId = {
  id: string;
  dialect: string;
  url: string;
  name: string | null;
  description: string | null;
  events: string[] | null;
  is_active: boolean;
  paused_at: string | null;
  rate_limit: number | null;
  disabled_at: string | null;
  disabled_reason: string | null;
  verified_at: string | null;
  last_success_at: string | null;
  last_failure_at: string | null;
  consecutive_failures: number;
  created_at: string;
  updated_at: string;
};

export type GetPanelOrganizationsSlugInvitations = {
  data: {
    id: string;
    email: string | null;
    role: "owner" | "member";
    made_by: string | null;
    created_at: string;
    expires_at: string;
  }[];
};

export type GetPanelOrganizationsSlugListsListId = {
  id: string;
  status: "pending_mapping" | "validating" | "validation_failed" | "awaiting_confirmation" | "ready_for_processing" | "processing" | "completed" | "failed" | "cancelled";
  source: "web" | "api";
  filename: string;
  file_size_bytes: number;
  total_rows: number;
  valid_rows: number;
  invalid_rows: number;
  duplicate_rows: number;
  credits_required: number;
  credits_charged: number;
  credits_refunded: number | null;
  error_message: string | null;
  summary: {
    statuses: Record<string, number>;
    regions: Record<string, number>;
    time_zones: Record<string, number>;
  } | null;
  created_at: string;
  updated_at: string;
};

export type GetPanelOrganizationsSlugMembers = {
  data: {
    user_id: string;
    email: string | null;
    pending_email: string | null;
    name: string;
    role: "owner" | "member";
    created_at: string;
  }[];
};

export type GetPanelOrganizationsSlugReplays = {
  data: {
    id: string;
    status: "running" | "completed" | "cancelled";
    total: number;
    replayed: number;
    skipped: number;
    created_at: string;
    finished_at: string | null;
  }[];
};

export type GetPanelOrganizationsSlugRetention = {
  days: number;
};

export type GetPanelOrganizationsSlugUncleanedDials = {
  data: {
    id: string;
    raw: string;
    error: string;
    failed_at: string;
  }[];
  next_cursor: string | null;
};

export type GetV1CallLogs = {
  data: {
    id: string;
    call_id: string;
    agent_id: string;
    status: "created" | "initiated" | "sent" | "received" | "completed" | "did_not_pick" | "busy" | "no_answer" | "failed" | "cancelled" | "retry_expired";
    sentiment: "positive" | "neutral" | "negative" | "unknown";
    duration_seconds: number | null;
    recording_url: string | null;
    analysis: unknown;
    end_reason: "user_disconnected" | "agent_disconnected" | "user_did_not_pick_up" | "user_busy" | "user_unreachable" | "invalid_phone_number" | "destination_forbidden" | "network_failure" | "voicemail_detected" | "system_at_capacity" | "insufficient_balance" | "unknown" | null;
    fallback_stt_transcriber_id: null;
    created_at: string;
  }[];
  meta: {
    page: number;
    limit: number;
    total: number;
    totalPages: number;
  };
};

export type GetV1CallLogsId = {
  id: string;
  call_id: string;
  agent_id: string;
  status: "created" | "initiated" | "sent" | "received" | "completed" | "did_not_pick" | "busy" | "no_answer" | "failed" | "cancelled" | "retry_expired";
  sentiment: "positive" | "neutral" | "negative" | "unknown";
  duration_seconds: number | null;
  recording_url: string | null;
  analysis: unknown;
  end_reason: "user_disconnected" | "agent_disconnected" | "user_did_not_pick_up" | "user_busy" | "user_unreachable" | "invalid_phone_number" | "destination_forbidden" | "network_failure" | "voicemail_detected" | "system_at_capacity" | "insufficient_balance" | "unknown" | null;
  fallback_stt_transcriber_id: null;
  created_at: string;
};

export type GetV1CallLogsIdDetails = {
  id: string;
  call_id: string;
  agent_id: string;
  status: "created" | "initiated" | "sent" | "received" | "completed" | "did_not_pick" | "busy" | "no_answer" | "failed" | "cancelled" | "retry_expired";
  sentiment: "positive" | "neutral" | "negative" | "unknown";
  duration_seconds: number | null;
  recording_url: string | null;
  analysis: unknown;
  end_reason: "user_disconnected" | "agent_disconnected" | "user_did_not_pick_up" | "user_busy" | "user_unreachable" | "invalid_phone_number" | "destination_forbidden" | "network_failure" | "voicemail_detected" | "system_at_capacity" | "insufficient_balance" | "unknown" | null;
  fallback_stt_transcriber_id: null;
  created_at: string;
  transcript: string | null;
  timeline: {
    event: string;
    timestamp: string;
  }[];
};

export type GetV1Calls = {
  data: {
    id: string;
    agent_id: string;
    agent_version_number: number;
    to_phone_number: string;
    from_phone_number: string | null;
    status: "created" | "initiated" | "sent" | "received" | "completed" | "did_not_pick" | "busy" | "no_answer" | "failed" | "cancelled" | "retry_expired";
    end_reason: "user_disconnected" | "agent_disconnected" | "user_did_not_pick_up" | "user_busy" | "user_unreachable" | "invalid_phone_number" | "destination_forbidden" | "network_failure" | "voicemail_detected" | "system_at_capacity" | "insufficient_balance" | "unknown" | null;
    duration_seconds: number | null;
    recording_url: string | null;
    metadata: Record<string, unknown>;
    campaign_id: string | null;
    lead_id: string | null;
    created_at: string;
    ended_at: string | null;
  }[];
  meta: {
    page: number;
    limit: number;
    total: number;
    totalPages: number;
  };
};

export type GetV1CallsId = {
  id: string;
  agent_id: string;
  agent_version_number: number;
  to_phone_number: string;
  from_phone_number: string | null;
  status: "created" | "initiated" | "sent" | "received" | "completed" | "did_not_pick" | "busy" | "no_answer" | "failed" | "cancelled" | "retry_expired";
  end_reason: "user_disconnected" | "agent_disconnected" | "user_did_not_pick_up" | "user_busy" | "user_unreachable" | "invalid_phone_number" | "destination_forbidden" | "network_failure" | "voicemail_detected" | "system_at_capacity" | "insufficient_balance" | "unknown" | null;
  duration_seconds: number | null;
  recording_url: string | null;
  metadata: Record<string, unknown>;
  campaign_id: string | null;
  lead_id: string | null;
  created_at: string;
  ended_at: string | null;
};

export type GetV1Campaigns = {
  data: {
    id: string;
    organization_id: string;
    name: string;
    agent_id: string;
    from_phone_number: string | null;
    status: "draft" | "active" | "running" | "paused" | "completed" | "cancelled";
    max_concurrent_calls: number;
    scheduled_at: string | null;
    retry_config: {
      max_retries: number;
      retry_interval_minutes: number;
    };
    total_leads: number;
    completed_calls: number;
    failed_calls: number;
    pending_calls: number;
    created_at: string;
  }[];
  meta: {
    page: number;
    limit: number;
    total: number;
    totalPages: number;
  };
};

export type GetV1CampaignsIdStatus = {
  id: string;
  status: "draft" | "active" | "running" | "paused" | "completed" | "cancelled";
  total_leads: number;
  completed_calls: number;
  failed_calls: number;
  pending_calls: number;
};

export type GetV1CampaignsLeads = {
  data: {
    id: string;
    name: string | null;
    phone_number: string;
    campaign_id: string;
    status: "pending" | "in_progress" | "completed" | "failed" | "removed";
    notes: Record<string, unknown>;
    call_log_id: string | null;
    created_at: string;
  }[];
  meta: {
    page: number;
    limit: number;
    total: number;
    totalPages: number;
  };
};

export type GetV1Workflows = {
  data: {
    id: string;
    organization_id: string;
    title: string;
    description: string;
    status: "draft" | "active" | "paused" | "completed" | "cancelled";
    created_at: string;
    updated_at: string;
  }[];
  meta: {
    page: number;
    limit: number;
    total: number;
    totalPages: number;
  };
};

export type GetV1WorkflowsIdEdges = {
  data: {
    id: string;
    workflow_id: string;
    from_node_id: string;
    to_node_id: string;
    label: string | null;
  }[];
};

export type GetV1WorkflowsIdLeads = {
  data: {
    id: string;
    workflow_id: string;
    phone_number: string;
    metadata: Record<string, unknown>;
    status: "pending" | "in_progress" | "completed" | "dropped" | "failed" | "removed";
    outcome: string | null;
    current_node_id: string | null;
    enrolled_at: string;
    completed_at: string | null;
  }[];
  meta: {
    page: number;
    limit: number;
    total: number;
    totalPages: number;
  };
};

export type GetV1WorkflowsIdLeadsLeadIdHistory = {
  id: string;
  workflow_id: string;
  history: {
    node_id: string;
    node_label: string;
    node_type: "VOICE_CALL" | "TIME" | "CONDITIONAL" | "APPLICATION" | "CONVERTED" | "DROPPED";
    status: string;
    call_id: string | null;
    entered_at: string;
    exited_at: string | null;
  }[];
};

export type GetV1WorkflowsIdNodes = {
  data: {
    id: string;
    workflow_id: string;
    node_type: "VOICE_CALL" | "TIME" | "CONDITIONAL" | "APPLICATION" | "CONVERTED" | "DROPPED";
    label: string;
    position_x: number;
    position_y: number;
    config: Record<string, unknown>;
  }[];
};

export type PatchPanelOrganizationsSlugEndpointsEndpointId = {
  url?: string;
  name?: string | null;
  description?: string | null;
  events?: string[];
  headers?: Record<string, string>;
  is_active?: boolean;
  rate_limit?: number | null;
};

export type PatchPanelOrganizationsSlugMembersUserId = {
  role: "owner" | "member";
};

export type PatchPanelOrganizationsSlugMembersUserId2 = {
  user_id: string;
  email: string | null;
  pending_email: string | null;
  name: string;
  role: "owner" | "member";
  created_at: string;
};

export type PatchV1CampaignsId = {
  name?: string;
  agent_id?: string;
  max_concurrent_calls?: number;
  retry_config?: {
    max_retries?: number;
    retry_interval_minutes?: number;
  };
  retry_policy?: {
    max_retries?: number;
    retry_interval_minutes?: number;
  };
  status?: "paused" | "running" | "active" | "cancelled";
};

export type PatchV1CampaignsLeadsId = {
  name?: string | null;
  phoneNumber?: string;
  countryCode?: string;
  notes?: Record<string, string | number | boolean | null>;
};

export type PatchV1WorkflowsId = {
  title?: string;
  description?: string;
  status?: unknown;
};

export type PatchV1WorkflowsIdNodesNodeId = {
  label?: string;
  position_x?: number;
  position_y?: number;
  config?: Record<string, unknown>;
  node_type?: unknown;
};

export type PostDials = {
  campaign_id: string;
  campaign_name: string;
  agent_name: string;
  ani?: string;
  prospect_phone?: string;
  from_number?: string;
  to_number?: string;
  disposition_name: string;
  datetime: string;
  call_direction: string;
  zip: string;
  sys_created_date_original: string;
  total_dial_attempts: string | number;
  skill_name: string;
  lead_source: string;
  dial_id?: string;
};

export type PostDials2 = {
  message: "dial queued";
};

export type PostPanelOrganizationsSlugApiKeys = {
  kind: "optimaldial" | "outboundiq" | "dialnexa";
  name?: string;
  user_id?: string;
  expires_at?: string;
};

export type PostPanelOrganizationsSlugApiKeys2 = {
  id: string;
  kind: "optimaldial" | "outboundiq" | "dialnexa";
  name: string;
  prefix: string;
  user_id: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
  created_at: string;
  key: string;
};

export type PostPanelOrganizationsSlugDeliveriesDeliveryIdResend = {
  id: string;
};

export type PostPanelOrganizationsSlugEndpoints = {
  endpoint: {
    id: string;
    dialect: string;
    url: string;
    name: string | null;
    description: string | null;
    events: string[] | null;
    is_active: boolean;
    paused_at: string | null;
    rate_limit: number | null;
    disabled_at: string | null;
    disabled_reason: string | null;
    verified_at: string | null;
    last_success_at: string | null;
    last_failure_at: string | null;
    consecutive_failures: number;
    created_at: string;
    updated_at: string;
  };
  secret: string;
};

export type PostPanelOrganizationsSlugEndpoints2 = {
  dialect: "standard" | "optimaldial" | "outboundiq" | "dialnexa";
  url: string;
  secret?: string;
  name?: string | null;
  description?: string | null;
  events?: string[];
  headers?: Record<string, string>;
  is_active?: boolean;
  rate_limit?: number | null;
};

export type PostPanelOrganizationsSlugEndpointsEndpointIdRotateSecret = {
  secret?: string;
};

export type PostPanelOrganizationsSlugInvitations = {
  url: string;
  expires_at: string;
};

export type PostPanelOrganizationsSlugInvitations2 = {
  role: "owner" | "member";
  email: string;
};

export type PostPanelOrganizationsSlugOutboundiqCustomAnis = {
  success: true;
  message?: string;
  ani?: Record<string, unknown>;
};

export type PostPanelOrganizationsSlugOutboundiqCustomCampaigns = {
  success: true;
  message?: string;
  campaign?: Record<string, unknown>;
};

export type PostPanelOrganizationsSlugOutboundiqCustomDispos = {
  success: true;
  message?: string;
  dispo?: Record<string, unknown>;
};

export type PostPanelOrganizationsSlugReplays = {
  id: string;
  status: "running" | "completed" | "cancelled";
  total: number;
  replayed: number;
  skipped: number;
  created_at: string;
  finished_at: string | null;
};

export type PostPanelOrganizationsSlugReplaysCount = {
  since: string;
  until?: string;
  endpoint?: string;
  event_type?: string;
  status?: "delivered" | "exhausted";
};

export type PostPanelOrganizationsSlugReplaysCount2 = {
  count: number;
  at_least: boolean;
};

export type PostPanelOrganizationsSlugUncleanedDialsClean = {
  tried: number;
};

export type PostV1Calls = {
  agent_id: string;
  to_phone_number: string;
  from_phone_number?: string;
  agent_version_number?: number;
  metadata?: Record<string, string | number | boolean | null>;
};

export type PostV1Calls2 = {
  id: string;
  to_phone_number: string;
  agent_id: string;
  agent_version_number: number;
  status: "created" | "initiated" | "sent" | "received" | "completed" | "did_not_pick" | "busy" | "no_answer" | "failed" | "cancelled" | "retry_expired";
  created_at: string;
};

export type PostV1Campaigns = {
  id: string;
  organization_id: string;
  name: string;
  agent_id: string;
  from_phone_number: string | null;
  status: "draft" | "active" | "running" | "paused" | "completed" | "cancelled";
  max_concurrent_calls: number;
  scheduled_at: string | null;
  retry_config: {
    max_retries: number;
    retry_interval_minutes: number;
  };
  total_leads: number;
  completed_calls: number;
  failed_calls: number;
  pending_calls: number;
  created_at: string;
};

export type PostV1Campaigns2 = {
  name: string;
  agent_id: string;
  from_phone_number: string;
  scheduled_at?: string | null;
  status?: "draft" | "active";
  max_concurrent_calls?: number;
  retry_config?: {
    max_retries?: number;
    retry_interval_minutes?: number;
  };
};

export type PostV1CampaignsIdPause = {
  id: string;
  status: "draft" | "active" | "running" | "paused" | "completed" | "cancelled";
};

export type PostV1CampaignsLeads = {
  id: string;
  name: string | null;
  phone_number: string;
  campaign_id: string;
  status: "pending" | "in_progress" | "completed" | "failed" | "removed";
  notes: Record<string, unknown>;
  call_log_id: string | null;
  created_at: string;
};

export type PostV1CampaignsLeads2 = {
  name?: string | null;
  phoneNumber: string;
  campaignId: string;
  countryCode?: string;
  notes?: Record<string, string | number | boolean | null>;
};

export type PostV1CampaignsLeadsUploadFileId2 = {
  campaign_id: string;
  leads_created: number;
  leads_skipped: number;
  message: string;
};

export type PostV1Workflows = {
  id: string;
  organization_id: string;
  title: string;
  description: string;
  status: "draft" | "active" | "paused" | "completed" | "cancelled";
  created_at: string;
  updated_at: string;
};

export type PostV1Workflows2 = {
  title: string;
  description?: string;
  status?: "draft";
};

export type PostV1WorkflowsIdActivate = {
  id: string;
  status: "draft" | "active" | "paused" | "completed" | "cancelled";
};

export type PostV1WorkflowsIdEdges = {
  from_node_id: string;
  to_node_id: string;
  label?: string | null;
};

export type PostV1WorkflowsIdEdges2 = {
  id: string;
  workflow_id: string;
  from_node_id: string;
  to_node_id: string;
  label: string | null;
};

export type PostV1WorkflowsIdLeads = {
  workflow_id: string;
  leads_enrolled: number;
  message: string;
};

export type PostV1WorkflowsIdNodes = {
  id: string;
  workflow_id: string;
  node_type: "VOICE_CALL" | "TIME" | "CONDITIONAL" | "APPLICATION" | "CONVERTED" | "DROPPED";
  label: string;
  position_x: number;
  position_y: number;
  config: Record<string, unknown>;
};

export type PostV1WorkflowsIdNodes2 = {
  node_type: "VOICE_CALL" | "TIME" | "CONDITIONAL" | "APPLICATION" | "CONVERTED" | "DROPPED";
  label: string;
  position_x?: number;
  position_y?: number;
  config?: Record<string, unknown>;
};

export type PutPanelOrganizationsSlugRetention = {
  days: number | null;
};

/** Every route of the panel's API. */
export interface Api {
  /** What a sign-in link is for */
  'POST /panel/links/look': {
    params: {  };
    query: {  };
    body: {
      token: string;
    };
    answer: {
      purpose: "sign_in" | "invitation";
      organization: string | null;
      role: "owner" | "member" | null;
      email: string | null;
    };
  };
  /** Sign in with a link, once */
  'POST /panel/links/redeem': {
    params: {  };
    query: {  };
    body: {
      token: string;
      joining?: {
        email: string;
        name: string;
        password: string;
      };
      replace?: boolean;
    };
    answer: undefined;
  };
  /** Who is signed in */
  'GET /panel/me': {
    params: {  };
    query: {  };
    body: undefined;
    answer: {
      user: {
        id: string;
        email: string | null;
        pending_email: string | null;
        name: string;
        has_password: boolean;
      };
      organizations: {
        slug: string;
        name: string;
        plan: "list_processing" | "spam_monitoring" | null;
        credits: number;
        role: "owner" | "member";
      }[];
      calls: "external" | "simulator";
      allows_private_targets: boolean;
      public_url: string;
    };
  };
  /** Change name, e-mail or password */
  'PATCH /panel/me': {
    params: {  };
    query: {  };
    body: {
      name?: string;
      email?: string;
      password?: string;
      current_password?: string;
    };
    answer: undefined;
  };
  /** Create an API key; it is shown once */
  'POST /panel/organizations/{slug}/api-keys': {
    params: { slug: string };
    query: {  };
    body: PostPanelOrganizationsSlugApiKeys;
    answer: PostPanelOrganizationsSlugApiKeys2;
  };
  /** List API keys */
  'GET /panel/organizations/{slug}/api-keys': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugApiKeys;
  };
  /** Revoke an API key */
  'DELETE /panel/organizations/{slug}/api-keys/{key_id}': {
    params: { slug: string; key_id: string };
    query: {  };
    body: undefined;
    answer: DeletePanelOrganizationsSlugApiKeysKeyId;
  };
  /** List deliveries, newest first */
  'GET /panel/organizations/{slug}/deliveries': {
    params: { slug: string };
    query: { status?: "pending" | "in_flight" | "delivered" | "exhausted" | "undelivered"; since?: string; until?: string; endpoint?: string; event_type?: string; response_status?: number; search?: string; limit?: number; cursor?: string };
    body: undefined;
    answer: GetPanelOrganizationsSlugDeliveries;
  };
  /** Follow the delivery log */
  'GET /panel/organizations/{slug}/deliveries/tail': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Retrieve a delivery with its attempts */
  'GET /panel/organizations/{slug}/deliveries/{delivery_id}': {
    params: { slug: string; delivery_id: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugDeliveriesDeliveryId;
  };
  /** The bytes and headers that are sent for a delivery, and when its next attempts are planned */
  'GET /panel/organizations/{slug}/deliveries/{delivery_id}/request': {
    params: { slug: string; delivery_id: string };
    query: {  };
    body: undefined;
    answer: {
      url: string;
      headers: Record<string, string>;
      body: string;
      planned_at: string[];
    };
  };
  /** Send a delivery again */
  'POST /panel/organizations/{slug}/deliveries/{delivery_id}/resend': {
    params: { slug: string; delivery_id: string };
    query: {  };
    body: undefined;
    answer: PostPanelOrganizationsSlugDeliveriesDeliveryIdResend;
  };
  /** List the log of calls that have ended, newest first */
  'GET /panel/organizations/{slug}/dialnexa/call-logs': {
    params: { slug: string };
    query: { page?: number; limit?: number };
    body: undefined;
    answer: GetV1CallLogs;
  };
  /** List the log of a campaign’s calls, newest first */
  'GET /panel/organizations/{slug}/dialnexa/call-logs/campaign/{id}': {
    params: { slug: string; id: string };
    query: { page?: number; limit?: number };
    body: undefined;
    answer: GetV1CallLogs;
  };
  /** Retrieve a log entry */
  'GET /panel/organizations/{slug}/dialnexa/call-logs/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: GetV1CallLogsId;
  };
  /** Retrieve a log entry with transcript and timeline */
  'GET /panel/organizations/{slug}/dialnexa/call-logs/{id}/details': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: GetV1CallLogsIdDetails;
  };
  /** Place a call */
  'POST /panel/organizations/{slug}/dialnexa/calls': {
    params: { slug: string };
    query: {  };
    body: PostV1Calls;
    answer: PostV1Calls2;
  };
  /** List calls, newest first */
  'GET /panel/organizations/{slug}/dialnexa/calls': {
    params: { slug: string };
    query: { page?: number; limit?: number; agent_id?: string; status?: "created" | "initiated" | "sent" | "received" | "completed" | "did_not_pick" | "busy" | "no_answer" | "failed" | "cancelled" | "retry_expired"; from?: string; to?: string };
    body: undefined;
    answer: GetV1Calls;
  };
  /** Retrieve a call */
  'GET /panel/organizations/{slug}/dialnexa/calls/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: GetV1CallsId;
  };
  /** Create a campaign */
  'POST /panel/organizations/{slug}/dialnexa/campaigns': {
    params: { slug: string };
    query: {  };
    body: PostV1Campaigns2;
    answer: PostV1Campaigns;
  };
  /** List campaigns, newest first */
  'GET /panel/organizations/{slug}/dialnexa/campaigns': {
    params: { slug: string };
    query: { page?: number; limit?: number; status?: "draft" | "active" | "running" | "paused" | "completed" | "cancelled" };
    body: undefined;
    answer: GetV1Campaigns;
  };
  /** Add a lead to a campaign */
  'POST /panel/organizations/{slug}/dialnexa/campaigns-leads': {
    params: { slug: string };
    query: {  };
    body: PostV1CampaignsLeads2;
    answer: PostV1CampaignsLeads;
  };
  /** List a campaign’s leads, newest first */
  'GET /panel/organizations/{slug}/dialnexa/campaigns-leads': {
    params: { slug: string };
    query: { page?: number; limit?: number; campaignId: string; status?: "pending" | "in_progress" | "completed" | "failed" | "removed" };
    body: undefined;
    answer: GetV1CampaignsLeads;
  };
  /** Add the leads of a CSV or XLSX file to a campaign */
  'POST /panel/organizations/{slug}/dialnexa/campaigns-leads/upload-file/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: FormData;
    answer: PostV1CampaignsLeadsUploadFileId2;
  };
  /** Retrieve a lead */
  'GET /panel/organizations/{slug}/dialnexa/campaigns-leads/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1CampaignsLeads;
  };
  /** Change a lead that was not called yet */
  'PATCH /panel/organizations/{slug}/dialnexa/campaigns-leads/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: PatchV1CampaignsLeadsId;
    answer: PostV1CampaignsLeads;
  };
  /** Remove a lead */
  'DELETE /panel/organizations/{slug}/dialnexa/campaigns-leads/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: DeleteV1UserWebhooksWebhookId;
  };
  /** Retrieve a campaign */
  'GET /panel/organizations/{slug}/dialnexa/campaigns/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1Campaigns;
  };
  /** Change a campaign, or pause, resume, cancel it */
  'PATCH /panel/organizations/{slug}/dialnexa/campaigns/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: PatchV1CampaignsId;
    answer: PostV1Campaigns;
  };
  /** Cancel a campaign */
  'POST /panel/organizations/{slug}/dialnexa/campaigns/{id}/cancel': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1CampaignsIdPause;
  };
  /** Pause a campaign */
  'POST /panel/organizations/{slug}/dialnexa/campaigns/{id}/pause': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1CampaignsIdPause;
  };
  /** Resume a campaign */
  'POST /panel/organizations/{slug}/dialnexa/campaigns/{id}/resume': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1CampaignsIdPause;
  };
  /** Retrieve a campaign’s status and counts */
  'GET /panel/organizations/{slug}/dialnexa/campaigns/{id}/status': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: GetV1CampaignsIdStatus;
  };
  /** Create a workflow, as a draft */
  'POST /panel/organizations/{slug}/dialnexa/workflows': {
    params: { slug: string };
    query: {  };
    body: PostV1Workflows2;
    answer: PostV1Workflows;
  };
  /** List workflows, newest first */
  'GET /panel/organizations/{slug}/dialnexa/workflows': {
    params: { slug: string };
    query: { page?: number; limit?: number; status?: "draft" | "active" | "paused" | "completed" | "cancelled" };
    body: undefined;
    answer: GetV1Workflows;
  };
  /** Retrieve a workflow */
  'GET /panel/organizations/{slug}/dialnexa/workflows/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1Workflows;
  };
  /** Change title and description */
  'PATCH /panel/organizations/{slug}/dialnexa/workflows/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: PatchV1WorkflowsId;
    answer: PostV1Workflows;
  };
  /** Delete a workflow that is not active */
  'DELETE /panel/organizations/{slug}/dialnexa/workflows/{id}': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: DeleteV1UserWebhooksWebhookId;
  };
  /** Activate a workflow */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/activate': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1WorkflowsIdActivate;
  };
  /** Cancel a workflow */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/cancel': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1WorkflowsIdActivate;
  };
  /** Copy a workflow’s graph into a new draft */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/duplicate': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1Workflows;
  };
  /** Add an edge; edges are tried in the order of their creation */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/edges': {
    params: { slug: string; id: string };
    query: {  };
    body: PostV1WorkflowsIdEdges;
    answer: PostV1WorkflowsIdEdges2;
  };
  /** List edges */
  'GET /panel/organizations/{slug}/dialnexa/workflows/{id}/edges': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: GetV1WorkflowsIdEdges;
  };
  /** Delete an edge */
  'DELETE /panel/organizations/{slug}/dialnexa/workflows/{id}/edges/{edge_id}': {
    params: { slug: string; id: string; edge_id: string };
    query: {  };
    body: undefined;
    answer: DeleteV1UserWebhooksWebhookId;
  };
  /** List a workflow’s leads, newest first */
  'GET /panel/organizations/{slug}/dialnexa/workflows/{id}/leads': {
    params: { slug: string; id: string };
    query: { page?: number; limit?: number; status?: "pending" | "in_progress" | "completed" | "dropped" | "failed" | "removed" };
    body: undefined;
    answer: GetV1WorkflowsIdLeads;
  };
  /** Enrol the leads of a CSV or XLSX file */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/leads': {
    params: { slug: string; id: string };
    query: {  };
    body: FormData;
    answer: PostV1WorkflowsIdLeads;
  };
  /** Remove a lead */
  'DELETE /panel/organizations/{slug}/dialnexa/workflows/{id}/leads/{lead_id}': {
    params: { slug: string; id: string; lead_id: string };
    query: {  };
    body: undefined;
    answer: DeleteV1UserWebhooksWebhookId;
  };
  /** Retrieve the steps that a lead took */
  'GET /panel/organizations/{slug}/dialnexa/workflows/{id}/leads/{lead_id}/history': {
    params: { slug: string; id: string; lead_id: string };
    query: {  };
    body: undefined;
    answer: GetV1WorkflowsIdLeadsLeadIdHistory;
  };
  /** Add a node */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes': {
    params: { slug: string; id: string };
    query: {  };
    body: PostV1WorkflowsIdNodes2;
    answer: PostV1WorkflowsIdNodes;
  };
  /** List nodes */
  'GET /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: GetV1WorkflowsIdNodes;
  };
  /** Change a node; its type stays */
  'PATCH /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes/{node_id}': {
    params: { slug: string; id: string; node_id: string };
    query: {  };
    body: PatchV1WorkflowsIdNodesNodeId;
    answer: PostV1WorkflowsIdNodes;
  };
  /** Delete a node and its edges; leads that wait there are stranded */
  'DELETE /panel/organizations/{slug}/dialnexa/workflows/{id}/nodes/{node_id}': {
    params: { slug: string; id: string; node_id: string };
    query: {  };
    body: undefined;
    answer: DeleteV1UserWebhooksWebhookId;
  };
  /** Pause a workflow */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/pause': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1WorkflowsIdActivate;
  };
  /** Resume a workflow */
  'POST /panel/organizations/{slug}/dialnexa/workflows/{id}/resume': {
    params: { slug: string; id: string };
    query: {  };
    body: undefined;
    answer: PostV1WorkflowsIdActivate;
  };
  /** Register an endpoint; its secret is shown once */
  'POST /panel/organizations/{slug}/endpoints': {
    params: { slug: string };
    query: {  };
    body: PostPanelOrganizationsSlugEndpoints2;
    answer: PostPanelOrganizationsSlugEndpoints;
  };
  /** List endpoints, newest first */
  'GET /panel/organizations/{slug}/endpoints': {
    params: { slug: string };
    query: { limit?: number; cursor?: string; dialect?: string };
    body: undefined;
    answer: GetPanelOrganizationsSlugEndpoints;
  };
  /** How endpoints did in the last 24 hours */
  'GET /panel/organizations/{slug}/endpoints/health': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: {
      data: {
        endpoint_id: string;
        delivered: number;
        failed: number;
        p95_ms: number | null;
        hourly: {
          delivered: number;
          failed: number;
        }[];
      }[];
    };
  };
  /** Retrieve an endpoint */
  'GET /panel/organizations/{slug}/endpoints/{endpoint_id}': {
    params: { slug: string; endpoint_id: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugEndpointsEndpointId;
  };
  /** Change an endpoint */
  'PATCH /panel/organizations/{slug}/endpoints/{endpoint_id}': {
    params: { slug: string; endpoint_id: string };
    query: {  };
    body: PatchPanelOrganizationsSlugEndpointsEndpointId;
    answer: GetPanelOrganizationsSlugEndpointsEndpointId;
  };
  /** Delete an endpoint */
  'DELETE /panel/organizations/{slug}/endpoints/{endpoint_id}': {
    params: { slug: string; endpoint_id: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Stop sending to an endpoint; its deliveries wait */
  'POST /panel/organizations/{slug}/endpoints/{endpoint_id}/pause': {
    params: { slug: string; endpoint_id: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugEndpointsEndpointId;
  };
  /** Send again, what waited first */
  'POST /panel/organizations/{slug}/endpoints/{endpoint_id}/resume': {
    params: { slug: string; endpoint_id: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugEndpointsEndpointId;
  };
  /** Replace the signing secret; the new one is shown once */
  'POST /panel/organizations/{slug}/endpoints/{endpoint_id}/rotate-secret': {
    params: { slug: string; endpoint_id: string };
    query: {  };
    body: PostPanelOrganizationsSlugEndpointsEndpointIdRotateSecret;
    answer: PostPanelOrganizationsSlugEndpoints;
  };
  /** Send one signed sample to an endpoint; it is not retried */
  'POST /panel/organizations/{slug}/endpoints/{endpoint_id}/test': {
    params: { slug: string; endpoint_id: string };
    query: {  };
    body: undefined;
    answer: {
      success: boolean;
      status: number | null;
      error: string | null;
    };
  };
  /** List open invitations */
  'GET /panel/organizations/{slug}/invitations': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugInvitations;
  };
  /** Invite somebody by a link, which is shown once */
  'POST /panel/organizations/{slug}/invitations': {
    params: { slug: string };
    query: {  };
    body: PostPanelOrganizationsSlugInvitations2;
    answer: PostPanelOrganizationsSlugInvitations;
  };
  /** Revoke an open invitation */
  'DELETE /panel/organizations/{slug}/invitations/{invitation_id}': {
    params: { slug: string; invitation_id: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Make a new link for an open invitation; the old one ends */
  'POST /panel/organizations/{slug}/invitations/{invitation_id}/resend': {
    params: { slug: string; invitation_id: string };
    query: {  };
    body: undefined;
    answer: PostPanelOrganizationsSlugInvitations;
  };
  /** List lists, newest first */
  'GET /panel/organizations/{slug}/lists': {
    params: { slug: string };
    query: { limit?: number; cursor?: string };
    body: undefined;
    answer: {
      data: {
        id: string;
        status: "pending_mapping" | "validating" | "validation_failed" | "awaiting_confirmation" | "ready_for_processing" | "processing" | "completed" | "failed" | "cancelled";
        source: "web" | "api";
        filename: string;
        file_size_bytes: number;
        total_rows: number;
        valid_rows: number;
        invalid_rows: number;
        duplicate_rows: number;
        credits_required: number;
        credits_charged: number;
        credits_refunded: number | null;
        error_message: string | null;
        summary: {
          statuses: Record<string, number>;
          regions: Record<string, number>;
          time_zones: Record<string, number>;
        } | null;
        created_at: string;
        updated_at: string;
      }[];
      next_cursor: string | null;
    };
  };
  /** Upload a CSV; its columns are mapped next */
  'POST /panel/organizations/{slug}/lists': {
    params: { slug: string };
    query: {  };
    body: FormData;
    answer: GetPanelOrganizationsSlugListsListId;
  };
  /** Retrieve a list */
  'GET /panel/organizations/{slug}/lists/{list_id}': {
    params: { slug: string; list_id: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugListsListId;
  };
  /** Cancel a list before it is processed; what it cost comes back */
  'DELETE /panel/organizations/{slug}/lists/{list_id}': {
    params: { slug: string; list_id: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugListsListId;
  };
  /** Pay for a list and have it processed */
  'POST /panel/organizations/{slug}/lists/{list_id}/confirm': {
    params: { slug: string; list_id: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugListsListId;
  };
  /** Make a download link: original, processed or processed-filtered */
  'GET /panel/organizations/{slug}/lists/{list_id}/download/{file}': {
    params: { slug: string; list_id: string; file: string };
    query: {  };
    body: undefined;
    answer: {
      url: string;
    };
  };
  /** Say which column holds the numbers; every row is checked */
  'POST /panel/organizations/{slug}/lists/{list_id}/mapping': {
    params: { slug: string; list_id: string };
    query: {  };
    body: {
      phone_column: string;
      skip_mobile_lookup?: boolean;
      keep_formulas?: boolean;
    };
    answer: GetPanelOrganizationsSlugListsListId;
  };
  /** The columns and first rows of a list */
  'GET /panel/organizations/{slug}/lists/{list_id}/preview': {
    params: { slug: string; list_id: string };
    query: {  };
    body: undefined;
    answer: {
      columns: string[];
      rows: string[][];
      phone_column: string | null;
    };
  };
  /** List members */
  'GET /panel/organizations/{slug}/members': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugMembers;
  };
  /** Remove a member and revoke their keys */
  'DELETE /panel/organizations/{slug}/members/{user_id}': {
    params: { slug: string; user_id: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Make an owner of a member, or a member of an owner */
  'PATCH /panel/organizations/{slug}/members/{user_id}': {
    params: { slug: string; user_id: string };
    query: {  };
    body: PatchPanelOrganizationsSlugMembersUserId;
    answer: PatchPanelOrganizationsSlugMembersUserId2;
  };
  /** Add one of the anis */
  'POST /panel/organizations/{slug}/outboundiq/custom/anis': {
    params: { slug: string };
    query: {  };
    body: {
      number: string;
      country_code: "+1" | "+44";
      inbound_group_id: string;
      is_branded?: boolean | null;
      brand_name?: string | null;
      carrier_id?: string | null;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomAnis;
  };
  /** Change one of the anis */
  'PUT /panel/organizations/{slug}/outboundiq/custom/anis': {
    params: { slug: string };
    query: {  };
    body: {
      number: string;
      country_code?: "+1" | "+44";
      inbound_group_id?: string;
      is_branded?: boolean | null;
      brand_name?: string | null;
      carrier_id?: string | null;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomAnis;
  };
  /** Retrieve one of the anis */
  'GET /panel/organizations/{slug}/outboundiq/custom/anis': {
    params: { slug: string };
    query: { number: string };
    body: undefined;
    answer: PostPanelOrganizationsSlugOutboundiqCustomAnis;
  };
  /** Delete one of the anis */
  'DELETE /panel/organizations/{slug}/outboundiq/custom/anis': {
    params: { slug: string };
    query: {  };
    body: {
      number: string;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomAnis;
  };
  /** Add one of the campaigns */
  'POST /panel/organizations/{slug}/outboundiq/custom/campaigns': {
    params: { slug: string };
    query: {  };
    body: {
      id: string;
      name: string;
      type: "Inbound" | "Outbound" | "Blended";
      inbound_pool_id?: string | null;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomCampaigns;
  };
  /** Change one of the campaigns */
  'PUT /panel/organizations/{slug}/outboundiq/custom/campaigns': {
    params: { slug: string };
    query: {  };
    body: {
      id: string;
      name?: string;
      type?: "Inbound" | "Outbound" | "Blended";
      inbound_pool_id?: string | null;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomCampaigns;
  };
  /** Retrieve one of the campaigns */
  'GET /panel/organizations/{slug}/outboundiq/custom/campaigns': {
    params: { slug: string };
    query: { id: string };
    body: undefined;
    answer: PostPanelOrganizationsSlugOutboundiqCustomCampaigns;
  };
  /** Delete one of the campaigns */
  'DELETE /panel/organizations/{slug}/outboundiq/custom/campaigns': {
    params: { slug: string };
    query: {  };
    body: {
      id: string;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomCampaigns;
  };
  /** Add one of the dispos */
  'POST /panel/organizations/{slug}/outboundiq/custom/dispos': {
    params: { slug: string };
    query: {  };
    body: {
      id: string;
      name: string;
      type: "System" | "Agent";
      contact: boolean;
      success: boolean;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomDispos;
  };
  /** Change one of the dispos */
  'PUT /panel/organizations/{slug}/outboundiq/custom/dispos': {
    params: { slug: string };
    query: {  };
    body: {
      id: string;
      name?: string;
      type?: "System" | "Agent";
      contact?: boolean;
      success?: boolean;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomDispos;
  };
  /** Retrieve one of the dispos */
  'GET /panel/organizations/{slug}/outboundiq/custom/dispos': {
    params: { slug: string };
    query: { id: string };
    body: undefined;
    answer: PostPanelOrganizationsSlugOutboundiqCustomDispos;
  };
  /** Delete one of the dispos */
  'DELETE /panel/organizations/{slug}/outboundiq/custom/dispos': {
    params: { slug: string };
    query: {  };
    body: {
      id: string;
    };
    answer: PostPanelOrganizationsSlugOutboundiqCustomDispos;
  };
  /** Post a dial */
  'POST /panel/organizations/{slug}/outboundiq/dials': {
    params: { slug: string };
    query: {  };
    body: PostDials;
    answer: PostDials2;
  };
  /** List cleaned dials, to reconcile with what webhooks brought */
  'GET /panel/organizations/{slug}/outboundiq/dials': {
    params: { slug: string };
    query: { since?: string; until?: string; order?: "oldest" | "newest"; limit?: number; cursor?: string };
    body: undefined;
    answer: GetDials;
  };
  /** Deliveries, latency, queue, lists and dials, hour by hour */
  'GET /panel/organizations/{slug}/overview': {
    params: { slug: string };
    query: { hours?: number };
    body: undefined;
    answer: {
      hours: number;
      buckets: {
        at: string;
        delivered: number;
        failed: number;
        exhausted: number;
        p50_ms: number | null;
        p95_ms: number | null;
        p99_ms: number | null;
      }[];
      queue: {
        due: number;
        waiting: number;
        retries: number;
        oldest_due_ms: number;
        at_least: boolean;
      };
      lists: {
        at: string;
        count: number;
      }[];
      dials: {
        at: string;
        count: number;
      }[];
    };
  };
  /** Send finished deliveries once more, as a job */
  'POST /panel/organizations/{slug}/replays': {
    params: { slug: string };
    query: {  };
    body: PostPanelOrganizationsSlugReplaysCount;
    answer: PostPanelOrganizationsSlugReplays;
  };
  /** List replays, newest first */
  'GET /panel/organizations/{slug}/replays': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugReplays;
  };
  /** Count what a replay would send */
  'POST /panel/organizations/{slug}/replays/count': {
    params: { slug: string };
    query: {  };
    body: PostPanelOrganizationsSlugReplaysCount;
    answer: PostPanelOrganizationsSlugReplaysCount2;
  };
  /** Retrieve a replay with its progress */
  'GET /panel/organizations/{slug}/replays/{replay_id}': {
    params: { slug: string; replay_id: string };
    query: {  };
    body: undefined;
    answer: PostPanelOrganizationsSlugReplays;
  };
  /** Stop a replay; what it has put into the queue is sent */
  'POST /panel/organizations/{slug}/replays/{replay_id}/cancel': {
    params: { slug: string; replay_id: string };
    query: {  };
    body: undefined;
    answer: PostPanelOrganizationsSlugReplays;
  };
  /** How long the history is kept */
  'GET /panel/organizations/{slug}/retention': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: GetPanelOrganizationsSlugRetention;
  };
  /** Keep the history for fewer days */
  'PUT /panel/organizations/{slug}/retention': {
    params: { slug: string };
    query: {  };
    body: PutPanelOrganizationsSlugRetention;
    answer: GetPanelOrganizationsSlugRetention;
  };
  /** List a table of translations by key */
  'GET /panel/organizations/{slug}/translations/{table}': {
    params: { slug: string; table: "campaigns" | "dispos" | "anis" };
    query: { limit?: number; cursor?: string };
    body: undefined;
    answer: {
      data: Record<string, unknown>[];
      next_cursor: string | null;
    };
  };
  /** List dials that could not be cleaned, newest first */
  'GET /panel/organizations/{slug}/uncleaned-dials': {
    params: { slug: string };
    query: { limit?: number; cursor?: string };
    body: undefined;
    answer: GetPanelOrganizationsSlugUncleanedDials;
  };
  /** Clean them again */
  'POST /panel/organizations/{slug}/uncleaned-dials/clean': {
    params: { slug: string };
    query: {  };
    body: undefined;
    answer: PostPanelOrganizationsSlugUncleanedDialsClean;
  };
  /** How many leads are at each node of a workflow */
  'GET /panel/organizations/{slug}/workflows/{workflow_id}/counts': {
    params: { slug: string; workflow_id: string };
    query: {  };
    body: undefined;
    answer: {
      data: {
        node_id: string;
        count: number;
      }[];
    };
  };
  /** Sign in with e-mail and password */
  'POST /panel/session': {
    params: {  };
    query: {  };
    body: {
      email: string;
      password: string;
      proof?: string;
    };
    answer: undefined;
  };
  /** Sign out */
  'DELETE /panel/session': {
    params: {  };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** A challenge for signing in while many do */
  'GET /panel/session/challenge': {
    params: {  };
    query: {  };
    body: undefined;
    answer: {
      challenge: string;
      bits: number;
    };
  };
  /** Sign out everywhere */
  'DELETE /panel/sessions': {
    params: {  };
    query: {  };
    body: undefined;
    answer: {
      sessions: number;
    };
  };
}
