import { Alert, Badge, Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useAct, useCall } from '../api/client.ts';
import { CursorPager, DataTable } from '../parts/DataTable.tsx';
import { formatNumber } from '../parts/format.ts';
import { notify, notifyError } from '../parts/notify.ts';
import { Empty, Loaded, Page } from '../parts/Page.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';

const REFRESH_MS = 5_000;

/** Cleaned dials, newest first, and those that could not be cleaned. */
export function DialsPage() {
  const { slug } = useOrganization();
  const [trail, setTrail] = useState<string[]>([]);
  const query = useCall(
    'GET /panel/organizations/{slug}/outboundiq/dials',
    { params: { slug }, query: { limit: 50, order: 'newest', ...(trail.length > 0 && { cursor: trail.at(-1)! }) } },
    { everyMs: trail.length === 0 ? REFRESH_MS : undefined, keep: true },
  );
  const uncleaned = useCall('GET /panel/organizations/{slug}/uncleaned-dials', { params: { slug }, query: { limit: 50 } });
  const again = useAct('POST /panel/organizations/{slug}/uncleaned-dials/clean');
  const kept = uncleaned.data?.data ?? [];
  return (
    <Page title="Dials" subtitle="What the dialer posted, cleaned with the company’s tables.">
      {kept.length > 0 && (
        <Alert color="red" title={`${formatNumber(kept.length)}${uncleaned.data?.next_cursor ? '+' : ''} dials could not be cleaned`}>
          <Group justify="space-between">
            <span>{kept[0]!.error}</span>
            <Button
              size="xs"
              loading={again.isPending}
              onClick={() =>
                again.mutate({ params: { slug } }, { onError: notifyError, onSuccess: ({ tried }) => notify(`${tried} are cleaned again`) })
              }
            >
              Clean them again
            </Button>
          </Group>
        </Alert>
      )}
      <Loaded query={query}>
        {({ dials, next_cursor: next }) =>
          dials.length === 0 ? (
            <Empty
              title="No dials yet"
              command={`curl -X POST $URL/dials -H "Authorization: Bearer $OUTBOUNDIQ_KEY" -H 'Content-Type: application/json' -d '{"campaign_id":"c1","campaign_name":"Spring","agent_name":"Ana","ani":"3125550142","prospect_phone":"7735550199","disposition_name":"SALE","datetime":"2026-05-02 09:14:58","call_direction":"Outbound","total_dial_attempts":1}'`}
            >
              The dialer posts them with a key of the kind outboundIQ.
            </Empty>
          ) : (
            <DataTable
              label="Dials"
              rows={dials}
              keyOf={({ id }) => id}
              columns={[
                { title: 'Time', show: (row) => <Time at={row.timestamp} /> },
                { title: 'Direction', show: (row) => row.callDirection },
                { title: 'From', show: (row) => <span className="panel-mono">{row.ani ?? '–'}</span> },
                { title: 'Phone', show: (row) => <span className="panel-mono">{row.phone ?? '–'}</span> },
                { title: 'Campaign', show: (row) => row.campaign ?? '–' },
                { title: 'Disposition', show: (row) => row.disposition ?? '–' },
                { title: 'Result', show: (row) => <Result contact={row.contact} success={row.success} /> },
              ]}
              pager={<CursorPager trail={trail} next={next} onGo={setTrail} />}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

function Result({ contact, success }: { readonly contact: boolean; readonly success: boolean }) {
  if (success)
    return (
      <Badge color="teal" variant="light" tt="none">
        success
      </Badge>
    );
  return contact ? (
    <Badge color="cyan" variant="light" tt="none">
      contact
    </Badge>
  ) : (
    <Badge color="gray" variant="light" tt="none">
      no contact
    </Badge>
  );
}
