-- Half the writes for a delivery that succeeds at once: one row and two indexes less in the queue and in the history.

-- A finished delivery holds its last attempt itself; `attempts` has the earlier ones. Null in rows of the time before.
alter table finished_deliveries add column last_duration_ms int, add column last_response_body text;

-- What may be claimed. Rows in flight are not in it, so that a delivery which is sent at once never enters the index.
-- First attempts and retries are two queues: neither waits behind the other.
drop index deliveries_due;
drop index deliveries_organization;
create index deliveries_pending on deliveries (endpoint_id, (attempt_count > 0), due_at) where leased_by is null;

-- One index for both logs: of an endpoint directly, of an organization as a merge over its endpoints.
drop index finished_deliveries_endpoint;
drop index finished_deliveries_organization;
create index finished_deliveries_log on finished_deliveries (organization_id, endpoint_id, id);
-- The undelivered ones are few and are looked for among many.
create index finished_deliveries_exhausted on finished_deliveries (organization_id, id) where status = 'exhausted';

-- Readers need different columns and indexes of the two tables: store/deliveries.ts puts them together.
drop view all_deliveries;
