import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { queryClient, useAct } from '../api/client.ts';
import { notify, notifyError } from '../parts/notify.ts';
import { ErrorNote, Page } from '../parts/Page.tsx';
import { useMe } from '../session.ts';
import { textOf } from '../parts/form.ts';

/** Name, e-mail, password, and signing out everywhere. */
export function AccountPage() {
  const me = useMe();
  const navigate = useNavigate();
  const update = useAct('PATCH /panel/me');
  const everywhere = useAct('DELETE /panel/sessions');
  const user = me.data?.user;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    const text = (name: string) => textOf(form, name);
    const body = {
      ...(text('name') && text('name') !== user?.name && { name: text('name') }),
      ...(text('email') && text('email') !== user?.email && { email: text('email') }),
      ...(text('password') && { password: text('password') }),
      ...(text('current') && { current_password: text('current') }),
    };
    update.mutate({ body }, { onSuccess: () => (notify('Saved'), element.reset()) });
  };
  const leave = () =>
    everywhere.mutate(
      {},
      {
        onError: notifyError,
        onSuccess: () => {
          queryClient.clear();
          void navigate({ to: '/sign-in' });
        },
      },
    );
  return (
    <Page title="Account">
      <form onSubmit={submit} key={user?.id}>
        <Stack maw={420}>
          {update.error && <ErrorNote error={update.error} />}
          <TextInput label="Name" name="name" defaultValue={user?.name} maxLength={200} autoComplete="name" />
          <TextInput
            label="E-mail"
            name="email"
            type="email"
            defaultValue={user?.email ?? ''}
            autoComplete="username"
            description={
              user?.pending_email
                ? `${user.pending_email} counts when you open the link that the operator of this server sends there.`
                : undefined
            }
          />
          {user?.has_password && (
            <PasswordInput
              label="Current password"
              name="current"
              autoComplete="current-password"
              description="Needed to change the e-mail or the password."
            />
          )}
          <PasswordInput
            label={user?.has_password ? 'New password' : 'Password'}
            name="password"
            minLength={10}
            maxLength={200}
            autoComplete="new-password"
            description="At least 10 characters, and none that many people choose. A new one signs out every other browser and ends sign-in links."
          />
          <Button type="submit" loading={update.isPending} w="fit-content">
            Save
          </Button>
        </Stack>
      </form>
      <Stack maw={420} mt="lg">
        <Title order={2} size="h5">
          Sessions
        </Title>
        <Text size="sm" c="dimmed">
          Ends every session of yours, this one included, and every sign-in link.
        </Text>
        <Button variant="default" loading={everywhere.isPending} onClick={leave} w="fit-content">
          Sign out everywhere
        </Button>
      </Stack>
    </Page>
  );
}
