import { Badge, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useAct, useCall, type Answer } from '../api/client.ts';
import { DataTable } from '../parts/DataTable.tsx';
import { notify, notifyError } from '../parts/notify.ts';
import { Empty, ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { ShownOnce } from '../parts/Secret.tsx';
import { Time } from '../parts/Time.tsx';
import { useOrganization } from '../session.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { textOf } from '../parts/form.ts';

type Key = Answer<'GET /panel/organizations/{slug}/api-keys'>['data'][number];

const KINDS = [
  { value: 'optimaldial', label: 'OptimalDial: lists and webhooks' },
  { value: 'outboundiq', label: 'outboundIQ: dials and translations' },
  { value: 'dialnexa', label: 'DialNexa: calls, campaigns, workflows' },
];

/** Developers → API keys: of each kind, shown once. */
export function KeysPage() {
  const { role, slug } = useOrganization();
  const query = useCall('GET /panel/organizations/{slug}/api-keys', { params: { slug } });
  const create = useAct('POST /panel/organizations/{slug}/api-keys');
  const revoke = useAct('DELETE /panel/organizations/{slug}/api-keys/{key_id}');
  const [isNew, setNew] = useState(false);
  const [key, setKey] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<Key | null>(null);
  const [kind, setKind] = useState<string | null>('optimaldial');
  const isOwner = role === 'owner';
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, expires] = [textOf(form, 'name'), textOf(form, 'expires')];
    create.mutate(
      {
        params: { slug },
        body: {
          kind: kind as 'optimaldial',
          ...(name && { name }),
          ...(expires && { expires_at: new Date(`${expires}T23:59:59`).toISOString() }),
        },
      },
      { onSuccess: (made) => (setNew(false), setKey(made.key)) },
    );
  };
  return (
    <Page
      title="API keys"
      subtitle="A key acts for the whole organization. Only owners make them."
      actions={
        <Button
          disabled={!isOwner}
          title={isOwner ? undefined : 'Only an owner may do this'}
          onClick={() => (create.reset(), setNew(true))}
        >
          Create a key
        </Button>
      }
    >
      <Loaded query={query}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No keys yet" command={`npm run dialhook -- keys create ${slug}`}>
              Create one here, or let the operator do it.
            </Empty>
          ) : (
            <DataTable
              label="API keys"
              rows={data}
              keyOf={({ id }) => id}
              columns={[
                { title: 'Name', show: (row) => row.name },
                { title: 'Kind', show: (row) => row.kind },
                { title: 'Key', show: (row) => <span className="panel-mono">{row.prefix}…</span> },
                { title: 'Last used', show: (row) => <Time at={row.last_used_at} ago /> },
                { title: 'Expires', show: (row) => <Time at={row.expires_at} /> },
                {
                  title: 'State',
                  show: (row) =>
                    row.revoked_at !== null ? (
                      <Badge color="gray" variant="light" tt="none">
                        revoked
                      </Badge>
                    ) : isOwner ? (
                      <Button size="compact-xs" variant="subtle" color="red" onClick={() => setDoomed(row)}>
                        Revoke
                      </Button>
                    ) : (
                      <Badge color="teal" variant="light" tt="none">
                        active
                      </Badge>
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
      <Modal opened={isNew} onClose={() => setNew(false)} title="New API key">
        <form onSubmit={submit}>
          <Stack>
            {create.error && <ErrorNote error={create.error} />}
            <Select label="Kind" data={KINDS} value={kind} onChange={setKind} allowDeselect={false} />
            <TextInput label="Name" name="name" maxLength={100} placeholder="what it is for" data-autofocus />
            <TextInput label="Expires" name="expires" type="date" description="Empty: never" min={new Date().toISOString().slice(0, 10)} />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setNew(false)}>
                Cancel
              </Button>
              <Button type="submit" loading={create.isPending}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <ShownOnce title="API key" what="The key" value={key} onClose={() => setKey(null)} />
      <Confirm
        isOpen={doomed !== null}
        title={`Revoke ${doomed?.name ?? 'the key'}?`}
        text="Whoever uses it is refused at once, and for good."
        action="Revoke"
        onClose={() => setDoomed(null)}
        onYes={() => revoke.mutate({ params: { slug, key_id: doomed!.id } }, { onError: notifyError, onSuccess: () => notify('Revoked') })}
      />
    </Page>
  );
}
