import { Badge, Button, Group, Modal, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useAct, useCall, type Answer } from '../api/client.ts';
import { DataTable } from '../parts/DataTable.tsx';
import { notify, notifyError } from '../parts/notify.ts';
import { ErrorNote, Loaded, Page } from '../parts/Page.tsx';
import { ShownOnce } from '../parts/Secret.tsx';
import { Time } from '../parts/Time.tsx';
import { useMe, useOrganization } from '../session.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { textOf } from '../parts/form.ts';

type Member = Answer<'GET /panel/organizations/{slug}/members'>['data'][number];

/** Members and invitations. Owners decide who gets in and where data goes out; members do the daily work. */
export function TeamPage() {
  const { role, slug } = useOrganization();
  const me = useMe();
  const query = useCall('GET /panel/organizations/{slug}/members', { params: { slug } });
  const open = useCall('GET /panel/organizations/{slug}/invitations', { params: { slug } });
  const invite = useAct('POST /panel/organizations/{slug}/invitations');
  const resend = useAct('POST /panel/organizations/{slug}/invitations/{invitation_id}/resend');
  const revoke = useAct('DELETE /panel/organizations/{slug}/invitations/{invitation_id}');
  const change = useAct('PATCH /panel/organizations/{slug}/members/{user_id}');
  const remove = useAct('DELETE /panel/organizations/{slug}/members/{user_id}');
  const [isNew, setNew] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const [changing, setChanging] = useState<Member | null>(null);
  const [chosen, setChosen] = useState<string | null>('member');
  const isOwner = role === 'owner';
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const email = textOf(new FormData(event.currentTarget), 'email');
    invite.mutate(
      { params: { slug }, body: { role: chosen as 'member', email } },
      { onSuccess: ({ url }) => (setNew(false), setLink(url)) },
    );
  };
  return (
    <Page
      title="Team"
      subtitle="Owners decide who gets in and where data goes out; members do the daily work."
      actions={
        <Button
          disabled={!isOwner}
          title={isOwner ? undefined : 'Only an owner may do this'}
          onClick={() => (invite.reset(), setNew(true))}
        >
          Invite
        </Button>
      }
    >
      <Loaded query={query}>
        {({ data }) => (
          <DataTable
            label="Members"
            rows={data}
            keyOf={(row) => row.user_id}
            columns={[
              {
                title: 'Name',
                show: (row) => (
                  <>
                    {row.name}{' '}
                    {row.user_id === me.data?.user.id && (
                      <Text span c="dimmed">
                        (you)
                      </Text>
                    )}
                  </>
                ),
              },
              { title: 'E-mail', show: (row) => row.email ?? '–' },
              {
                title: 'Role',
                show: (row) => (
                  <Badge variant="light" color={row.role === 'owner' ? 'cyan' : 'gray'} tt="none">
                    {row.role}
                  </Badge>
                ),
              },
              { title: 'Since', show: (row) => <Time at={row.created_at} /> },
              {
                title: '',
                right: true,
                show: (row) =>
                  isOwner && (
                    <Group gap="xs" justify="flex-end" wrap="nowrap">
                      <Button size="compact-xs" variant="subtle" onClick={() => setChanging(row)}>
                        {row.role === 'owner' ? 'Make a member' : 'Make an owner'}
                      </Button>
                      <Button size="compact-xs" variant="subtle" color="red" onClick={() => setLeaving(row)}>
                        Remove
                      </Button>
                    </Group>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      {(open.data?.data.length ?? 0) > 0 && (
        <Stack gap="xs">
          <Title order={2} size="h5">
            Open invitations
          </Title>
          <DataTable
            label="Open invitations"
            rows={open.data!.data}
            keyOf={(row) => row.id}
            columns={[
              { title: 'For', show: (row) => row.email ?? '–' },
              { title: 'Role', show: (row) => row.role },
              {
                title: 'Made by',
                show: (row) => query.data?.data.find((member) => member.user_id === row.made_by)?.name ?? 'the operator',
              },
              { title: 'Until', show: (row) => <Time at={row.expires_at} /> },
              {
                title: '',
                right: true,
                show: (row) => {
                  const params = { slug, invitation_id: row.id };
                  return (
                    isOwner && (
                      <Group gap="xs" justify="flex-end" wrap="nowrap">
                        <Button
                          size="compact-xs"
                          variant="subtle"
                          onClick={() => resend.mutate({ params }, { onError: notifyError, onSuccess: ({ url }) => setLink(url) })}
                        >
                          New link
                        </Button>
                        <Button
                          size="compact-xs"
                          variant="subtle"
                          color="red"
                          onClick={() => revoke.mutate({ params }, { onError: notifyError, onSuccess: () => notify('Revoked') })}
                        >
                          Revoke
                        </Button>
                      </Group>
                    )
                  );
                },
              },
            ]}
          />
        </Stack>
      )}
      <Modal opened={isNew} onClose={() => setNew(false)} title="Invite somebody">
        <form onSubmit={submit}>
          <Stack>
            {invite.error && <ErrorNote error={invite.error} />}
            <Select
              label="Role"
              data={[
                { value: 'member', label: 'Member' },
                { value: 'owner', label: 'Owner' },
              ]}
              value={chosen}
              onChange={setChosen}
              allowDeselect={false}
            />
            <TextInput
              label="E-mail"
              name="email"
              type="email"
              required
              description="The link is for this address alone. You send it yourself."
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setNew(false)}>
                Cancel
              </Button>
              <Button type="submit" loading={invite.isPending}>
                Make a link
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <ShownOnce title="Invitation" what="The link, which works once and for a week," value={link} onClose={() => setLink(null)} />
      <Confirm
        isOpen={changing !== null}
        title={`Make ${changing?.name ?? ''} ${changing?.role === 'owner' ? 'a member' : 'an owner'}?`}
        text={
          changing?.role === 'owner'
            ? 'The API keys and invitations that they made stop working at once.'
            : 'They decide from now on who gets in and where data goes out.'
        }
        action={changing?.role === 'owner' ? 'Make a member' : 'Make an owner'}
        onClose={() => setChanging(null)}
        onYes={() =>
          change.mutate(
            { params: { slug, user_id: changing!.user_id }, body: { role: changing!.role === 'owner' ? 'member' : 'owner' } },
            { onError: notifyError, onSuccess: () => notify('Changed') },
          )
        }
      />
      <Confirm
        isOpen={leaving !== null}
        title={`Remove ${leaving?.name ?? ''}?`}
        text="They are out at once, and the API keys and invitations that they made stop working."
        action="Remove"
        onClose={() => setLeaving(null)}
        onYes={() =>
          remove.mutate({ params: { slug, user_id: leaving!.user_id } }, { onError: notifyError, onSuccess: () => notify('Removed') })
        }
      />
    </Page>
  );
}
