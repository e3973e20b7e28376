-- Calls as their log keeps them. Partitioned by day like the engine's tables; ids are UUIDv7 of the creation.
create table calls (
  id uuid primary key,
  organization_id uuid not null,
  campaign_id uuid, -- who made it: a campaign, a workflow, or neither for a single call
  workflow_id uuid,
  lead_id uuid, -- of the campaign or the workflow
  attempt int not null,
  agent_id text not null,
  agent_version_number int not null,
  to_phone_number text not null,
  from_phone_number text,
  metadata text not null, -- JSON
  status text not null check (status in ('created', 'initiated', 'sent', 'received', 'completed', 'did_not_pick', 'busy', 'no_answer', 'failed', 'cancelled', 'retry_expired')),
  end_reason text,
  duration_seconds int,
  recording_url text,
  sentiment text,
  transcript text,
  analysis text, -- JSON
  timeline jsonb not null, -- [{event, timestamp}]
  created_at timestamptz not null,
  ended_at timestamptz
) partition by range (id);
create index calls_organization on calls (organization_id, id);
create index calls_campaign on calls (campaign_id, id) where campaign_id is not null;

-- Calls that have not ended. Every statement that looks for work reads this small table; the row goes when the call ends,
-- and whoever removes it is the one that ends the call.
create table live_calls (
  call uuid primary key,
  organization_id uuid not null,
  campaign_id uuid,
  workflow_id uuid,
  lead_id uuid,
  stage text not null check (stage in ('waiting', 'taken', 'started')), -- waiting: nobody dials it yet; taken: handed out, no news yet
  due_at timestamptz not null, -- when the call engine looks at it
  ends_at timestamptz not null -- when it counts as lost
);
create index live_calls_due on live_calls (due_at);
create index live_calls_ends on live_calls (ends_at);
create index live_calls_campaign on live_calls (campaign_id) where campaign_id is not null;
create index live_calls_workflow on live_calls (workflow_id) where workflow_id is not null;

create table campaigns (
  id uuid primary key,
  organization_id uuid not null references organizations,
  name text not null,
  agent_id text not null,
  from_phone_number text,
  status text not null check (status in ('draft', 'active', 'running', 'paused', 'completed', 'cancelled')),
  max_concurrent_calls int not null,
  max_retries int not null,
  retry_interval_minutes int not null,
  scheduled_at timestamptz,
  pending_leads int not null default 0,
  calling_leads int not null default 0,
  completed_leads int not null default 0,
  failed_leads int not null default 0,
  calls_placed int not null default 0,
  due_at timestamptz, -- when it must be looked at; null while only a call's end or a person can change something
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index campaigns_organization on campaigns (organization_id, id);
create index campaigns_due on campaigns (due_at) where due_at is not null;

create table campaign_leads (
  id uuid primary key,
  organization_id uuid not null,
  campaign_id uuid not null references campaigns,
  name text,
  phone_number text not null,
  notes text not null, -- JSON
  status text not null check (status in ('pending', 'in_progress', 'completed', 'failed', 'removed')),
  attempts int not null default 0,
  due_at timestamptz not null, -- of the next call, while pending
  call_id uuid, -- the last one
  created_at timestamptz not null
);
create index campaign_leads_campaign on campaign_leads (campaign_id, id);
create index campaign_leads_due on campaign_leads (campaign_id, due_at, id) where status = 'pending';

create table workflows (
  id uuid primary key,
  organization_id uuid not null references organizations,
  title text not null,
  description text not null,
  status text not null check (status in ('draft', 'active', 'paused', 'completed', 'cancelled')),
  paused_at timestamptz,
  calling_leads int not null default 0,
  due_at timestamptz, -- as of campaigns
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index workflows_organization on workflows (organization_id, id);
create index workflows_due on workflows (due_at) where due_at is not null;

create table workflow_nodes (
  id uuid primary key,
  workflow_id uuid not null references workflows on delete cascade,
  node_type text not null check (node_type in ('VOICE_CALL', 'TIME', 'CONDITIONAL', 'APPLICATION', 'CONVERTED', 'DROPPED')),
  label text not null,
  position_x double precision not null,
  position_y double precision not null,
  config text not null, -- JSON
  ordinal bigint generated always as identity -- the order of creation
);
create index workflow_nodes_workflow on workflow_nodes (workflow_id, ordinal);

create table workflow_edges (
  id uuid primary key,
  workflow_id uuid not null references workflows on delete cascade,
  from_node_id uuid not null references workflow_nodes on delete cascade,
  to_node_id uuid not null references workflow_nodes on delete cascade,
  label text,
  ordinal bigint generated always as identity -- the order in which they are tried
);
create index workflow_edges_workflow on workflow_edges (workflow_id, ordinal);

create table workflow_leads (
  id uuid primary key,
  organization_id uuid not null,
  workflow_id uuid not null references workflows on delete cascade,
  phone_number text not null,
  metadata text not null, -- JSON
  status text not null check (status in ('pending', 'in_progress', 'completed', 'dropped', 'failed', 'removed')),
  outcome text,
  current_node_id uuid,
  step int not null default 0, -- steps begun
  phase text not null check (phase in ('enter', 'timer', 'request', 'queue', 'call', 'stuck', 'ended')),
  due_at timestamptz, -- while entering, waiting for a timer, or asking an application
  tries int not null default 0, -- of the request
  call_id uuid, -- the last one
  last_call text, -- JSON, what conditions may look at
  enrolled_at timestamptz not null,
  completed_at timestamptz
);
create index workflow_leads_workflow on workflow_leads (workflow_id, id);
create index workflow_leads_due on workflow_leads (workflow_id, due_at, id) where due_at is not null;
create index workflow_leads_queue on workflow_leads (workflow_id, id) where phase = 'queue';

create table workflow_steps (
  lead_id uuid not null references workflow_leads on delete cascade,
  step int not null,
  node_id uuid not null,
  node_label text not null,
  node_type text not null,
  status text not null, -- in_progress, or the outcome
  call_id uuid,
  entered_at timestamptz not null,
  exited_at timestamptz,
  primary key (lead_id, step)
);
