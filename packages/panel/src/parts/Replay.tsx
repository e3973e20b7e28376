import { Alert, Button, Group, Modal, Progress, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { call, useCall, type Answer } from '../api/client.ts';
import type { DeliveryFilters } from '../router.tsx';
import { useOrganization } from '../session.ts';
import { formatNumber, words } from './format.ts';
import { notifyError } from './notify.ts';

type Count = Answer<'POST /panel/organizations/{slug}/replays/count'>;

const DAY_MS = 86_400_000;

/** Sends everything that the filters show once more: first the count, then a job with progress that can be cancelled. */
export function ReplayButton({ filters }: { readonly filters: DeliveryFilters }) {
  const { slug } = useOrganization();
  const [count, setCount] = useState<Count | null>(null);
  const [jobId, setJob] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const jobs = useCall('GET /panel/organizations/{slug}/replays', { params: { slug } }, { enabled: jobId !== null, everyMs: 1_000 });
  const job = jobs.data?.data.find(({ id }) => id === jobId);
  // What a job cannot choose by must not look as if it could.
  const isTooFine = filters.code !== undefined || filters.search !== undefined;
  const body = {
    since: filters.since ? new Date(filters.since).toISOString() : new Date(Date.now() - DAY_MS).toISOString(),
    ...(filters.until && { until: new Date(filters.until).toISOString() }),
    ...(filters.endpoint && { endpoint: filters.endpoint }),
    ...(filters.event_type && { event_type: filters.event_type }),
    ...(filters.status === 'delivered' || filters.status === 'exhausted' ? { status: filters.status as 'delivered' } : {}),
  };
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    await work().catch(notifyError);
    setBusy(false);
  };
  const ask = () => run(async () => setCount(await call('POST /panel/organizations/{slug}/replays/count', { params: { slug }, body })));
  const start = () =>
    run(async () => {
      setJob((await call('POST /panel/organizations/{slug}/replays', { params: { slug }, body })).id);
      await jobs.refetch();
    });
  const cancel = () =>
    run(
      async () => void (await call('POST /panel/organizations/{slug}/replays/{replay_id}/cancel', { params: { slug, replay_id: jobId! } })),
    );
  const close = () => {
    setCount(null);
    setJob(null);
  };
  return (
    <>
      <Button
        variant="default"
        disabled={isTooFine}
        title={isTooFine ? 'A replay knows time, status, endpoint and event type: clear the search and the HTTP code' : undefined}
        loading={isBusy && count === null}
        onClick={() => void ask()}
      >
        Replay…
      </Button>
      <Modal opened={count !== null} onClose={close} title="Replay deliveries">
        {job === undefined ? (
          <Stack>
            <Text>
              <b>
                {count?.at_least ? 'At least ' : ''}
                {formatNumber(count?.count ?? 0)}
              </b>{' '}
              finished deliveries {filters.since ? 'since the chosen time' : 'of the last 24 hours'} fit the filters. Each is sent again as
              a new delivery.
            </Text>
            {!filters.status && (
              <Alert color="yellow">Delivered ones are among them. Choose the status “exhausted” to repeat failures alone.</Alert>
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Close
              </Button>
              <Button disabled={!count?.count} loading={isBusy} onClick={() => void start()}>
                Send them again
              </Button>
            </Group>
          </Stack>
        ) : (
          <Stack>
            <Progress value={job.total === 0 ? 100 : ((job.replayed + job.skipped) / job.total) * 100} aria-label="Progress" />
            <Text role="status">
              {words(job.status)}: {formatNumber(job.replayed)} of {formatNumber(job.total)} sent again
              {job.skipped > 0 && `, ${formatNumber(job.skipped)} skipped`}
            </Text>
            <Group justify="flex-end">
              {job.status === 'running' && (
                <Button variant="default" loading={isBusy} onClick={() => void cancel()}>
                  Cancel
                </Button>
              )}
              <Button onClick={close}>Close</Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}
