import { Button, Code, Group, Modal, Select, Stack, Text, TextInput, Timeline } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useAct, useCall, type Answer } from '../api/client.ts';
import { DataTable, NumberPager } from '../parts/DataTable.tsx';
import { words } from '../parts/format.ts';
import { notify } from '../parts/notify.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { textOf } from '../parts/form.ts';

type Call = Answer<'GET /panel/organizations/{slug}/dialnexa/calls'>['data'][number];

const STATUSES = [
  'initiated',
  'sent',
  'received',
  'completed',
  'did_not_pick',
  'busy',
  'no_answer',
  'failed',
  'cancelled',
  'retry_expired',
];
const REFRESH_MS = 3_000;

/** Calls, newest first; one opens to its transcript and timeline. */
export function CallsPage() {
  const { slug } = useOrganization();
  const [page, setPage] = useState(1);
  const [status, setStatus] = useState<string | null>(null);
  const [open, setOpen] = useState<Call | null>(null);
  const [isNew, setNew] = useState(false);
  const query = useCall(
    'GET /panel/organizations/{slug}/dialnexa/calls',
    { params: { slug }, query: { page, limit: 25, ...(status && { status: status as 'completed' }) } },
    { everyMs: REFRESH_MS, keep: true },
  );
  const place = useAct('POST /panel/organizations/{slug}/dialnexa/calls');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => textOf(form, name);
    place.mutate(
      {
        params: { slug },
        body: { agent_id: text('agent_id'), to_phone_number: text('to'), ...(text('from') && { from_phone_number: text('from') }) },
      },
      { onSuccess: () => (setNew(false), notify('The call is placed')) },
    );
  };
  return (
    <Page
      title="Calls"
      subtitle="Single calls, and those of campaigns and workflows."
      actions={<Button onClick={() => (place.reset(), setNew(true))}>Place a call</Button>}
    >
      <Group>
        <Select
          label="Status"
          clearable
          w={180}
          data={STATUSES.map((value) => ({ value, label: words(value) }))}
          value={status}
          onChange={(value) => (setStatus(value), setPage(1))}
        />
      </Group>
      <Loaded query={query}>
        {({ data, meta }) =>
          data.length === 0 ? (
            <Empty title={status ? 'No calls in this state' : 'No calls yet'}>Place one, or start a campaign.</Empty>
          ) : (
            <DataTable
              label="Calls"
              rows={data}
              keyOf={({ id }) => id}
              onOpen={setOpen}
              columns={[
                { title: 'Status', show: (row) => <StatusBadge status={row.status} /> },
                { title: 'To', show: (row) => <span className="panel-mono">{row.to_phone_number}</span> },
                { title: 'Agent', show: (row) => row.agent_id },
                { title: 'End', show: (row) => words(row.end_reason ?? '–') },
                { title: 'Seconds', right: true, show: (row) => row.duration_seconds ?? '–' },
                { title: 'Placed', show: (row) => <Time at={row.created_at} ago /> },
                {
                  title: '',
                  show: (row) => (
                    <Button size="compact-xs" variant="subtle" onClick={(event) => (event.stopPropagation(), setOpen(row))}>
                      Details
                    </Button>
                  ),
                },
              ]}
              pager={<NumberPager page={page} totalPages={meta.totalPages} onGo={setPage} />}
            />
          )
        }
      </Loaded>
      <Modal opened={isNew} onClose={() => setNew(false)} title="Place a call">
        <form onSubmit={submit}>
          <Stack>
            {place.error && <ErrorNote error={place.error} />}
            <TextInput label="To" name="to" required placeholder="+447700900123" data-autofocus />
            <TextInput label="Agent" name="agent_id" required placeholder="agt_1" />
            <TextInput label="From" name="from" placeholder="+442079460001" />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setNew(false)}>
                Cancel
              </Button>
              <Button type="submit" loading={place.isPending}>
                Place it
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <Modal opened={open !== null} onClose={() => setOpen(null)} title={open?.to_phone_number ?? ''} size="lg">
        {open && (open.ended_at ? <Details id={open.id} /> : <Text>The call goes on: {words(open.status)}.</Text>)}
      </Modal>
    </Page>
  );
}

function Details({ id }: { readonly id: string }) {
  const { slug } = useOrganization();
  const query = useCall('GET /panel/organizations/{slug}/dialnexa/call-logs/{id}/details', {
    params: { slug, id: id.replace('call_', 'log_') },
  });
  return (
    <Loaded query={query}>
      {(details) => (
        <Stack>
          <Group>
            <StatusBadge status={details.status} />
            <Text size="sm">{words(details.end_reason ?? '')}</Text>
          </Group>
          <Timeline active={details.timeline.length} bulletSize={14} lineWidth={2}>
            {details.timeline.map(({ event, timestamp }) => (
              <Timeline.Item key={event} title={words(event)}>
                <Text size="sm" c="dimmed">
                  <Time at={timestamp} />
                </Text>
              </Timeline.Item>
            ))}
          </Timeline>
          {details.transcript ? (
            <Code block tabIndex={0} style={{ whiteSpace: 'pre-wrap' }}>
              {details.transcript}
            </Code>
          ) : (
            <Text c="dimmed" size="sm">
              There is no transcript.
            </Text>
          )}
        </Stack>
      )}
    </Loaded>
  );
}
