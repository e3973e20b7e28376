-- Every table has a primary key, so that logical replication and repairs can name a row; and tells whose a row is without a join.
alter table api_writes add column id bigint generated always as identity primary key;
alter table sign_in_failures add column id bigint generated always as identity primary key;

-- Null in rows that an older node inserts while it runs beside newer ones.
alter table workflow_nodes add column organization_id uuid;
alter table workflow_edges add column organization_id uuid;
alter table workflow_steps add column organization_id uuid;
update workflow_nodes n set organization_id = w.organization_id from workflows w where w.id = n.workflow_id;
update workflow_edges e set organization_id = w.organization_id from workflows w where w.id = e.workflow_id;
update workflow_steps s set organization_id = l.organization_id from workflow_leads l where l.id = s.lead_id;
