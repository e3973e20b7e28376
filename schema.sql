-- Made by `npm run generate` from the migrations. Do not edit.

create table api_keys (
  id uuid not null,
  organization_id uuid not null,
  user_id uuid not null,
  kind text not null,
  name text not null,
  prefix text not null,
  hash bytea not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone not null,
  constraint api_keys_hash_key UNIQUE (hash),
  constraint api_keys_kind_check CHECK ((kind = ANY (ARRAY['optimaldial'::text, 'outboundiq'::text, 'dialnexa'::text]))),
  constraint api_keys_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table api_writes (
  organization_id uuid not null,
  api_key_id uuid not null,
  at timestamp with time zone not null,
  id bigint not null,
  constraint api_writes_pkey PRIMARY KEY (id)
);

create table attempts (
  delivery_id uuid not null,
  number integer not null,
  started_at timestamp with time zone not null,
  duration_ms integer not null,
  response_status integer,
  response_body text,
  error text,
  organization_id uuid,
  endpoint_version integer,
  signature bytea,
  constraint attempts_pkey PRIMARY KEY (delivery_id, number)
) partition by RANGE (delivery_id);

create table batches (
  id uuid not null,
  node_id uuid not null,
  ends_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  delivery_ids uuid[] not null,
  event_ids uuid[] not null,
  endpoint_ids uuid[] not null,
  constraint batches_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=2000, autovacuum_vacuum_cost_delay=0);

create unlogged table call_windows (
  api_key_id uuid not null,
  ends_at timestamp with time zone not null,
  calls integer not null,
  constraint call_windows_pkey PRIMARY KEY (api_key_id)
);

create table calls (
  id uuid not null,
  organization_id uuid not null,
  campaign_id uuid,
  workflow_id uuid,
  lead_id uuid,
  attempt integer not null,
  agent_id text not null,
  agent_version_number integer not null,
  to_phone_number text not null,
  from_phone_number text,
  metadata text not null,
  status text not null,
  end_reason text,
  duration_seconds integer,
  recording_url text,
  sentiment text,
  transcript text,
  analysis text,
  timeline jsonb not null,
  created_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint calls_pkey PRIMARY KEY (id),
  constraint calls_status_check CHECK ((status = ANY (ARRAY['created'::text, 'initiated'::text, 'sent'::text, 'received'::text, 'completed'::text, 'did_not_pick'::text, 'busy'::text, 'no_answer'::text, 'failed'::text, 'cancelled'::text, 'retry_expired'::text])))
) partition by RANGE (id);

create table campaign_leads (
  id uuid not null,
  organization_id uuid not null,
  campaign_id uuid not null,
  name text,
  phone_number text not null,
  notes text not null,
  status text not null,
  attempts integer not null default 0,
  due_at timestamp with time zone not null,
  call_id uuid,
  created_at timestamp with time zone not null,
  constraint campaign_leads_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns(id),
  constraint campaign_leads_pkey PRIMARY KEY (id),
  constraint campaign_leads_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'in_progress'::text, 'completed'::text, 'failed'::text, 'removed'::text])))
);

create table campaigns (
  id uuid not null,
  organization_id uuid not null,
  name text not null,
  agent_id text not null,
  from_phone_number text,
  status text not null,
  max_concurrent_calls integer not null,
  max_retries integer not null,
  retry_interval_minutes integer not null,
  scheduled_at timestamp with time zone,
  pending_leads integer not null default 0,
  calling_leads integer not null default 0,
  completed_leads integer not null default 0,
  failed_leads integer not null default 0,
  calls_placed integer not null default 0,
  due_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint campaigns_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint campaigns_pkey PRIMARY KEY (id),
  constraint campaigns_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'running'::text, 'paused'::text, 'completed'::text, 'cancelled'::text])))
);

create table contact_history (
  number bigint not null,
  dials integer not null,
  contacts integer not null,
  constraint contact_history_check CHECK (((contacts >= 0) AND (contacts <= dials))),
  constraint contact_history_dials_check CHECK ((dials >= 0)),
  constraint contact_history_pkey PRIMARY KEY (number)
);

create table contact_prefixes (
  prefix integer not null,
  dials bigint not null,
  contacts bigint not null,
  constraint contact_prefixes_pkey PRIMARY KEY (prefix)
);

create table credit_entries (
  id uuid not null,
  organization_id uuid not null,
  amount bigint not null,
  balance bigint not null,
  reason text not null,
  subject_id uuid,
  created_at timestamp with time zone not null,
  constraint credit_entries_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint credit_entries_pkey PRIMARY KEY (id)
);

create table deliveries (
  id uuid not null,
  organization_id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  created_at timestamp with time zone not null,
  attempt_count integer not null default 0,
  scheduled_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  leased_by uuid,
  lease integer not null default 0,
  last_attempt_at timestamp with time zone,
  last_response_status integer,
  last_error text,
  constraint deliveries_pkey PRIMARY KEY (id)
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_delay=0);

create table dial_anis (
  organization_id uuid not null,
  number text not null,
  country_code text not null,
  inbound_group_id text not null,
  is_branded boolean,
  brand_name text,
  carrier_id text,
  constraint dial_anis_country_code_check CHECK ((country_code = ANY (ARRAY['+1'::text, '+44'::text]))),
  constraint dial_anis_pkey PRIMARY KEY (organization_id, number)
);

create table dial_campaigns (
  organization_id uuid not null,
  id text not null,
  name text not null,
  type text not null,
  inbound_pool_id text,
  constraint dial_campaigns_pkey PRIMARY KEY (organization_id, id),
  constraint dial_campaigns_type_check CHECK ((type = ANY (ARRAY['Inbound'::text, 'Outbound'::text, 'Blended'::text])))
);

create table dial_dispos (
  organization_id uuid not null,
  id text not null,
  name text not null,
  type text not null,
  contact boolean not null,
  success boolean not null,
  constraint dial_dispos_pkey PRIMARY KEY (organization_id, id),
  constraint dial_dispos_type_check CHECK ((type = ANY (ARRAY['System'::text, 'Agent'::text])))
);

create table dial_gathered (
  organization_id uuid not null,
  dial uuid not null,
  gathered_at timestamp with time zone not null,
  constraint dial_gathered_pkey PRIMARY KEY (organization_id, dial)
);

create table dial_ids (
  organization_id uuid not null,
  dial_id text not null,
  dial uuid not null,
  constraint dial_ids_pkey PRIMARY KEY (organization_id, dial_id)
);

create table dial_inbox (
  id uuid not null,
  organization_id uuid not null,
  raw text not null,
  failed_at timestamp with time zone,
  error text,
  constraint dial_inbox_pkey PRIMARY KEY (id)
);

create table dials (
  id uuid not null,
  organization_id uuid not null,
  event text not null,
  constraint dials_pkey PRIMARY KEY (id)
) partition by RANGE (id);

create table endpoint_hours (
  organization_id uuid not null,
  endpoint_id uuid not null,
  hour timestamp with time zone not null,
  delivered integer not null,
  failed integer not null,
  exhausted integer not null,
  latencies integer[] not null,
  constraint endpoint_hours_pkey PRIMARY KEY (organization_id, endpoint_id, hour)
);

create table endpoint_versions (
  endpoint_id uuid not null,
  version integer not null,
  organization_id uuid not null,
  dialect text not null,
  url text not null,
  header_names text[],
  created_at timestamp with time zone not null,
  superseded_at timestamp with time zone,
  constraint endpoint_versions_pkey PRIMARY KEY (endpoint_id, version)
);

create table endpoints (
  id uuid not null,
  organization_id uuid not null,
  dialect text not null,
  url text not null,
  name text,
  description text,
  events text[],
  sealed bytea not null,
  is_active boolean not null default true,
  disabled_at timestamp with time zone,
  disabled_reason text,
  verified_at timestamp with time zone,
  last_success_at timestamp with time zone,
  last_failure_at timestamp with time zone,
  consecutive_failures integer not null default 0,
  created_by uuid,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  paused_at timestamp with time zone,
  rate_limit real,
  constraint endpoints_pkey PRIMARY KEY (id)
) with (fillfactor=50);

create table events (
  id uuid not null,
  organization_id uuid not null,
  type text not null,
  data text not null,
  occurred_at timestamp with time zone not null,
  constraint events_pkey PRIMARY KEY (id)
) partition by RANGE (id);

create table fan_outs (
  organization_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  created_at timestamp with time zone not null,
  after_endpoint uuid not null,
  constraint fan_outs_pkey PRIMARY KEY (organization_id, event_id)
);

create table finished_deliveries (
  id uuid not null,
  organization_id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  status text not null,
  created_at timestamp with time zone not null,
  attempt_count integer not null,
  scheduled_at timestamp with time zone not null,
  last_attempt_at timestamp with time zone,
  last_response_status integer,
  last_error text,
  finished_at timestamp with time zone not null,
  last_duration_ms integer,
  last_response_body text,
  endpoint_version integer,
  signature bytea,
  constraint finished_deliveries_pkey PRIMARY KEY (id),
  constraint finished_deliveries_status_check CHECK ((status = ANY (ARRAY['delivered'::text, 'exhausted'::text])))
) partition by RANGE (id);

create table idempotency_keys (
  key text not null,
  fingerprint bytea not null,
  status integer,
  sealed_body bytea,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (key)
);

create table key_checks (
  only_row boolean not null default true,
  sealed bytea not null,
  constraint key_checks_only_row_check CHECK (only_row),
  constraint key_checks_pkey PRIMARY KEY (only_row)
);

create table live_calls (
  call uuid not null,
  organization_id uuid not null,
  campaign_id uuid,
  workflow_id uuid,
  lead_id uuid,
  stage text not null,
  due_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  constraint live_calls_pkey PRIMARY KEY (call),
  constraint live_calls_stage_check CHECK ((stage = ANY (ARRAY['waiting'::text, 'taken'::text, 'started'::text])))
);

create table memberships (
  organization_id uuid not null,
  user_id uuid not null,
  role text not null,
  created_at timestamp with time zone not null,
  constraint memberships_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint memberships_pkey PRIMARY KEY (organization_id, user_id),
  constraint memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text]))),
  constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table migrations (
  set_name text not null,
  version integer not null,
  applied_at timestamp with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (set_name, version)
);

create table nodes (
  id uuid not null,
  started_at timestamp with time zone not null,
  heartbeat_at timestamp with time zone not null,
  delivers boolean not null default true,
  constraint nodes_pkey PRIMARY KEY (id)
);

create table organizations (
  id uuid not null,
  slug text not null,
  name text not null,
  plan text,
  credits bigint not null default 0,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint organizations_credits_check CHECK ((credits >= 0)),
  constraint organizations_pkey PRIMARY KEY (id),
  constraint organizations_plan_check CHECK ((plan = ANY (ARRAY['list_processing'::text, 'spam_monitoring'::text]))),
  constraint organizations_slug_key UNIQUE (slug)
);

create table replays (
  id uuid not null,
  organization_id uuid not null,
  endpoint_id uuid,
  event_type text,
  delivery_status text,
  since uuid not null,
  until uuid not null,
  cursor uuid not null,
  status text not null,
  total integer not null,
  replayed integer not null default 0,
  skipped integer not null default 0,
  created_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint replays_delivery_status_check CHECK ((delivery_status = ANY (ARRAY['delivered'::text, 'exhausted'::text]))),
  constraint replays_pkey PRIMARY KEY (id),
  constraint replays_status_check CHECK ((status = ANY (ARRAY['running'::text, 'completed'::text, 'cancelled'::text])))
);

create table retention_clock (
  only_row boolean not null default true,
  trusted_at timestamp with time zone not null,
  looked_at timestamp with time zone not null,
  constraint retention_clock_only_row_check CHECK (only_row),
  constraint retention_clock_pkey PRIMARY KEY (only_row)
);

create table retentions (
  organization_id uuid not null,
  days integer not null,
  constraint retentions_days_check CHECK ((days > 0)),
  constraint retentions_pkey PRIMARY KEY (organization_id)
);

create table sessions (
  id uuid not null,
  hash bytea not null,
  user_id uuid not null,
  user_agent text not null,
  created_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  constraint sessions_hash_key UNIQUE (hash),
  constraint sessions_pkey PRIMARY KEY (id),
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table sign_in_failures (
  subject text not null,
  at timestamp with time zone not null,
  attempt uuid,
  id bigint not null,
  constraint sign_in_failures_pkey PRIMARY KEY (id)
);

create table sign_in_links (
  hash bytea not null,
  user_id uuid,
  organization_id uuid,
  role text,
  email text,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  id uuid not null default gen_random_uuid(),
  made_by uuid,
  by_operator boolean not null default false,
  constraint sign_in_links_made_by_fkey FOREIGN KEY (made_by) REFERENCES users(id),
  constraint sign_in_links_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint sign_in_links_pkey PRIMARY KEY (hash),
  constraint sign_in_links_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text]))),
  constraint sign_in_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table uploads (
  id uuid not null,
  organization_id uuid not null,
  user_id uuid not null,
  api_key_id uuid,
  source text not null,
  status text not null,
  original_filename text not null,
  file_size_bytes bigint not null,
  total_rows integer not null,
  valid_row_count integer not null,
  invalid_row_count integer not null,
  duplicate_row_count integer not null,
  credits_required integer not null,
  credits_charged integer not null,
  credits_refunded integer,
  skip_mobile_lookup boolean not null,
  error_message text,
  start_after timestamp with time zone not null,
  leased_by uuid,
  lease integer not null default 0,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  summary text,
  constraint uploads_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id),
  constraint uploads_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint uploads_pkey PRIMARY KEY (id),
  constraint uploads_source_check CHECK ((source = ANY (ARRAY['web'::text, 'api'::text]))),
  constraint uploads_status_check CHECK ((status = ANY (ARRAY['pending_mapping'::text, 'validating'::text, 'validation_failed'::text, 'awaiting_confirmation'::text, 'ready_for_processing'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]))),
  constraint uploads_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table users (
  id uuid not null,
  email text,
  name text not null,
  created_at timestamp with time zone not null,
  password_hash text,
  shares_email boolean not null default false,
  pending_email text,
  constraint users_email_key UNIQUE (email),
  constraint users_pkey PRIMARY KEY (id)
);

create table workflow_edges (
  id uuid not null,
  workflow_id uuid not null,
  from_node_id uuid not null,
  to_node_id uuid not null,
  label text,
  ordinal bigint not null,
  organization_id uuid,
  constraint workflow_edges_from_node_id_fkey FOREIGN KEY (from_node_id) REFERENCES workflow_nodes(id) ON DELETE CASCADE,
  constraint workflow_edges_pkey PRIMARY KEY (id),
  constraint workflow_edges_to_node_id_fkey FOREIGN KEY (to_node_id) REFERENCES workflow_nodes(id) ON DELETE CASCADE,
  constraint workflow_edges_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflows(id) ON DELETE CASCADE
);

create table workflow_leads (
  id uuid not null,
  organization_id uuid not null,
  workflow_id uuid not null,
  phone_number text not null,
  metadata text not null,
  status text not null,
  outcome text,
  current_node_id uuid,
  step integer not null default 0,
  phase text not null,
  due_at timestamp with time zone,
  tries integer not null default 0,
  call_id uuid,
  last_call text,
  enrolled_at timestamp with time zone not null,
  completed_at timestamp with time zone,
  constraint workflow_leads_phase_check CHECK ((phase = ANY (ARRAY['enter'::text, 'timer'::text, 'request'::text, 'queue'::text, 'call'::text, 'stuck'::text, 'ended'::text]))),
  constraint workflow_leads_pkey PRIMARY KEY (id),
  constraint workflow_leads_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'in_progress'::text, 'completed'::text, 'dropped'::text, 'failed'::text, 'removed'::text]))),
  constraint workflow_leads_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflows(id) ON DELETE CASCADE
);

create table workflow_nodes (
  id uuid not null,
  workflow_id uuid not null,
  node_type text not null,
  label text not null,
  position_x double precision not null,
  position_y double precision not null,
  config text not null,
  ordinal bigint not null,
  organization_id uuid,
  constraint workflow_nodes_node_type_check CHECK ((node_type = ANY (ARRAY['VOICE_CALL'::text, 'TIME'::text, 'CONDITIONAL'::text, 'APPLICATION'::text, 'CONVERTED'::text, 'DROPPED'::text]))),
  constraint workflow_nodes_pkey PRIMARY KEY (id),
  constraint workflow_nodes_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflows(id) ON DELETE CASCADE
);

create table workflow_steps (
  lead_id uuid not null,
  step integer not null,
  node_id uuid not null,
  node_label text not null,
  node_type text not null,
  status text not null,
  call_id uuid,
  entered_at timestamp with time zone not null,
  exited_at timestamp with time zone,
  organization_id uuid,
  constraint workflow_steps_lead_id_fkey FOREIGN KEY (lead_id) REFERENCES workflow_leads(id) ON DELETE CASCADE,
  constraint workflow_steps_pkey PRIMARY KEY (lead_id, step)
);

create table workflows (
  id uuid not null,
  organization_id uuid not null,
  title text not null,
  description text not null,
  status text not null,
  paused_at timestamp with time zone,
  calling_leads integer not null default 0,
  due_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint workflows_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint workflows_pkey PRIMARY KEY (id),
  constraint workflows_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'paused'::text, 'completed'::text, 'cancelled'::text])))
);

CREATE INDEX api_keys_organization ON public.api_keys USING btree (organization_id, id);
CREATE INDEX api_writes_at ON public.api_writes USING btree (at);
CREATE INDEX api_writes_key ON public.api_writes USING btree (api_key_id, at);
CREATE INDEX api_writes_organization ON public.api_writes USING btree (organization_id, at);
CREATE INDEX calls_campaign ON ONLY public.calls USING btree (campaign_id, id) WHERE (campaign_id IS NOT NULL);
CREATE INDEX calls_organization ON ONLY public.calls USING btree (organization_id, id);
CREATE INDEX campaign_leads_campaign ON public.campaign_leads USING btree (campaign_id, id);
CREATE INDEX campaign_leads_due ON public.campaign_leads USING btree (campaign_id, due_at, id) WHERE (status = 'pending'::text);
CREATE INDEX campaigns_due ON public.campaigns USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX campaigns_ended ON public.campaigns USING btree (updated_at) WHERE (status = ANY (ARRAY['completed'::text, 'cancelled'::text]));
CREATE INDEX campaigns_organization ON public.campaigns USING btree (organization_id, id);
CREATE INDEX credit_entries_organization ON public.credit_entries USING btree (organization_id, id);
CREATE INDEX deliveries_leased ON public.deliveries USING btree (due_at) WHERE (leased_by IS NOT NULL);
CREATE INDEX deliveries_pending ON public.deliveries USING btree (endpoint_id, ((attempt_count > 0)), due_at) WHERE (leased_by IS NULL);
CREATE INDEX dial_dispos_name ON public.dial_dispos USING btree (organization_id, name);
CREATE INDEX dial_inbox_failed ON public.dial_inbox USING btree (organization_id, id) WHERE (failed_at IS NOT NULL);
CREATE INDEX dials_organization ON ONLY public.dials USING btree (organization_id, id);
CREATE INDEX endpoint_hours_hour ON public.endpoint_hours USING btree (hour);
CREATE INDEX endpoint_hours_organization ON public.endpoint_hours USING btree (organization_id, hour, endpoint_id);
CREATE INDEX endpoint_versions_organization ON public.endpoint_versions USING btree (organization_id, endpoint_id);
CREATE INDEX endpoint_versions_superseded ON public.endpoint_versions USING btree (superseded_at) WHERE (superseded_at IS NOT NULL);
CREATE INDEX endpoints_organization ON public.endpoints USING btree (organization_id, id);
CREATE INDEX finished_deliveries_exhausted ON ONLY public.finished_deliveries USING btree (organization_id, id) WHERE (status = 'exhausted'::text);
CREATE INDEX finished_deliveries_log ON ONLY public.finished_deliveries USING btree (organization_id, endpoint_id, id);
CREATE INDEX idempotency_keys_created ON public.idempotency_keys USING btree (created_at);
CREATE INDEX live_calls_campaign ON public.live_calls USING btree (campaign_id) WHERE (campaign_id IS NOT NULL);
CREATE INDEX live_calls_due ON public.live_calls USING btree (due_at);
CREATE INDEX live_calls_ends ON public.live_calls USING btree (ends_at);
CREATE INDEX live_calls_workflow ON public.live_calls USING btree (workflow_id) WHERE (workflow_id IS NOT NULL);
CREATE INDEX replays_organization ON public.replays USING btree (organization_id, id);
CREATE INDEX replays_running ON public.replays USING btree (id) WHERE (status = 'running'::text);
CREATE INDEX sessions_user ON public.sessions USING btree (user_id);
CREATE INDEX sign_in_failures_at ON public.sign_in_failures USING btree (at);
CREATE INDEX sign_in_failures_subject ON public.sign_in_failures USING btree (subject, at);
CREATE INDEX sign_in_links_organization ON public.sign_in_links USING btree (organization_id) WHERE (organization_id IS NOT NULL);
CREATE INDEX sign_in_links_user ON public.sign_in_links USING btree (user_id) WHERE (user_id IS NOT NULL);
CREATE INDEX uploads_ended ON public.uploads USING btree (updated_at) WHERE (status = ANY (ARRAY['validation_failed'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]));
CREATE INDEX uploads_organization ON public.uploads USING btree (organization_id, id);
CREATE INDEX uploads_unfinished ON public.uploads USING btree (start_after) WHERE (status = ANY (ARRAY['ready_for_processing'::text, 'processing'::text]));
CREATE INDEX workflow_edges_workflow ON public.workflow_edges USING btree (workflow_id, ordinal);
CREATE INDEX workflow_leads_ended ON public.workflow_leads USING btree (COALESCE(completed_at, enrolled_at)) WHERE (phase = 'ended'::text);
CREATE INDEX workflow_leads_moves ON public.workflow_leads USING btree (workflow_id, due_at, id) WHERE ((due_at IS NOT NULL) AND (phase <> 'request'::text));
CREATE INDEX workflow_leads_queue ON public.workflow_leads USING btree (workflow_id, id) WHERE (phase = 'queue'::text);
CREATE INDEX workflow_leads_requests ON public.workflow_leads USING btree (workflow_id, due_at, id) WHERE (phase = 'request'::text);
CREATE INDEX workflow_leads_workflow ON public.workflow_leads USING btree (workflow_id, id);
CREATE INDEX workflow_nodes_workflow ON public.workflow_nodes USING btree (workflow_id, ordinal);
CREATE INDEX workflows_due ON public.workflows USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX workflows_organization ON public.workflows USING btree (organization_id, id);
CREATE UNIQUE INDEX sign_in_links_id ON public.sign_in_links USING btree (id);
CREATE UNIQUE INDEX users_email ON public.users USING btree (lower(email)) WHERE (NOT shares_email);
