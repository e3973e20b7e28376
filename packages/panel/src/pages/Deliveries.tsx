import { Button, Group, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useCall, type Answer } from '../api/client.ts';
import { CursorPager, DataTable } from '../parts/DataTable.tsx';
import { formatNumber } from '../parts/format.ts';
import { Empty, Loaded, Page } from '../parts/Page.tsx';
import { ReplayButton } from '../parts/Replay.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import type { DeliveryFilters } from '../router.tsx';
import { MAX_NEW, useTail } from '../parts/tail.ts';
import { useOrganization } from '../session.ts';

export type Delivery = Answer<'GET /panel/organizations/{slug}/deliveries'>['data'][number];

const STATUSES = ['pending', 'in_flight', 'delivered', 'exhausted', 'undelivered'];

/** The delivery log. Filters are in the address; what is new is announced and never moves the rows under the reader. */
export function DeliveriesPage() {
  const { slug } = useOrganization();
  const filters = useSearch({ from: '/o/$slug/deliveries' });
  const navigate = useNavigate({ from: '/o/$slug/deliveries' });
  const [trail, setTrail] = useState<string[]>([]);
  const endpoints = useCall('GET /panel/organizations/{slug}/endpoints', { params: { slug } });
  const [fresh, forget] = useTail(slug);
  const set = (change: DeliveryFilters) => {
    setTrail([]);
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  };
  const { endpoint, event_type, status } = filters;
  const query = useCall(
    'GET /panel/organizations/{slug}/deliveries',
    {
      params: { slug },
      query: {
        limit: 50,
        ...(status && { status: status as 'pending' }),
        ...(endpoint && { endpoint }),
        ...(event_type && { event_type }),
        ...(filters.code && /^\d{3}$/.test(filters.code) && { response_status: Number(filters.code) }),
        ...(filters.search && { search: filters.search }),
        ...(filters.since && { since: new Date(filters.since).toISOString() }),
        ...(filters.until && { until: new Date(filters.until).toISOString() }),
        ...(trail.length > 0 && { cursor: trail.at(-1)! }),
      },
    },
    { keep: true },
  );
  const urlOf = new Map((endpoints.data?.data ?? []).map((one) => [one.id, one.name ?? one.url]));
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <Page
      title="Deliveries"
      subtitle="Every event for every endpoint, newest first."
      actions={
        <>
          {fresh > 0 && (
            <Button
              variant="light"
              onClick={() => {
                setTrail([]);
                forget();
                void query.refetch();
              }}
            >
              {fresh >= MAX_NEW ? `${MAX_NEW}+` : formatNumber(fresh)} new, show
            </Button>
          )}
          <ReplayButton filters={filters} />
        </>
      }
    >
      <Group gap="xs" align="flex-end">
        <Search value={filters.search ?? ''} onSearch={(search) => set({ search: search || undefined })} />
        <Select
          label="Status"
          clearable
          w={140}
          data={STATUSES.map((value) => ({ value, label: value.replace('_', ' ') }))}
          value={status ?? null}
          onChange={(value) => set({ status: value ?? undefined })}
        />
        <Select
          label="Endpoint"
          clearable
          searchable
          w={230}
          data={(endpoints.data?.data ?? []).map((one) => ({ value: one.id, label: one.name ?? one.url }))}
          value={endpoint ?? null}
          onChange={(value) => set({ endpoint: value ?? undefined })}
        />
        <TextInput
          label="Event type"
          w={170}
          placeholder="call.completed"
          value={event_type ?? ''}
          onChange={(event) => set({ event_type: event.currentTarget.value || undefined })}
        />
        <TextInput
          label="HTTP code"
          w={90}
          placeholder="500"
          value={filters.code ?? ''}
          onChange={(event) => set({ code: event.currentTarget.value || undefined })}
        />
        <TextInput
          label="From"
          type="datetime-local"
          w={200}
          value={filters.since ?? ''}
          onChange={(event) => set({ since: event.currentTarget.value || undefined })}
        />
        <TextInput
          label="Until"
          type="datetime-local"
          w={200}
          value={filters.until ?? ''}
          onChange={(event) => set({ until: event.currentTarget.value || undefined })}
        />
      </Group>
      <Loaded query={query}>
        {({ data, next_cursor: next }) =>
          data.length === 0 ? (
            isFiltered ? (
              <Empty title={next === null ? 'Nothing fits these filters' : 'Nothing found so far back'}>
                {next !== null && (
                  <Button size="xs" onClick={() => setTrail([...trail, next])}>
                    Search further back
                  </Button>
                )}
                <Button variant="default" size="xs" onClick={() => void navigate({ search: {}, replace: true })}>
                  Clear the filters
                </Button>
              </Empty>
            ) : (
              <Empty title="Nothing was sent yet" command={`npm run dialhook -- send ${slug} call.ended '{"n":1}'`}>
                An event makes one delivery for each endpoint that wants it.{' '}
                <Link to="/o/$slug/endpoints" params={{ slug }}>
                  Register an endpoint
                </Link>{' '}
                first.
              </Empty>
            )
          ) : (
            <DataTable
              label="Deliveries"
              rows={data}
              keyOf={({ id }) => id}
              onOpen={({ id }) => void navigate({ to: '/o/$slug/deliveries/$id', params: { slug, id } })}
              columns={[
                { title: 'Status', show: (row) => <StatusBadge status={row.status} /> },
                {
                  title: 'Event',
                  show: (row) => (
                    <Link to="/o/$slug/deliveries/$id" params={{ slug, id: row.id }} className="panel-mono">
                      {row.event_type}
                    </Link>
                  ),
                },
                { title: 'Endpoint', show: (row) => <span className="panel-mono">{urlOf.get(row.endpoint_id) ?? 'deleted'}</span> },
                { title: 'Answer', show: (row) => row.last_response_status ?? row.last_error ?? '–' },
                { title: 'Attempts', right: true, show: (row) => row.attempt_count },
                { title: 'Made', show: (row) => <Time at={row.created_at} ago /> },
              ]}
              pager={<CursorPager trail={trail} next={next} onGo={setTrail} />}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

/** Waits until somebody has stopped typing. */
function Search({ onSearch, value }: { readonly value: string; readonly onSearch: (text: string) => void }) {
  const [text, setText] = useState(value);
  const [settled] = useDebouncedValue(text, 350);
  useEffect(() => {
    if (settled !== value) onSearch(settled);
    // Only what was typed counts: the address follows it.
  }, [settled]);
  return (
    <TextInput
      data-search
      label="Search"
      placeholder="id, phone, list or campaign"
      w={240}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
