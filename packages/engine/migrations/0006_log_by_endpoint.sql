-- The delivery log of an organization is read endpoint by endpoint, in steps. Which endpoints its history knows, deleted
-- ones among them, is read here and not out of the history itself, which grows.
create index endpoint_versions_organization on endpoint_versions (organization_id, endpoint_id);

-- Endpoints that were deleted before versions were kept, while their history is still there. One index look-up for each
-- day and endpoint.
insert into endpoint_versions (endpoint_id, version, organization_id, dialect, url, created_at, superseded_at)
  with recursive known as (
    (select organization_id, endpoint_id from finished_deliveries order by organization_id, endpoint_id limit 1)
    union all
    select next.* from known k cross join lateral (
      select f.organization_id, f.endpoint_id from finished_deliveries f
       where (f.organization_id, f.endpoint_id) > (k.organization_id, k.endpoint_id)
       order by f.organization_id, f.endpoint_id limit 1) next
  )
  select k.endpoint_id, 0, k.organization_id, 'unknown', '', now(), now() from known k
   where not exists (select from endpoint_versions v where v.endpoint_id = k.endpoint_id);
