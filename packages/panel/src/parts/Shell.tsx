import {
  ActionIcon,
  AppShell,
  Badge,
  Box,
  Burger,
  Center,
  Group,
  Kbd,
  Loader,
  Menu,
  Modal,
  NavLink,
  Stack,
  Table,
  Text,
  UnstyledButton,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure, useHotkeys, useNetwork } from '@mantine/hooks';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { call, queryClient, Refused } from '../api/client.ts';
import { useMe, useOrganization } from '../session.ts';
import { formatNumber } from './format.ts';
import { ErrorNote } from './Page.tsx';

const SECTIONS = [
  {
    title: '',
    links: [
      ['Overview', ''],
      ['Deliveries', 'deliveries'],
    ],
  },
  {
    title: 'Data',
    links: [
      ['Lists', 'lists'],
      ['Dials', 'dials'],
      ['Calls', 'calls'],
      ['Campaigns', 'campaigns'],
      ['Workflows', 'workflows'],
    ],
  },
  {
    title: 'Developers',
    links: [
      ['Webhook endpoints', 'endpoints'],
      ['API keys', 'keys'],
      ['Check a signature', 'verify'],
    ],
  },
  {
    title: 'Settings',
    links: [
      ['Webhooks', 'settings/webhooks'],
      ['Translations', 'translations'],
      ['Team', 'team'],
    ],
  },
] as const;

/** The frame around every page of an organization. */
export function Shell() {
  const me = useMe();
  const navigate = useNavigate();
  const organization = useOrganization();
  const { pathname } = useLocation();
  const [isOpen, { close, toggle }] = useDisclosure();
  const [isHelp, help] = useDisclosure();
  const { online } = useNetwork();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const base = `/o/${organization.slug}`;
  const isOut = me.error instanceof Refused && me.error.status === 401;
  useEffect(() => close(), [pathname, close]);
  useEffect(() => {
    if (isOut) void navigate({ to: '/sign-in', replace: true });
  }, [isOut, navigate]);
  useHotkeys([
    ['shift+?', () => help.open()],
    ['/', () => document.querySelector<HTMLInputElement>('[data-search]')?.focus()],
  ]);

  if (isOut) return null;
  if (me.data === undefined)
    return (
      <Center h="100vh">
        {me.error ? <ErrorNote error={me.error} retry={() => void me.refetch()} /> : <Loader aria-label="Loading" />}
      </Center>
    );
  const signOut = async () => {
    await call('DELETE /panel/session');
    queryClient.clear();
    await navigate({ to: '/sign-in' });
  };
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !isOpen } }} padding="lg">
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <img src="/favicon.svg" alt="" width={26} height={26} />
            <Menu>
              <Menu.Target>
                <UnstyledButton fw={650} aria-label={`Organization ${organization.name}`}>
                  {organization.name} ▾
                </UnstyledButton>
              </Menu.Target>
              <Menu.Dropdown>
                {me.data.organizations.map(({ name, slug }) => (
                  <Menu.Item key={slug} onClick={() => void navigate({ to: '/o/$slug', params: { slug } })}>
                    {name}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
            {me.data.calls === 'simulator' && (
              <Badge variant="light" color="yellow" tt="none" visibleFrom="md">
                calls are simulated
              </Badge>
            )}
            {!online && (
              <Badge color="yellow" variant="light" tt="none" role="status">
                offline
              </Badge>
            )}
          </Group>
          <Group gap="sm" wrap="nowrap">
            <Text size="sm" visibleFrom="xs">
              {formatNumber(organization.credits)} credits
            </Text>
            <ActionIcon
              variant="default"
              aria-label="Light or dark"
              onClick={() => setColorScheme(colorScheme === 'dark' ? 'light' : 'dark')}
            >
              ◐
            </ActionIcon>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" aria-label="Account" radius="xl">
                  {(me.data.user.name || '?').slice(0, 1).toUpperCase()}
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>{me.data.user.email ?? me.data.user.name}</Menu.Label>
                <Menu.Item onClick={() => void navigate({ to: '/o/$slug/account', params: { slug: organization.slug } })}>
                  Account
                </Menu.Item>
                <Menu.Item onClick={help.open}>Keyboard</Menu.Item>
                <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <Stack gap="xs">
          {SECTIONS.map(({ links, title }) => (
            <Box key={title}>
              {title && (
                <Text size="xs" c="dimmed" fw={600} px="sm" pt="xs">
                  {title}
                </Text>
              )}
              {links.map(([name, path]) => {
                const to = path === '' ? base : `${base}/${path}`;
                const active = path === '' ? pathname === base : pathname.startsWith(to);
                return (
                  <NavLink
                    key={path}
                    component={Link}
                    to={to}
                    activeOptions={{ exact: path === '' }}
                    label={name}
                    active={active}
                    variant="light"
                    style={{ borderRadius: 8 }}
                  />
                );
              })}
            </Box>
          ))}
        </Stack>
      </AppShell.Navbar>
      <AppShell.Main>
        {!me.data.user.has_password && (
          <Box className="panel-card" mb="lg" role="status">
            <Text size="sm">
              You are signed in by a link.{' '}
              <Link to="/o/$slug/account" params={{ slug: organization.slug }}>
                Choose an e-mail and a password
              </Link>{' '}
              to come back later.
            </Text>
          </Box>
        )}
        <Outlet />
      </AppShell.Main>
      <Modal opened={isHelp} onClose={help.close} title="Keyboard">
        <Table>
          <Table.Tbody>
            {(
              [
                ['/', 'search on this page'],
                ['j, k', 'down and up in a table'],
                ['Enter', 'open the row'],
                ['?', 'this help'],
              ] as const
            ).map(([keys, what]) => (
              <Table.Tr key={keys}>
                <Table.Td>
                  <Kbd>{keys}</Kbd>
                </Table.Td>
                <Table.Td>{what}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Modal>
    </AppShell>
  );
}
