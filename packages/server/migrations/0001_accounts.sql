-- Who uses the platform: organizations, the people in them, their keys, and what they have paid for.

create table organizations (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  plan text check (plan in ('list_processing', 'spam_monitoring')), -- null: no active subscription
  credits bigint not null default 0 check (credits >= 0), -- the last line of defence against overspending
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table users (
  id uuid primary key,
  email text unique,
  name text not null,
  created_at timestamptz not null
);

create table memberships (
  organization_id uuid not null references organizations,
  user_id uuid not null references users,
  role text not null check (role in ('owner', 'member')),
  created_at timestamptz not null,
  primary key (organization_id, user_id)
);

create table api_keys (
  id uuid primary key,
  organization_id uuid not null references organizations,
  user_id uuid not null references users,
  kind text not null check (kind in ('optimaldial', 'outboundiq', 'dialnexa')),
  name text not null,
  prefix text not null, -- what may be shown of it
  hash bytea not null unique, -- SHA-256 of the key, which is random enough not to need a slow hash
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null
);

create index api_keys_organization on api_keys (organization_id, id);

-- Every change of a balance, so that it can be explained.
create table credit_entries (
  id uuid primary key,
  organization_id uuid not null references organizations,
  amount bigint not null,
  balance bigint not null, -- after this entry
  reason text not null,
  subject_id uuid, -- what it was spent on or refunded for, such as an upload
  created_at timestamptz not null
);

create index credit_entries_organization on credit_entries (organization_id, id);

-- Writes of the last minute, for limits that hold across nodes. Rows older than the window are swept.
create table api_writes (
  organization_id uuid not null,
  api_key_id uuid not null,
  at timestamptz not null
);

create index api_writes_organization on api_writes (organization_id, at);
create index api_writes_key on api_writes (api_key_id, at);
create index api_writes_at on api_writes (at);
