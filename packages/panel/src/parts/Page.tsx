import { Alert, Box, Button, Code, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Refused } from '../api/client.ts';

/** The frame of every page: a title, what can be done, and the content. */
export function Page(props: {
  readonly title: string;
  readonly subtitle?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  useDocumentTitle(`${props.title} · Dialhook`);
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start">
        <Box>
          <Title order={1} size="h2">
            {props.title}
          </Title>
          {props.subtitle && (
            <Text c="dimmed" component="div">
              {props.subtitle}
            </Text>
          )}
        </Box>
        {props.actions && <Group gap="xs">{props.actions}</Group>}
      </Group>
      {props.children}
    </Stack>
  );
}

/** What is shown while a page is read, when that fails, and when it is there. */
export function Loaded<T>(props: {
  readonly query: { readonly data: T | undefined; readonly error: Error | null; readonly refetch: () => unknown };
  readonly children: (data: T) => ReactNode;
}) {
  const { data, error, refetch } = props.query;
  if (data !== undefined) return <>{props.children(data)}</>;
  if (error !== null) return <ErrorNote error={error} retry={() => void refetch()} />;
  return (
    <Stack gap="sm" aria-busy="true" aria-label="Loading">
      <Skeleton height={36} />
      <Skeleton height={36} />
      <Skeleton height={36} width="70%" />
    </Stack>
  );
}

export function ErrorNote({ error, retry }: { readonly error: Error; readonly retry?: () => void }) {
  const isOffline = !(error instanceof Refused);
  return (
    <Alert color={isOffline ? 'yellow' : 'red'} title={isOffline ? 'The server cannot be reached' : 'That did not work'} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{isOffline ? 'Check the connection; this page tries again by itself.' : error.message}</Text>
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Nothing there yet: says what would be, and how to make it be. */
export function Empty({ title, children, command }: { readonly title: string; readonly children?: ReactNode; readonly command?: string }) {
  return (
    <Stack align="center" gap="xs" py="xl" ta="center">
      <Text fw={600}>{title}</Text>
      {children && (
        <Text c="dimmed" maw={520} component="div">
          {children}
        </Text>
      )}
      {command && (
        <Code block maw="100%" ta="left" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} tabIndex={0}>
          {command}
        </Code>
      )}
    </Stack>
  );
}
