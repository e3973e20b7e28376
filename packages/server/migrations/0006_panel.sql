-- Signing in to the panel.
alter table users add column password_hash text; -- scrypt with its parameters and salt; null until one was chosen

create table sessions (
  id uuid primary key,
  hash bytea not null unique, -- SHA-256 of the cookie's value
  user_id uuid not null references users,
  user_agent text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null
);
create index sessions_user on sessions (user_id);

-- Links that sign in once: the first start's, the operator's, and invitations, which also make their user a member.
create table sign_in_links (
  hash bytea primary key,
  user_id uuid references users, -- whom it signs in; null for an invitation
  organization_id uuid references organizations, -- that it invites to
  role text check (role in ('owner', 'member')),
  email text,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index sign_in_links_organization on sign_in_links (organization_id) where organization_id is not null;

-- Failed attempts of the last minutes, for limits that hold across nodes.
create table sign_in_failures (
  subject text not null, -- an e-mail address or a network address, hashed
  at timestamptz not null
);
create index sign_in_failures_subject on sign_in_failures (subject, at);
create index sign_in_failures_at on sign_in_failures (at);

-- What became of attempts, by endpoint and hour, for charts and health. Nodes add to it every few seconds.
create table endpoint_hours (
  organization_id uuid not null,
  endpoint_id uuid not null,
  hour timestamptz not null,
  delivered int not null,
  failed int not null, -- attempts that will be repeated
  exhausted int not null,
  latencies int[] not null, -- attempts by duration, see statistics/histogram.ts
  primary key (organization_id, endpoint_id, hour)
);
create index endpoint_hours_hour on endpoint_hours (hour);

-- What came out of a list, for charts: JSON, see lists/worker/process.ts.
alter table uploads add column summary text;
