-- What has ended, by when it did: so that removing what is old reads nothing else.
create index uploads_ended on uploads (updated_at) where status in ('validation_failed', 'completed', 'failed', 'cancelled');
create index campaigns_ended on campaigns (updated_at) where status in ('completed', 'cancelled');
create index workflow_leads_ended on workflow_leads (coalesce(completed_at, enrolled_at)) where phase = 'ended';
