-- The delivery engine's tables. Rows refer to organizations by id alone: accounts belong to whoever uses the engine.

create table endpoints (
  id uuid primary key,
  organization_id uuid not null,
  dialect text not null,
  url text not null,
  name text,
  description text,
  events text[], -- null: every event of the organization
  sealed bytea not null, -- signing secrets and custom headers, encrypted
  is_active boolean not null default true,
  disabled_at timestamptz, -- set by the engine, never by hand
  disabled_reason text,
  verified_at timestamptz,
  last_success_at timestamptz,
  last_failure_at timestamptz,
  consecutive_failures int not null default 0,
  created_by uuid,
  version int not null default 1, -- grows with every change that a sender must know of
  created_at timestamptz not null,
  updated_at timestamptz not null
) with (fillfactor = 50); -- statistics are written with every batch of results: room for HOT updates

create index endpoints_organization on endpoints (organization_id, id);

-- Three tables are partitioned by day on the time inside their UUIDv7, so that the primary key stays one column and
-- retention drops partitions instead of deleting rows.
create table events (
  id uuid primary key,
  organization_id uuid not null,
  type text not null,
  data text not null, -- the JSON as it was published: bytes that are signed must not be re-written by a JSON type
  occurred_at timestamptz not null
) partition by range (id);

-- Unfinished deliveries alone: the queue. It stays small whatever the history holds, so claims stay cheap.
create table deliveries (
  id uuid primary key,
  organization_id uuid not null,
  endpoint_id uuid not null, -- no foreign keys on the hot path: a deleted endpoint's rows are swept
  event_id uuid not null,
  event_type text not null,
  created_at timestamptz not null,
  attempt_count int not null default 0, -- attempts with a recorded result
  scheduled_at timestamptz not null, -- when the latest or the coming attempt was or is due
  due_at timestamptz not null, -- when any node may take it: scheduled_at while pending, the lease's end in flight
  leased_by uuid, -- null: pending
  lease int not null default 0, -- grows with every claim: a late write of a former holder does not match
  last_attempt_at timestamptz,
  last_response_status int,
  last_error text
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create index deliveries_due on deliveries (endpoint_id, due_at);
create index deliveries_organization on deliveries (organization_id, id);

-- Finished deliveries: written once, never changed.
create table finished_deliveries (
  id uuid primary key,
  organization_id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  status text not null check (status in ('delivered', 'exhausted')),
  created_at timestamptz not null,
  attempt_count int not null,
  scheduled_at timestamptz not null,
  last_attempt_at timestamptz,
  last_response_status int,
  last_error text,
  finished_at timestamptz not null
) partition by range (id);

create index finished_deliveries_endpoint on finished_deliveries (endpoint_id, id);
create index finished_deliveries_organization on finished_deliveries (organization_id, id);

create table attempts (
  delivery_id uuid not null,
  number int not null,
  started_at timestamptz not null,
  duration_ms int not null,
  response_status int,
  response_body text,
  error text,
  primary key (delivery_id, number)
) partition by range (delivery_id);

-- One logical delivery is in exactly one of the two tables; readers see one.
create view all_deliveries as
  select id, organization_id, endpoint_id, event_id, event_type,
         case when leased_by is null then 'pending' else 'in_flight' end as status,
         created_at,
         attempt_count + (leased_by is not null)::int as attempt_count,
         scheduled_at, last_attempt_at, last_response_status, last_error,
         null::timestamptz as finished_at
    from deliveries
  union all
  select id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count,
         scheduled_at, last_attempt_at, last_response_status, last_error, finished_at
    from finished_deliveries;

-- Processes that hold leases. One that stops reporting is dead, and its work is taken over at once.
create table nodes (
  id uuid primary key,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null
);
