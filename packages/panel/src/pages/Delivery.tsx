import { Box, Button, Code, Group, SimpleGrid, Stack, Text, Timeline, Title } from '@mantine/core';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useAct, useCall, type Answer } from '../api/client.ts';
import { formatMs } from '../parts/format.ts';
import { notify, notifyError } from '../parts/notify.ts';
import { Loaded, Page } from '../parts/Page.tsx';
import { Copy } from '../parts/Secret.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';

type Detail = Answer<'GET /panel/organizations/{slug}/deliveries/{delivery_id}'>;
type Sent = Answer<'GET /panel/organizations/{slug}/deliveries/{delivery_id}/request'>;

const UNFINISHED_MS = 2_000;

/** One delivery: its attempts, past and planned, the exact request, and what can be done. */
export function DeliveryPage() {
  const { slug } = useOrganization();
  const { id } = useParams({ from: '/o/$slug/deliveries/$id' });
  const navigate = useNavigate();
  const params = { slug, delivery_id: id };
  const query = useCall('GET /panel/organizations/{slug}/deliveries/{delivery_id}', { params }, { everyMs: UNFINISHED_MS });
  const request = useCall('GET /panel/organizations/{slug}/deliveries/{delivery_id}/request', { params });
  const resend = useAct('POST /panel/organizations/{slug}/deliveries/{delivery_id}/resend');
  return (
    <Page
      title="Delivery"
      subtitle={<span className="panel-mono">{id}</span>}
      actions={
        <>
          {request.data && <Copy value={curlOf(request.data)} label="Copy as curl" />}
          <Button
            loading={resend.isPending}
            onClick={() =>
              resend.mutate(
                { params },
                {
                  onError: notifyError,
                  onSuccess: (made) => {
                    notify('It is being sent again');
                    void navigate({ to: '/o/$slug/deliveries/$id', params: { slug, id: made.id } });
                  },
                },
              )
            }
          >
            Resend
          </Button>
        </>
      }
    >
      <Loaded query={query}>
        {(delivery) => (
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            <Stack>
              <Box className="panel-card">
                <Group justify="space-between">
                  <Text className="panel-mono">{delivery.event_type}</Text>
                  <StatusBadge status={delivery.status} />
                </Group>
                <Text size="sm" c="dimmed">
                  Made <Time at={delivery.created_at} />
                  {delivery.finished_at && (
                    <>
                      {' '}
                      , finished <Time at={delivery.finished_at} />
                    </>
                  )}
                </Text>
                <Text size="sm" c="dimmed">
                  Endpoint{' '}
                  <Link to="/o/$slug/deliveries" params={{ slug }} search={{ endpoint: delivery.endpoint_id }} className="panel-mono">
                    {request.data?.url ?? delivery.endpoint_id}
                  </Link>
                </Text>
              </Box>
              <Attempts delivery={delivery} planned={request.data?.planned_at ?? []} />
            </Stack>
            <Box className="panel-card">
              <Title order={2} size="h5" mb="sm">
                Request
              </Title>
              {request.data ? (
                <RequestView sent={request.data} />
              ) : (
                <Text c="dimmed">{request.error ? 'The event or the endpoint is gone.' : 'Reading…'}</Text>
              )}
            </Box>
          </SimpleGrid>
        )}
      </Loaded>
    </Page>
  );
}

function Attempts({ delivery, planned }: { readonly delivery: Detail; readonly planned: readonly string[] }) {
  return (
    <Box className="panel-card">
      <Title order={2} size="h5" mb="sm">
        Attempts
      </Title>
      <Timeline bulletSize={16} lineWidth={2} active={delivery.attempts.length - 1}>
        {delivery.attempts.map((attempt) => {
          const isGood = attempt.error === null;
          return (
            <Timeline.Item
              key={attempt.number}
              color={isGood ? 'teal' : 'red'}
              title={`${attempt.number}. ${attempt.response_status ?? attempt.error ?? 'no answer'}`}
            >
              <Text size="sm" c="dimmed">
                <Time at={attempt.started_at} /> · {formatMs(attempt.duration_ms)}
                {!isGood && attempt.response_status !== null && ` · ${attempt.error}`}
              </Text>
              {attempt.response_body && (
                <Code block mt={4} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }} tabIndex={0}>
                  {attempt.response_body}
                </Code>
              )}
            </Timeline.Item>
          );
        })}
        {planned.map((at, index) => (
          <Timeline.Item key={at} title={index === 0 ? 'Next attempt' : 'Then, if it fails'}>
            <Text size="sm" c="dimmed">
              <Time at={at} /> (<Time at={at} ago />)
            </Text>
          </Timeline.Item>
        ))}
      </Timeline>
      {delivery.attempts.length + planned.length === 0 && <Text c="dimmed">It was not attempted.</Text>}
    </Box>
  );
}

function RequestView({ sent }: { readonly sent: Sent }) {
  return (
    <Stack gap="xs">
      <Text className="panel-mono">POST {sent.url}</Text>
      <Code block tabIndex={0} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
        {Object.entries(sent.headers)
          .map(([name, value]) => `${name}: ${value}`)
          .join('\n')}
      </Code>
      <Code
        block
        tabIndex={0}
        data-testid="body"
        style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap', maxHeight: 480, overflow: 'auto' }}
      >
        {pretty(sent.body)}
      </Code>
      <Group justify="flex-end">
        <Copy value={sent.body} label="Copy the exact bytes" />
      </Group>
    </Stack>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function curlOf({ body, headers, url }: Sent): string {
  return [
    `curl -X POST ${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `  -H ${quoted(`${name}: ${value}`)}`),
    `  --data-raw ${quoted(body)}`,
  ].join(' \\\n');
}
