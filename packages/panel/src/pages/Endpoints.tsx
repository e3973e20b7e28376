import {
  Alert,
  Badge,
  Box,
  Button,
  Group,
  Modal,
  MultiSelect,
  PasswordInput,
  Select,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { Refused, useAct, useCall, type Answer } from '../api/client.ts';
import { formatMs, formatPercent, words } from '../parts/format.ts';
import { notify, notifyError } from '../parts/notify.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { ShownOnce } from '../parts/Secret.tsx';
import { Sparkline } from '../parts/Sparkline.tsx';
import { StatusBadge } from '../parts/StatusBadge.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { textOf } from '../parts/form.ts';

type Endpoint = Answer<'GET /panel/organizations/{slug}/endpoints'>['data'][number];
type Health = Answer<'GET /panel/organizations/{slug}/endpoints/health'>['data'][number];

/** What each dialect lets its endpoints choose; the server checks the same. */
const DIALECTS: Record<
  string,
  { readonly name: string; readonly events: readonly string[] | null; readonly secret: 'made' | 'chosen'; readonly headers: boolean }
> = {
  optimaldial: { name: 'OptimalDial', events: ['upload.created', 'upload.completed', 'upload.failed'], secret: 'made', headers: false },
  dialnexa: {
    name: 'DialNexa',
    events: ['call.completed', 'call.failed', 'call.no_answer', 'campaign.completed', 'campaign.paused', 'workflow.lead.completed'],
    secret: 'chosen',
    headers: false,
  },
  standard: { name: 'Standard Webhooks', events: null, secret: 'made', headers: true },
  outboundiq: { name: 'outboundIQ', events: [], secret: 'made', headers: true },
};
const REFRESH_MS = 10_000;

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
  const query = useCall('GET /panel/organizations/{slug}/endpoints', { params }, { everyMs: REFRESH_MS });
  const health = useCall('GET /panel/organizations/{slug}/endpoints/health', { params }, { everyMs: REFRESH_MS });
  const [isNew, setNew] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const isOwner = organization.role === 'owner';
  const shown = (query.data?.data ?? []).filter(({ dialect }) => props.dialects.includes(dialect));
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
        <Button size="xs" variant="default" component="span" p={0}>
          <Link
            to="/o/$slug/deliveries"
            params={{ slug }}
            search={{ endpoint: endpoint.id }}
            style={{ padding: '0 12px', color: 'inherit', textDecoration: 'none' }}
          >
            Deliveries
          </Link>
        </Button>
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

export function Confirm(props: {
  readonly isOpen: boolean;
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly onClose: () => void;
  readonly onYes: () => void;
}) {
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} title={props.title}>
      <Stack>
        <Text>{props.text}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Keep it
          </Button>
          <Button
            color="red"
            onClick={() => {
              props.onClose();
              props.onYes();
            }}
          >
            {props.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function EndpointForm(props: {
  readonly isOpen: boolean;
  readonly endpoint?: Endpoint;
  readonly dialects: readonly string[];
  readonly onClose: () => void;
  readonly onSecret: (secret: string) => void;
}) {
  const { endpoint } = props;
  const { slug } = useOrganization();
  const create = useAct('POST /panel/organizations/{slug}/endpoints');
  const update = useAct('PATCH /panel/organizations/{slug}/endpoints/{endpoint_id}');
  const [dialect, setDialect] = useState(props.dialects[0]!);
  const [events, setEvents] = useState<string[]>([...(endpoint?.events ?? [])]);
  const [isActive, setActive] = useState(endpoint?.is_active ?? true);
  const { events: known, headers: takesHeaders, secret } = DIALECTS[dialect]!;
  const error = create.error ?? update.error;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => textOf(form, name);
    const chosen = secret === 'chosen' && text('secret') !== '' ? { secret: text('secret') } : {};
    const common = {
      url: text('url'),
      name: text('name') || null,
      ...(events.length > 0 && { events }),
      ...headersOf(text('headers')),
      is_active: isActive,
    };
    if (endpoint === undefined)
      create.mutate(
        { params: { slug }, body: { ...common, dialect, name: text('name') || undefined, ...chosen } as never },
        {
          onSuccess: (made) => {
            props.onClose();
            if (secret === 'made') props.onSecret(made.secret);
            notify(dialect === 'optimaldial' ? 'The receiver answered the ping; it is registered' : 'It is registered');
          },
        },
      );
    else
      update.mutate(
        { params: { slug, endpoint_id: endpoint.id }, body: { ...common, ...chosen } as never },
        { onSuccess: () => (props.onClose(), notify('Changed')) },
      );
  };
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} title={endpoint ? 'Edit the endpoint' : 'New webhook'} size="lg">
      <form onSubmit={submit}>
        <Stack>
          {error && (
            <ErrorNote
              error={
                error instanceof Refused && error.code === 'ping_failed'
                  ? new Refused(error.status, {
                      code: error.code,
                      detail: `${error.message} It must answer the signed ping with a 2xx within its time before it is registered.`,
                    })
                  : error
              }
            />
          )}
          {props.dialects.length > 1 && (
            <Select
              label="Contract"
              data={props.dialects.map((value) => ({ value, label: DIALECTS[value]!.name }))}
              value={dialect}
              allowDeselect={false}
              onChange={(value) => (setDialect(value!), setEvents([]))}
            />
          )}
          <TextInput
            label="URL"
            name="url"
            required
            type="url"
            placeholder="https://hooks.example.com/dialhook"
            defaultValue={endpoint?.url}
            data-autofocus
          />
          <TextInput label="Name" name="name" maxLength={100} defaultValue={endpoint?.name ?? ''} />
          {known === null ? (
            <TagsInput label="Event types" description="Empty: every event" value={events} onChange={setEvents} placeholder="call.ended" />
          ) : (
            known.length > 0 && (
              <MultiSelect label="Events" description="Empty: all of them" data={[...known]} value={events} onChange={setEvents} />
            )
          )}
          {secret === 'chosen' && (
            <PasswordInput
              label="Secret"
              name="secret"
              required={endpoint === undefined}
              description={
                endpoint
                  ? 'Empty: the old one stays. A new one signs from the very next delivery.'
                  : 'You choose it; it signs every delivery.'
              }
              maxLength={256}
            />
          )}
          {takesHeaders && (
            <Textarea
              label="Custom headers"
              name="headers"
              autosize
              minRows={2}
              placeholder="X-Token: abc"
              description={
                endpoint
                  ? 'One a line; empty: the old ones stay. Values are stored encrypted and not shown again.'
                  : 'One a line. Values are stored encrypted and not shown again.'
              }
            />
          )}
          <Switch label="Switched on" checked={isActive} onChange={(event) => setActive(event.currentTarget.checked)} />
          {dialect === 'optimaldial' && !endpoint && (
            <Text size="sm" c="dimmed">
              A signed ping is sent first; the endpoint is registered once it answers with a 2xx.
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending || update.isPending}>
              {endpoint ? 'Save' : 'Register'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** `Name: value` lines; nothing when there are none. */
function headersOf(text: string): { headers?: Record<string, string> } {
  const entries = text
    .split('\n')
    .map((line) => line.split(/:(.*)/s))
    .filter(([name]) => name?.trim())
    .map(([name, value]) => [name!.trim(), (value ?? '').trim()]);
  return entries.length === 0 ? {} : { headers: Object.fromEntries(entries) as Record<string, string> };
}
