-- What a node must not take on trust: the clock, and its own key.

-- The last look at the clock that retention took, so that a clock that leaps drops nothing.
create table retention_clock (
  only_row boolean primary key default true check (only_row),
  trusted_at timestamptz not null, -- moves on by what really passed
  looked_at timestamptz not null -- the database's clock then
);

-- A known text under the key that everything else is sealed with. A node that cannot open it has another key.
create table key_checks (
  only_row boolean primary key default true check (only_row),
  sealed bytea not null
);
