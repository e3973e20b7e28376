import {
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
import { useState, type FormEvent } from 'react';
import { Refused, useAct, type Answer } from '../api/client.ts';
import { useOrganization } from '../session.ts';
import { DIALECTS } from './dialects.ts';
import { textOf } from './form.ts';
import { notify } from './notify.ts';
import { ErrorNote } from './Page.tsx';

type Endpoint = Answer<'GET /panel/organizations/{slug}/endpoints'>['data'][number];

/** Registers an endpoint, or changes one. */
export function EndpointForm(props: {
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
