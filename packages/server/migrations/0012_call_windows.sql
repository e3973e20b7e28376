-- Calls of one API key in one window, counted for all nodes. Unlogged, so that no call waits for a disk: after a crash of the
-- database the windows begin anew.
create unlogged table call_windows (
  api_key_id uuid primary key,
  ends_at timestamptz not null,
  calls int not null
);
