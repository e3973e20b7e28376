-- An organization's hours are read in their order, some thousand rows at a time: its endpoints may be ten thousand.
create index endpoint_hours_organization on endpoint_hours (organization_id, hour, endpoint_id);
