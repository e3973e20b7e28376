import { Alert, Badge, Box, Button, Group, Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCall, type Answer } from '../api/client.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { CursorPager } from '../parts/DataTable.tsx';
import { DIALECTS } from '../parts/dialects.ts';
import { EndpointForm } from '../parts/EndpointForm.tsx';
import { formatMs, formatPercent, words } from '../parts/format.ts';
import { notify, notifyError } from '../parts/notify.ts';
import { Empty, Loaded, Page } from '../parts/Page.tsx';
import { ShownOnce } from '../parts/Secret.tsx';
import { Sparkline } from '../parts/Sparkline.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import type { DeliveryFilters } from '../router.tsx';
import { useOrganization } from '../session.ts';

type Endpoint = Answer<'GET /panel/organizations/{slug}/endpoints'>['data'][number];
type Health = Answer<'GET /panel/organizations/{slug}/endpoints/health'>['data'][number];

const REFRESH_MS = 10_000;
/** Endpoints on one page. */
const PAGE = 50;

/** Developers → webhook endpoints: those of OptimalDial, DialNexa and Standard Webhooks. */
export function EndpointsPage() {
  return (
    <EndpointList
      title="Webhook endpoints"
      subtitle="Where events go, and how it goes there."
      dialects={['optimaldial', 'dialnexa', 'standard']}
      empty="An endpoint is a URL of yours that gets signed events."
    />
  );
}

/** Settings → webhooks: outboundIQ's, up to three, which get dials in batches. */
export function WebhookSettingsPage() {
  return (
    <EndpointList
      title="Webhooks"
      subtitle="Up to three URLs that get cleaned dials in batches of up to 100."
      dialects={['outboundiq']}
      most={3}
      empty="Without a webhook dials are cleaned and kept, and not sent."
    />
  );
}

function EndpointList(props: {
  readonly title: string;
  readonly subtitle: string;
  readonly dialects: readonly string[];
  readonly most?: number;
  readonly empty: string;
}) {
  const organization = useOrganization();
  const params = { slug: organization.slug };
  const [trail, setTrail] = useState<string[]>([]);
  const query = useCall(
    'GET /panel/organizations/{slug}/endpoints',
    { params, query: { limit: PAGE, dialect: props.dialects.join(','), ...(trail.length > 0 && { cursor: trail.at(-1)! }) } },
    { everyMs: REFRESH_MS, keep: true },
  );
  const health = useCall('GET /panel/organizations/{slug}/endpoints/health', { params }, { everyMs: REFRESH_MS });
  const [isNew, setNew] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const isOwner = organization.role === 'owner';
  const shown = query.data?.data ?? [];
  const isFull = props.most !== undefined && shown.length >= props.most;
  return (
    <Page
      title={props.title}
      subtitle={props.subtitle}
      actions={
        <Button
          disabled={!isOwner || isFull}
          title={isOwner ? (isFull ? `At most ${props.most}` : undefined) : 'Only an owner may do this'}
          onClick={() => setNew(true)}
        >
          Add
        </Button>
      }
    >
      <Loaded query={query}>
        {() =>
          shown.length === 0 ? (
            <Empty title="No webhooks yet">{props.empty}</Empty>
          ) : (
            <Stack>
              {shown.map((endpoint) => (
                <EndpointCard
                  key={endpoint.id}
                  endpoint={endpoint}
                  health={health.data?.data.find((one) => one.endpoint_id === endpoint.id)}
                  isOwner={isOwner}
                  onSecret={setSecret}
                />
              ))}
              <Group justify="flex-end">
                <CursorPager trail={trail} next={query.data?.next_cursor ?? null} onGo={setTrail} />
              </Group>
            </Stack>
          )
        }
      </Loaded>
      <EndpointForm key={String(isNew)} isOpen={isNew} dialects={props.dialects} onClose={() => setNew(false)} onSecret={setSecret} />
      <ShownOnce
        title="Signing secret"
        what="The secret that signs this endpoint’s webhooks"
        value={secret}
        onClose={() => setSecret(null)}
      />
    </Page>
  );
}

function statusOf(endpoint: Endpoint): string {
  if (endpoint.disabled_at !== null) return 'disabled';
  if (!endpoint.is_active) return 'cancelled';
  return endpoint.paused_at !== null ? 'paused' : 'active';
}

function EndpointCard(props: {
  readonly endpoint: Endpoint;
  readonly health: Health | undefined;
  readonly isOwner: boolean;
  readonly onSecret: (secret: string) => void;
}) {
  const { endpoint, health, isOwner } = props;
  const { slug } = useOrganization();
  const params = { slug, endpoint_id: endpoint.id };
  const update = useAct('PATCH /panel/organizations/{slug}/endpoints/{endpoint_id}');
  const remove = useAct('DELETE /panel/organizations/{slug}/endpoints/{endpoint_id}');
  const rotate = useAct('POST /panel/organizations/{slug}/endpoints/{endpoint_id}/rotate-secret');
  const test = useAct('POST /panel/organizations/{slug}/endpoints/{endpoint_id}/test');
  const [asks, setAsks] = useState<'delete' | 'rotate' | 'edit' | null>(null);
  const attempts = (health?.delivered ?? 0) + (health?.failed ?? 0);
  const status = statusOf(endpoint);
  const sendTest = () =>
    test.mutate(
      { params },
      {
        onError: notifyError,
        onSuccess: ({ error, status: code, success }) =>
          success ? notify(`The receiver answered ${code}`) : notifyError(new Error(`The test failed: ${error ?? code}`)),
      },
    );
  return (
    <Box className="panel-card" data-testid="endpoint">
      <Group justify="space-between" align="flex-start">
        <Box style={{ minWidth: 0, flex: 1 }}>
          <Group gap="xs">
            <Text className="panel-mono" fw={600}>
              {endpoint.url}
            </Text>
            {status === 'cancelled' ? (
              <Badge variant="light" color="gray" tt="none">
                off
              </Badge>
            ) : (
              <StatusBadge status={status} />
            )}
            <Badge variant="outline" tt="none" color="gray">
              {DIALECTS[endpoint.dialect]?.name ?? endpoint.dialect}
            </Badge>
          </Group>
          <Text size="sm" c="dimmed">
            {endpoint.name && `${endpoint.name} · `}
            {endpoint.events === null ? 'every event' : endpoint.events.join(', ')} · last success{' '}
            <Time at={endpoint.last_success_at} ago />
          </Text>
        </Box>
        <Group gap="lg">
          <Sparkline hours={health?.hourly ?? []} />
          <Metric label="failed" value={attempts === 0 ? '–' : formatPercent((health?.failed ?? 0) / attempts)} />
          <Metric label="p95" value={formatMs(health?.p95_ms ?? null)} />
        </Group>
      </Group>
      {endpoint.disabled_at !== null && (
        <Alert color="red" mt="sm" title={`Disabled: ${words(endpoint.disabled_reason ?? 'unknown')}`}>
          Since <Time at={endpoint.disabled_at} />, after {endpoint.consecutive_failures} failures in a row. Mend the receiver, then switch
          it on again.
        </Alert>
      )}
      <Group gap="xs" mt="sm">
        <LinkButton search={{ endpoint: endpoint.id }}>Deliveries</LinkButton>
        {(health?.failed ?? 0) > 0 && <LinkButton search={{ endpoint: endpoint.id, status: 'undelivered' }}>What failed</LinkButton>}
        <Button size="xs" variant="default" loading={test.isPending} onClick={sendTest}>
          Send a test
        </Button>
        {isOwner && (
          <>
            <Button
              size="xs"
              variant="default"
              loading={update.isPending}
              onClick={() => update.mutate({ params, body: { is_active: !endpoint.is_active } }, { onError: notifyError })}
            >
              {endpoint.is_active ? 'Switch off' : 'Switch on'}
            </Button>
            <Button size="xs" variant="default" onClick={() => setAsks('edit')}>
              Edit
            </Button>
            {DIALECTS[endpoint.dialect]?.secret === 'made' && (
              <Button size="xs" variant="default" onClick={() => setAsks('rotate')}>
                Rotate secret
              </Button>
            )}
            <Button size="xs" variant="subtle" color="red" onClick={() => setAsks('delete')}>
              Delete
            </Button>
          </>
        )}
      </Group>
      <Confirm
        isOpen={asks === 'delete'}
        title="Delete this endpoint?"
        text="Nothing more is sent to it, what waits included. The log stays."
        action="Delete"
        onClose={() => setAsks(null)}
        onYes={() => remove.mutate({ params }, { onError: notifyError, onSuccess: () => notify('Deleted') })}
      />
      <Confirm
        isOpen={asks === 'rotate'}
        title="Make a new secret?"
        text={
          endpoint.dialect === 'standard'
            ? 'For a day both sign, so that you can change the receiver in peace.'
            : 'The old one stops signing at once: the receiver must know the new one before the next event.'
        }
        action="Make a new secret"
        onClose={() => setAsks(null)}
        onYes={() => rotate.mutate({ params, body: {} }, { onError: notifyError, onSuccess: ({ secret }) => props.onSecret(secret) })}
      />
      <EndpointForm
        key={String(asks)}
        isOpen={asks === 'edit'}
        endpoint={endpoint}
        dialects={[endpoint.dialect]}
        onClose={() => setAsks(null)}
        onSecret={props.onSecret}
      />
    </Box>
  );
}

/** To the deliveries, filtered. */
function LinkButton({ children, search }: { readonly children: string; readonly search: DeliveryFilters }) {
  const { slug } = useOrganization();
  const navigate = useNavigate();
  return (
    <Button size="xs" variant="default" role="link" onClick={() => void navigate({ to: '/o/$slug/deliveries', params: { slug }, search })}>
      {children}
    </Button>
  );
}

function Metric({ label, value }: { readonly label: string; readonly value: string }) {
  return (
    <Box ta="right" miw={56}>
      <Text fw={600} lh={1.1}>
        {value}
      </Text>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
    </Box>
  );
}
