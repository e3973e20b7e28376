-- Dials as a dialler posts them, until they are cleaned. One that cannot be cleaned stays here with the reason.
create table dial_inbox (
  id uuid primary key,
  organization_id uuid not null,
  raw text not null, -- the JSON as it was accepted
  failed_at timestamptz,
  error text
);
create index dial_inbox_failed on dial_inbox (organization_id, id) where failed_at is not null;

-- The dialler's own ids, so that a repeated one makes no second dial.
create table dial_ids (
  organization_id uuid not null,
  dial_id text not null,
  dial uuid not null, -- carries the day by which old ones are removed; no index: it would cost a sixth of the intake
  primary key (organization_id, dial_id)
);

-- Cleaned dials, as webhooks carry them. Partitioned by day like the engine's tables; ids are UUIDv7 of the acceptance.
create table dials (
  id uuid primary key,
  organization_id uuid not null,
  event text not null
) partition by range (id);
create index dials_organization on dials (organization_id, id);

-- Dials that wait to be sent in a batch.
create table dial_gathered (
  organization_id uuid not null,
  dial uuid not null,
  gathered_at timestamptz not null,
  primary key (organization_id, dial)
);

-- What a company's dialler means by its ids.
create table dial_campaigns (
  organization_id uuid not null,
  id text not null,
  name text not null,
  type text not null check (type in ('Inbound', 'Outbound', 'Blended')),
  inbound_pool_id text,
  primary key (organization_id, id)
);
create table dial_dispos (
  organization_id uuid not null,
  id text not null,
  name text not null,
  type text not null check (type in ('System', 'Agent')),
  contact boolean not null,
  success boolean not null,
  primary key (organization_id, id)
);
create index dial_dispos_name on dial_dispos (organization_id, name);
create table dial_anis (
  organization_id uuid not null,
  number text not null,
  country_code text not null check (country_code in ('+1', '+44')),
  inbound_group_id text not null,
  is_branded boolean,
  brand_name text,
  carrier_id text,
  primary key (organization_id, number)
);
