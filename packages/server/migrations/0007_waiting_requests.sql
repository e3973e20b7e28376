-- Application requests wait in the database until a node has room for them. Looks at a workflow do not wade through those that wait.
create index workflow_leads_requests on workflow_leads (workflow_id, due_at, id) where phase = 'request';
create index workflow_leads_moves on workflow_leads (workflow_id, due_at, id) where due_at is not null and phase <> 'request';
drop index workflow_leads_due;
