-- Answers to operator calls that carried an Idempotency-Key, so that a repeated call is answered and not done again.

create table idempotency_keys (
  key text primary key,
  fingerprint bytea not null, -- of method, path and body: the same key for another call is a mistake
  status int, -- null while the first call is being done
  sealed_body bytea, -- encrypted: some answers hold a key or a secret that is shown once
  created_at timestamptz not null
);

create index idempotency_keys_created on idempotency_keys (created_at);
