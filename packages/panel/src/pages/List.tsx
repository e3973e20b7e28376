import { Alert, Box, Button, Group, Loader, Progress, Select, SimpleGrid, Stack, Stepper, Switch, Table, Text, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Bar, BarChart, Cell, Legend, Pie, PieChart, Tooltip, XAxis, YAxis } from 'recharts';
import { call, useAct, useCall, type Answer } from '../api/client.ts';
import { Chart, Figure } from '../parts/Chart.tsx';
import { formatNumber, formatPercent } from '../parts/format.ts';
import { notify, notifyError } from '../parts/notify.ts';
import { ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { Confirm } from '../parts/Confirm.tsx';

type ListDetail = Answer<'GET /panel/organizations/{slug}/lists/{list_id}'>;

const WORKING = new Set(['validating', 'ready_for_processing', 'processing']);
const STEPS = ['pending_mapping', 'validating', 'awaiting_confirmation', 'ready_for_processing', 'processing', 'completed'];
const REFRESH_MS = 1_000;
/** Bars of a chart; the table beside it has the rest. */
const MOST_BARS = 12;

/** One list on its way: mapping, validation, confirmation, processing, result. */
export function ListPage() {
  const { slug } = useOrganization();
  const { id } = useParams({ from: '/o/$slug/lists/$id' });
  const params = { slug, list_id: id };
  const [isWorking, setWorking] = useState(true);
  const query = useCall('GET /panel/organizations/{slug}/lists/{list_id}', { params }, { everyMs: isWorking ? REFRESH_MS : undefined });
  const cancel = useAct('DELETE /panel/organizations/{slug}/lists/{list_id}');
  const [asks, setAsks] = useState(false);
  const list = query.data;
  if (list !== undefined && WORKING.has(list.status) !== isWorking) setWorking(WORKING.has(list.status));
  const canCancel = list !== undefined && ['pending_mapping', 'awaiting_confirmation', 'ready_for_processing'].includes(list.status);
  return (
    <Page
      title={list?.filename ?? 'List'}
      subtitle={
        list && (
          <Group gap="xs">
            <StatusBadge status={list.status} /> uploaded <Time at={list.created_at} ago />
          </Group>
        )
      }
      actions={
        canCancel && (
          <Button variant="default" onClick={() => setAsks(true)}>
            Cancel the list
          </Button>
        )
      }
    >
      <Loaded query={query}>
        {(found) => (
          <Stack gap="lg">
            <Stepper
              active={
                Math.max(
                  0,
                  ['pending_mapping', 'awaiting_confirmation', 'processing', 'completed'].findLastIndex(
                    (step) => STEPS.indexOf(found.status) >= STEPS.indexOf(step),
                  ),
                ) + (found.status === 'completed' ? 1 : 0)
              }
              size="sm"
              allowNextStepsSelect={false}
            >
              <Stepper.Step label="Columns" />
              <Stepper.Step label="Confirm" />
              <Stepper.Step label="Processing" />
              <Stepper.Step label="Result" />
            </Stepper>
            <State list={found} />
          </Stack>
        )}
      </Loaded>
      <Confirm
        isOpen={asks}
        title="Cancel this list?"
        text={list?.credits_charged ? `${formatNumber(list.credits_charged)} credits come back.` : 'Nothing was charged yet.'}
        action="Cancel the list"
        onClose={() => setAsks(false)}
        onYes={() => cancel.mutate({ params }, { onError: notifyError, onSuccess: () => notify('Cancelled') })}
      />
    </Page>
  );
}

function State({ list }: { readonly list: ListDetail }) {
  switch (list.status) {
    case 'pending_mapping':
      return <Mapping list={list} />;
    case 'awaiting_confirmation':
      return <Confirmation list={list} />;
    case 'validating':
    case 'ready_for_processing':
    case 'processing':
      return (
        <Box className="panel-card" role="status">
          <Group>
            <Loader size="sm" aria-hidden />
            <Text>
              {list.status === 'validating' ? 'Every row is being checked.' : 'The numbers are being processed. You can leave this page.'}
            </Text>
          </Group>
          {list.status !== 'validating' && <Progress mt="sm" value={100} animated aria-label="Processing" />}
        </Box>
      );
    case 'completed':
      return <Result list={list} />;
    case 'validation_failed':
    case 'failed':
      return (
        <>
          <Alert color="red" title={list.status === 'failed' ? 'Processing failed' : 'The list cannot be processed'}>
            {list.error_message}
          </Alert>
          <Rows list={list} />
        </>
      );
    case 'cancelled':
      return (
        <Alert color="gray" title="Cancelled">
          {list.credits_refunded ? `${formatNumber(list.credits_refunded)} credits came back.` : 'Nothing was charged.'}
        </Alert>
      );
    default:
      return list.status satisfies never;
  }
}

function Rows({ list }: { readonly list: ListDetail }) {
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }}>
      <Figure label="Rows" value={formatNumber(list.total_rows)} />
      <Figure
        label="Valid"
        value={formatNumber(list.valid_rows)}
        note={list.total_rows > 0 ? formatPercent(list.valid_rows / list.total_rows) : ''}
      />
      <Figure label="Invalid" value={formatNumber(list.invalid_rows)} />
      <Figure label="Repeated" value={formatNumber(list.duplicate_rows)} />
    </SimpleGrid>
  );
}

function Mapping({ list }: { readonly list: ListDetail }) {
  const { slug } = useOrganization();
  const params = { slug, list_id: list.id };
  const preview = useCall('GET /panel/organizations/{slug}/lists/{list_id}/preview', { params });
  const map = useAct('POST /panel/organizations/{slug}/lists/{list_id}/mapping');
  const [chosen, setChosen] = useState<string | null>(null);
  const [skips, setSkips] = useState(false);
  const [keeps, setKeeps] = useState(false);
  return (
    <Loaded query={preview}>
      {({ columns, phone_column: guess, rows }) => {
        const column = chosen ?? guess;
        return (
          <Stack>
            {map.error && <ErrorNote error={map.error} />}
            <Group align="flex-end">
              <Select
                label="Column with the phone numbers"
                data={[...new Set(columns)]}
                value={column}
                onChange={setChosen}
                allowDeselect={false}
                w={280}
                searchable
              />
              <Switch label="Skip carrier look-ups" checked={skips} onChange={(event) => setSkips(event.currentTarget.checked)} mb={8} />
              <Switch label="Keep formulas" checked={keeps} onChange={(event) => setKeeps(event.currentTarget.checked)} mb={8} />
              <Button
                disabled={column === null}
                loading={map.isPending}
                onClick={() => map.mutate({ params, body: { phone_column: column!, skip_mobile_lookup: skips, keep_formulas: keeps } })}
              >
                Check the numbers
              </Button>
            </Group>
            <Text size="sm" c="dimmed">
              In the results, cells that a spreadsheet would run as a formula begin with an apostrophe, unless you keep them as they were
              sent.
            </Text>
            <Box className="panel-card">
              <Title order={2} size="h5" mb="xs">
                The first rows
              </Title>
              <Table.ScrollContainer minWidth={400} tabIndex={0} role="region" aria-label="The first rows">
                <Table>
                  <Table.Thead>
                    <Table.Tr>
                      {columns.map((name, index) => (
                        <Table.Th key={index} c={name === column ? 'var(--mantine-color-cyan-light-color)' : undefined}>
                          {name || '(no name)'}
                        </Table.Th>
                      ))}
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {rows.map((row, index) => (
                      <Table.Tr key={index}>
                        {row.map((cell, at) => (
                          <Table.Td key={at} className={columns[at] === column ? 'panel-mono' : undefined}>
                            {cell}
                          </Table.Td>
                        ))}
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
            </Box>
          </Stack>
        );
      }}
    </Loaded>
  );
}

function Confirmation({ list }: { readonly list: ListDetail }) {
  const { credits, slug } = useOrganization();
  const confirm = useAct('POST /panel/organizations/{slug}/lists/{list_id}/confirm');
  const isEnough = credits >= list.credits_required;
  return (
    <Stack>
      <Rows list={list} />
      {confirm.error && <ErrorNote error={confirm.error} />}
      <Box className="panel-card">
        <Group justify="space-between">
          <Text>
            <b>{formatNumber(list.credits_required)} credits</b> for {formatNumber(list.valid_rows)} valid numbers; {formatNumber(credits)}{' '}
            are left.
          </Text>
          <Button disabled={!isEnough} loading={confirm.isPending} onClick={() => confirm.mutate({ params: { slug, list_id: list.id } })}>
            Process for {formatNumber(list.credits_required)} credits
          </Button>
        </Group>
        {!isEnough && (
          <Text c="dimmed" size="sm">
            Ask the operator for more credits.
          </Text>
        )}
      </Box>
    </Stack>
  );
}

const COLORS: Record<string, string> = {
  'Likely Answer': 'var(--mantine-color-teal-6)',
  'Likely Voicemail': 'var(--mantine-color-yellow-6)',
  Unknown: 'var(--mantine-color-gray-5)',
};

function Result({ list }: { readonly list: ListDetail }) {
  const { slug } = useOrganization();
  const download = async (file: string) => {
    const { url } = await call('GET /panel/organizations/{slug}/lists/{list_id}/download/{file}', {
      params: { slug, list_id: list.id, file },
    });
    location.assign(url);
  };
  return (
    <Stack>
      <Group>
        <Button onClick={() => void download('processed').catch(notifyError)}>Download the result</Button>
        <Button variant="default" onClick={() => void download('processed-filtered').catch(notifyError)}>
          Likely answers alone
        </Button>
        <Button variant="default" onClick={() => void download('original').catch(notifyError)}>
          Original
        </Button>
      </Group>
      <Rows list={list} />
      {list.summary && (
        <SimpleGrid cols={{ base: 1, lg: 3 }}>
          <Counts title="Verdicts" counts={list.summary.statuses} isPie />
          <Counts title="By region" counts={list.summary.regions} />
          <Counts title="By time zone" counts={list.summary.time_zones} />
        </SimpleGrid>
      )}
    </Stack>
  );
}

function Counts({
  counts,
  isPie = false,
  title,
}: {
  readonly title: string;
  readonly counts: Record<string, number>;
  readonly isPie?: boolean;
}) {
  const rows = Object.entries(counts)
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count);
  const columns = [
    { title: 'Name', show: (row: (typeof rows)[number]) => row.name },
    { title: 'Numbers', show: (row: (typeof rows)[number]) => formatNumber(row.count) },
  ];
  return (
    <Chart title={title} rows={rows} columns={columns} height={260}>
      {isPie ? (
        <PieChart accessibilityLayer={false}>
          <Pie
            rootTabIndex={-1}
            data={rows.filter(({ count }) => count > 0)}
            dataKey="count"
            nameKey="name"
            innerRadius="55%"
            isAnimationActive={false}
          >
            {rows
              .filter(({ count }) => count > 0)
              .map(({ name }) => (
                <Cell key={name} fill={COLORS[name] ?? 'var(--mantine-color-cyan-6)'} />
              ))}
          </Pie>
          <Tooltip />
          <Legend />
        </PieChart>
      ) : (
        <BarChart accessibilityLayer={false} data={rows.slice(0, MOST_BARS)} layout="vertical" margin={{ left: 8 }}>
          <XAxis type="number" hide />
          <YAxis
            type="category"
            dataKey="name"
            width={130}
            fontSize={12}
            tick={{ fill: 'var(--mantine-color-dimmed)' }}
            tickLine={false}
            axisLine={false}
          />
          <Tooltip />
          <Bar dataKey="count" maxBarSize={26} fill="var(--mantine-color-cyan-6)" isAnimationActive={false} />
        </BarChart>
      )}
    </Chart>
  );
}
