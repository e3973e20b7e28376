import { Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { call, queryClient, type Answer } from '../api/client.ts';
import { ErrorNote } from '../parts/Page.tsx';
import { textOf } from '../parts/form.ts';

/** By e-mail and password, by a link, or by an invitation: the link's token stands after the `#`, where no server sees it. */
export function SignInPage() {
  useDocumentTitle('Sign in · Dialhook');
  const navigate = useNavigate();
  const token = useRef(location.hash.slice(1)).current;
  const [invitation, setInvitation] = useState<Answer<'POST /panel/links/look'> | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(token !== '');
  const began = useRef(false);

  const finish = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
      queryClient.clear();
      await navigate({ to: '/', replace: true });
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (token === '' || began.current) return;
    began.current = true;
    void (async () => {
      try {
        const link = await call('POST /panel/links/look', { body: { token } });
        if (link.purpose === 'sign_in') await finish(() => call('POST /panel/links/redeem', { body: { token } }));
        else setInvitation(link);
      } catch (failure) {
        setError(failure as Error);
      } finally {
        setBusy(false);
      }
    })();
  });

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const field = (name: string) => textOf(form, name);
    const [email, password] = [field('email'), field('password')];
    void finish(() =>
      invitation === null
        ? call('POST /panel/session', { body: { email, password } })
        : call('POST /panel/links/redeem', { body: { token, joining: { email, name: field('name'), password } } }),
    );
  };
  const title = invitation === null ? 'Sign in' : `Join ${invitation.organization ?? 'the organization'}`;
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper className="panel-card" w="100%" maw={400} p="xl">
        <form onSubmit={submit}>
          <Stack>
            <img src="/favicon.svg" alt="" width={40} height={40} />
            <Title order={1} size="h2">
              {title}
            </Title>
            {invitation !== null && <Text c="dimmed">You were invited as {invitation.role === 'owner' ? 'an owner' : 'a member'}.</Text>}
            {error && <ErrorNote error={error} />}
            {invitation !== null && <TextInput label="Name" name="name" required maxLength={200} autoComplete="name" />}
            <TextInput label="E-mail" name="email" type="email" required autoComplete="username" defaultValue={invitation?.email ?? ''} />
            <PasswordInput
              label="Password"
              name="password"
              required
              minLength={invitation === null ? 1 : 10}
              description={invitation === null ? undefined : 'At least 10 characters'}
              autoComplete={invitation === null ? 'current-password' : 'new-password'}
            />
            <Button type="submit" loading={isBusy}>
              {invitation === null ? 'Sign in' : 'Join'}
            </Button>
            <Text size="sm" c="dimmed">
              No password yet? Open the link that the first start printed, or ask for a new one.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
