-- A queue row only for what did not succeed at once, and a history that says where each attempt went.

-- Deliveries that a node sends for the first time, one row for many: written with their events, deleted when all their
-- results are in the history. What fails or takes longer than a moment gets a row of its own in `deliveries`.
-- The arrays run side by side. They are never changed: a delivery of the batch is unfinished while neither the history nor
-- the queue has it.
create table batches (
  id uuid primary key,
  node_id uuid not null, -- the node that sends them; when it is dead, any other takes over
  ends_at timestamptz not null, -- by the database's clock: a batch that is older was lost track of
  created_at timestamptz not null,
  delivery_ids uuid[] not null,
  event_ids uuid[] not null,
  endpoint_ids uuid[] not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
        toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000, toast.autovacuum_vacuum_cost_delay = 0);
-- Ids do not compress: trying to would only cost time.
alter table batches alter column delivery_ids set storage external,
                    alter column event_ids set storage external,
                    alter column endpoint_ids set storage external;

-- Leases that ran out are found without reading the queue.
create index deliveries_leased on deliveries (due_at) where leased_by is not null;

-- Events for very many endpoints: their deliveries are made step by step after the event is stored.
create table fan_outs (
  organization_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  created_at timestamptz not null,
  after_endpoint uuid not null, -- endpoints up to this one have their delivery
  primary key (organization_id, event_id)
);

-- What an endpoint was when something was sent to it. Kept as long as the history, also after the endpoint is deleted.
create table endpoint_versions (
  endpoint_id uuid not null,
  version int not null,
  organization_id uuid not null,
  dialect text not null,
  url text not null,
  header_names text[], -- of the custom headers; null where it is not known any more
  created_at timestamptz not null,
  superseded_at timestamptz, -- null: the current one
  primary key (endpoint_id, version)
);
create index endpoint_versions_superseded on endpoint_versions (superseded_at) where superseded_at is not null;
insert into endpoint_versions (endpoint_id, version, organization_id, dialect, url, created_at)
  select id, version, organization_id, dialect, url, updated_at from endpoints;

-- The endpoint's version and the signature (32 bytes for each secret that signed) of the last attempt, and of the earlier
-- ones. Null in rows of the time before.
alter table finished_deliveries add column endpoint_version int, add column signature bytea;
alter table attempts add column organization_id uuid, add column endpoint_version int, add column signature bytea;
