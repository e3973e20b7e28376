import { SegmentedControl, Skeleton } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { useCall } from '../api/client.ts';
import { Loaded, Page } from '../parts/Page.tsx';
import { useOrganization } from '../session.ts';

const OverviewCharts = lazy(() => import('./OverviewCharts.tsx').then((module) => ({ default: module.OverviewCharts })));

const REFRESH_MS = 10_000;

/** How it goes: deliveries by outcome, latency, what waits, lists and dials. */
export function OverviewPage() {
  const { slug } = useOrganization();
  const [hours, setHours] = useState('24');
  const query = useCall(
    'GET /panel/organizations/{slug}/overview',
    { params: { slug }, query: { hours: Number(hours) } },
    { everyMs: REFRESH_MS, keep: true },
  );
  return (
    <Page
      title="Overview"
      subtitle="Deliveries of the whole organization, counted every few seconds."
      actions={
        <SegmentedControl
          aria-label="Time range"
          value={hours}
          onChange={setHours}
          data={[
            { value: '6', label: '6 h' },
            { value: '24', label: '24 h' },
            { value: '168', label: '7 days' },
          ]}
        />
      }
    >
      <Loaded query={query}>
        {(overview) => (
          <Suspense fallback={<Skeleton height={420} aria-busy="true" />}>
            <OverviewCharts overview={overview} />
          </Suspense>
        )}
      </Loaded>
    </Page>
  );
}
