-- Phone lists: what was uploaded, where it stands, and what is known about the numbers.

create table uploads (
  id uuid primary key,
  organization_id uuid not null references organizations,
  user_id uuid not null references users,
  api_key_id uuid references api_keys,
  source text not null check (source in ('web', 'api')),
  status text not null check (status in ('pending_mapping', 'validating', 'validation_failed', 'awaiting_confirmation',
    'ready_for_processing', 'processing', 'completed', 'failed', 'cancelled')),
  original_filename text not null,
  file_size_bytes bigint not null,
  total_rows int not null,
  valid_row_count int not null,
  invalid_row_count int not null,
  duplicate_row_count int not null,
  credits_required int not null,
  credits_charged int not null,
  credits_refunded int,
  skip_mobile_lookup boolean not null,
  error_message text,
  start_after timestamptz not null, -- processing begins no sooner: the time in which a cancel is sure to come first
  leased_by uuid, -- the node that processes it
  lease int not null default 0, -- grows with every claim: a node that was taken over cannot complete it
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create index uploads_organization on uploads (organization_id, id);
create index uploads_unfinished on uploads (start_after) where status in ('ready_for_processing', 'processing');

-- How often a number was dialled and how often somebody answered, over the whole platform.
create table contact_history (
  number bigint primary key, -- E.164 digits
  dials int not null check (dials >= 0),
  contacts int not null check (contacts between 0 and dials)
);

-- The same for the first six digits of the national number (area code and exchange).
create table contact_prefixes (
  prefix int primary key,
  dials bigint not null,
  contacts bigint not null
);
