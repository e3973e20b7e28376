import { Button, FileButton, Group, SimpleGrid, Tabs } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCall } from '../api/client.ts';
import { Figure } from '../parts/Chart.tsx';
import { DataTable, NumberPager } from '../parts/DataTable.tsx';
import { formatNumber, formatPercent } from '../parts/format.ts';
import { notify, notifyError } from '../parts/notify.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { Confirm } from '../parts/Confirm.tsx';

const REFRESH_MS = 1_500;
const LEAD_STATUSES = ['all', 'pending', 'in_progress', 'completed', 'failed'];

/** One campaign: live counts, its leads, and pause, resume, cancel. */
export function CampaignPage() {
  const { slug } = useOrganization();
  const { id } = useParams({ from: '/o/$slug/campaigns/$id' });
  const params = { slug, id };
  const query = useCall('GET /panel/organizations/{slug}/dialnexa/campaigns/{id}', { params }, { everyMs: REFRESH_MS });
  const pause = useAct('POST /panel/organizations/{slug}/dialnexa/campaigns/{id}/pause');
  const resume = useAct('POST /panel/organizations/{slug}/dialnexa/campaigns/{id}/resume');
  const cancel = useAct('POST /panel/organizations/{slug}/dialnexa/campaigns/{id}/cancel');
  const add = useAct('POST /panel/organizations/{slug}/dialnexa/campaigns-leads/upload-file/{id}');
  const [asks, setAsks] = useState(false);
  const [page, setPage] = useState(1);
  const [status, setStatus] = useState('all');
  const leads = useCall(
    'GET /panel/organizations/{slug}/dialnexa/campaigns-leads',
    { params: { slug }, query: { campaignId: id, page, limit: 25, ...(status !== 'all' && { status: status as 'pending' }) } },
    { everyMs: REFRESH_MS, keep: true },
  );
  const campaign = query.data;
  const isOver = campaign?.status === 'completed' || campaign?.status === 'cancelled';
  const send = (file: File | null) => {
    if (file === null) return;
    const form = new FormData();
    form.append('file', file);
    add.mutate({ params, body: form }, { onSuccess: ({ message }) => notify(message) });
  };
  return (
    <Page
      title={campaign?.name ?? 'Campaign'}
      subtitle={
        campaign && (
          <Group gap="xs">
            <StatusBadge status={campaign.status} />
            {campaign.scheduled_at && (
              <>
                starts <Time at={campaign.scheduled_at} />
              </>
            )}
          </Group>
        )
      }
      actions={
        campaign &&
        !isOver && (
          <>
            <FileButton onChange={send} accept=".csv,.xlsx,text/csv" inputProps={{ 'aria-label': 'File of leads' }}>
              {(props) => (
                <Button {...props} variant="default" loading={add.isPending}>
                  Add leads
                </Button>
              )}
            </FileButton>
            {campaign.status === 'paused' ? (
              <Button loading={resume.isPending} onClick={() => resume.mutate({ params }, { onError: notifyError })}>
                Resume
              </Button>
            ) : (
              <Button loading={pause.isPending} onClick={() => pause.mutate({ params }, { onError: notifyError })}>
                Pause
              </Button>
            )}
            <Button variant="subtle" color="red" onClick={() => setAsks(true)}>
              Cancel
            </Button>
          </>
        )
      }
    >
      {add.error && <ErrorNote error={add.error} />}
      <Loaded query={query}>
        {(found) => (
          <SimpleGrid cols={{ base: 2, md: 4 }}>
            <Figure label="Leads" value={formatNumber(found.total_leads)} />
            <Figure
              label="Completed"
              value={formatNumber(found.completed_calls)}
              note={found.total_leads > 0 ? formatPercent(found.completed_calls / found.total_leads) : ''}
            />
            <Figure label="Failed" value={formatNumber(found.failed_calls)} />
            <Figure label="Left" value={formatNumber(found.pending_calls)} note={`up to ${found.max_concurrent_calls} calls at once`} />
          </SimpleGrid>
        )}
      </Loaded>
      <Tabs value={status} onChange={(value) => (setStatus(value ?? 'all'), setPage(1))}>
        <Tabs.List>
          {LEAD_STATUSES.map((value) => (
            <Tabs.Tab key={value} value={value}>
              {value.replace('_', ' ')}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={status} pt="sm">
          <Loaded query={leads}>
            {({ data, meta }) =>
              data.length === 0 ? (
                <Empty title="No leads here" command={`printf 'phone_number,name\\n+447700900123,Ada\\n' > leads.csv`}>
                  Add a CSV or an XLSX file with a column phone_number.
                </Empty>
              ) : (
                <DataTable
                  label="Leads"
                  rows={data}
                  keyOf={(row) => row.id}
                  columns={[
                    { title: 'Phone', show: (row) => <span className="panel-mono">{row.phone_number}</span> },
                    { title: 'Name', show: (row) => row.name ?? '–' },
                    { title: 'Status', show: (row) => <StatusBadge status={row.status} /> },
                    {
                      title: 'Notes',
                      show: (row) =>
                        Object.entries(row.notes)
                          .map(([name, value]) => `${name}: ${String(value)}`)
                          .join(', ') || '–',
                    },
                    { title: 'Added', show: (row) => <Time at={row.created_at} ago /> },
                  ]}
                  pager={<NumberPager page={page} totalPages={meta.totalPages} onGo={setPage} />}
                />
              )
            }
          </Loaded>
        </Tabs.Panel>
      </Tabs>
      <Confirm
        isOpen={asks}
        title="Cancel this campaign?"
        text="It stops for good. Calls that are under way go on to their end."
        action="Cancel the campaign"
        onClose={() => setAsks(false)}
        onYes={() => cancel.mutate({ params }, { onError: notifyError })}
      />
    </Page>
  );
}
