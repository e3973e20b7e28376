-- What an operator may do with endpoints and deliveries.

-- A paused endpoint keeps collecting deliveries; nothing is sent until it is resumed.
alter table endpoints add column paused_at timestamptz, add column rate_limit real;

-- Rate limits are divided among the nodes that send.
alter table nodes add column delivers boolean not null default true;

-- Deliveries that are sent once more, as a job: it goes through the history from `cursor` to `until`.
create table replays (
  id uuid primary key,
  organization_id uuid not null,
  endpoint_id uuid, -- null: every endpoint of the organization
  event_type text,
  delivery_status text check (delivery_status in ('delivered', 'exhausted')), -- null: both
  since uuid not null, -- the least delivery id of the time range
  until uuid not null,
  cursor uuid not null, -- the last delivery that was looked at
  status text not null check (status in ('running', 'completed', 'cancelled')),
  total int not null, -- counted at the start
  replayed int not null default 0,
  skipped int not null default 0, -- the endpoint or the event is gone
  created_at timestamptz not null,
  finished_at timestamptz
);
create index replays_organization on replays (organization_id, id);
create index replays_running on replays (id) where status = 'running';

-- Organizations whose history is kept for less time than the partitions are.
create table retentions (
  organization_id uuid primary key,
  days int not null check (days > 0)
);
