import '@mantine/dropzone/styles.css';
import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useCall, type Answer } from '../api/client.ts';
import { upload } from '../api/upload.ts';
import { CursorPager, DataTable } from '../parts/DataTable.tsx';
import { formatBytes, formatNumber } from '../parts/format.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';

type List = Answer<'GET /panel/organizations/{slug}/lists'>['data'][number];

const MAX_BYTES = 100 * 1024 * 1024;
const REFRESH_MS = 3_000;

/** Lists, newest first, and a place to drop the next one. */
export function ListsPage() {
  const { slug } = useOrganization();
  const navigate = useNavigate();
  const [trail, setTrail] = useState<string[]>([]);
  const [sent, setSent] = useState<number | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const query = useCall(
    'GET /panel/organizations/{slug}/lists',
    { params: { slug }, query: { limit: 25, ...(trail.length > 0 && { cursor: trail.at(-1)! }) } },
    { everyMs: REFRESH_MS, keep: true },
  );
  const send = async (file: File | undefined) => {
    if (file === undefined) return;
    setError(null);
    setSent(0);
    try {
      const list = await upload<List>(`/panel/organizations/${encodeURIComponent(slug)}/lists`, file, setSent);
      await navigate({ to: '/o/$slug/lists/$id', params: { slug, id: list.id } });
    } catch (failure) {
      setError(failure as Error);
      setSent(null);
    }
  };
  return (
    <Page title="Lists" subtitle="Phone numbers of the US and Canada, at least 100 for each list. One credit for each valid number.">
      {error && <ErrorNote error={error} />}
      <Dropzone
        onDrop={(files) => void send(files[0])}
        onReject={() => setError(new Error('One CSV of at most 100 MB, please.'))}
        maxSize={MAX_BYTES}
        maxFiles={1}
        multiple={false}
        accept={['text/csv', 'text/plain', 'application/vnd.ms-excel', '.csv']}
        loading={false}
        disabled={sent !== null}
        inputProps={{ 'aria-label': 'Upload a CSV' }}
        aria-label="Upload a CSV"
      >
        <Stack align="center" gap={4} py="md" style={{ pointerEvents: 'none' }}>
          <Text fw={600}>Drop a CSV here, or choose one</Text>
          <Text size="sm" c="dimmed">
            Any usual separator and encoding, up to 100 MB. You choose the column with the numbers next.
          </Text>
        </Stack>
      </Dropzone>
      {sent !== null && (
        <Stack gap={4} role="status">
          <Progress value={sent * 100} aria-label="Uploaded" animated />
          <Text size="sm" c="dimmed">
            {sent < 1 ? `Uploading, ${Math.round(sent * 100)} %` : 'Reading the file…'}
          </Text>
        </Stack>
      )}
      <Loaded query={query}>
        {({ data, next_cursor: next }) =>
          data.length === 0 ? (
            <Empty title="No lists yet" command={`seq -f '+1555%07.0f' 0 99 | sed '1i phone' > first-list.csv`}>
              Drop a CSV above, or make one to try with:
            </Empty>
          ) : (
            <DataTable
              label="Lists"
              rows={data}
              keyOf={({ id }) => id}
              onOpen={({ id }) => void navigate({ to: '/o/$slug/lists/$id', params: { slug, id } })}
              columns={[
                {
                  title: 'File',
                  show: (row) => (
                    <Link to="/o/$slug/lists/$id" params={{ slug, id: row.id }}>
                      {row.filename}
                    </Link>
                  ),
                },
                { title: 'Status', show: (row) => <StatusBadge status={row.status} /> },
                { title: 'From', show: (row) => (row.source === 'api' ? 'API' : 'panel') },
                { title: 'Valid', right: true, show: (row) => formatNumber(row.valid_rows) },
                { title: 'Invalid', right: true, show: (row) => formatNumber(row.invalid_rows) },
                { title: 'Size', right: true, show: (row) => formatBytes(row.file_size_bytes) },
                { title: 'Uploaded', show: (row) => <Time at={row.created_at} ago /> },
              ]}
              pager={<CursorPager trail={trail} next={next} onGo={setTrail} />}
            />
          )
        }
      </Loaded>
      <Group>
        <Button component="a" href="/docs" variant="subtle" size="xs">
          The same over the API
        </Button>
      </Group>
    </Page>
  );
}
