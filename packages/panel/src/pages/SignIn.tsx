import { Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { call, queryClient, Refused, type Answer } from '../api/client.ts';
import { ErrorNote } from '../parts/Page.tsx';
import { textOf } from '../parts/form.ts';
import { solve } from '../parts/proof.ts';

/** While many sign in, the server asks for a little work first, so that strangers cannot keep others out. */
async function signIn(email: string, password: string): Promise<unknown> {
  try {
    return await call('POST /panel/session', { body: { email, password } });
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== 'proof_needed') throw error;
    const proof = await solve(await call('GET /panel/session/challenge'));
    return call('POST /panel/session', { body: { email, password, proof } });
  }
}

/** By e-mail and password, by a link, or by an invitation: the link's token stands after the `#`, where no server sees it. */
export function SignInPage() {
  useDocumentTitle('Sign in · Dialhook');
  const navigate = useNavigate();
  const token = useRef(location.hash.slice(1)).current;
  const [invitation, setInvitation] = useState<Answer<'POST /panel/links/look'> | null>(null);
  const [error, setError] = useState<Error | null>(null);
  /** A link is for another user than the one who is signed in here: it needs a click. */
  const [isOther, setOther] = useState(false);
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
      setOther(failure instanceof Refused && failure.code === 'other_session');
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
        ? signIn(email, password)
        : call('POST /panel/links/redeem', { body: { token, joining: { email: invitation.email ?? '', name: field('name'), password } } }),
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
            {invitation !== null && (
              <Text c="dimmed">
                {invitation.email} was invited as {invitation.role === 'owner' ? 'an owner' : 'a member'}. If you have an account already,
                give its password.
              </Text>
            )}
            {error && <ErrorNote error={error} />}
            {isOther && (
              <Button
                variant="default"
                loading={isBusy}
                onClick={() => void finish(() => call('POST /panel/links/redeem', { body: { token, replace: true } }))}
              >
                End that session and use the link
              </Button>
            )}
            {invitation !== null && <TextInput label="Name" name="name" required maxLength={200} autoComplete="name" />}
            {invitation === null && <TextInput label="E-mail" name="email" type="email" required autoComplete="username" />}
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
