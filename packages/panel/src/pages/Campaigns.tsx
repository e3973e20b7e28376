import { Button, Group, Modal, NumberInput, Progress, Stack, TextInput } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useAct, useCall } from '../api/client.ts';
import { DataTable, NumberPager } from '../parts/DataTable.tsx';
import { formatNumber } from '../parts/format.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { textOf } from '../parts/form.ts';

const REFRESH_MS = 2_000;

/** Campaigns with live counts. */
export function CampaignsPage() {
  const { slug } = useOrganization();
  const navigate = useNavigate();
  const [page, setPage] = useState(1);
  const [isNew, setNew] = useState(false);
  const query = useCall(
    'GET /panel/organizations/{slug}/dialnexa/campaigns',
    { params: { slug }, query: { page, limit: 25 } },
    { everyMs: REFRESH_MS, keep: true },
  );
  const create = useAct('POST /panel/organizations/{slug}/dialnexa/campaigns');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => textOf(form, name);
    const at = text('scheduled_at');
    create.mutate(
      {
        params: { slug },
        body: {
          name: text('name'),
          agent_id: text('agent_id'),
          from_phone_number: text('from'),
          max_concurrent_calls: Number(text('lines')) || 5,
          retry_config: { max_retries: Number(text('retries')) || 0, retry_interval_minutes: Number(text('interval')) || 30 },
          ...(at && { scheduled_at: new Date(at).toISOString() }),
        },
      },
      { onSuccess: ({ id }) => void navigate({ to: '/o/$slug/campaigns/$id', params: { slug, id } }) },
    );
  };
  return (
    <Page
      title="Campaigns"
      subtitle="Leads that are called, some at once, until each has its outcome."
      actions={<Button onClick={() => (create.reset(), setNew(true))}>New campaign</Button>}
    >
      <Loaded query={query}>
        {({ data, meta }) =>
          data.length === 0 ? (
            <Empty title="No campaigns yet">Make one, then give it leads from a CSV or an XLSX file.</Empty>
          ) : (
            <DataTable
              label="Campaigns"
              rows={data}
              keyOf={({ id }) => id}
              onOpen={({ id }) => void navigate({ to: '/o/$slug/campaigns/$id', params: { slug, id } })}
              columns={[
                {
                  title: 'Name',
                  show: (row) => (
                    <Link to="/o/$slug/campaigns/$id" params={{ slug, id: row.id }}>
                      {row.name}
                    </Link>
                  ),
                },
                { title: 'Status', show: (row) => <StatusBadge status={row.status} /> },
                {
                  title: 'Progress',
                  show: (row) => (
                    <Progress.Root
                      size="lg"
                      miw={120}
                      aria-label={`${row.completed_calls} completed, ${row.failed_calls} failed of ${row.total_leads}`}
                      role="img"
                    >
                      <Progress.Section aria-hidden value={share(row.completed_calls, row.total_leads)} color="teal" />
                      <Progress.Section aria-hidden value={share(row.failed_calls, row.total_leads)} color="red" />
                    </Progress.Root>
                  ),
                },
                { title: 'Leads', right: true, show: (row) => formatNumber(row.total_leads) },
                { title: 'Left', right: true, show: (row) => formatNumber(row.pending_calls) },
                { title: 'Made', show: (row) => <Time at={row.created_at} ago /> },
              ]}
              pager={<NumberPager page={page} totalPages={meta.totalPages} onGo={setPage} />}
            />
          )
        }
      </Loaded>
      <Modal opened={isNew} onClose={() => setNew(false)} title="New campaign">
        <form onSubmit={submit}>
          <Stack>
            {create.error && <ErrorNote error={create.error} />}
            <TextInput label="Name" name="name" required data-autofocus />
            <TextInput label="Agent" name="agent_id" required placeholder="agt_1" />
            <TextInput label="From" name="from" required placeholder="+442079460001" />
            <Group grow>
              <NumberInput label="Calls at once" name="lines" min={1} max={500} defaultValue={5} />
              <NumberInput label="Retries" name="retries" min={0} max={20} defaultValue={1} />
              <NumberInput label="Minutes between" name="interval" min={1} max={10_080} defaultValue={30} />
            </Group>
            <TextInput label="Start" name="scheduled_at" type="datetime-local" description="Empty: as soon as it has leads" />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setNew(false)}>
                Cancel
              </Button>
              <Button type="submit" loading={create.isPending}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Page>
  );
}

const share = (count: number, of: number) => (of === 0 ? 0 : (count / of) * 100);
