import { Center, Loader } from '@mantine/core';
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { call, queryClient, Refused } from './api/client.ts';
import { Empty, ErrorNote } from './parts/Page.tsx';
import { Shell } from './parts/Shell.tsx';

/** Every address of the panel. Pages are loaded when they are opened. */

const root = createRootRoute({ component: Outlet, notFoundComponent: () => <Empty title="There is no such page" /> });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('./pages/SignIn.tsx'), 'SignInPage'),
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async () => {
    const me = await queryClient
      .fetchQuery({ queryKey: ['GET /panel/me', {}], queryFn: () => call('GET /panel/me') })
      .catch((error: unknown) => {
        if (error instanceof Refused && error.status === 401) throw redirect({ to: '/sign-in' });
        throw error;
      });
    const [first] = me.organizations;
    if (first === undefined) throw redirect({ to: '/sign-in' });
    throw redirect({ to: '/o/$slug', params: { slug: first.slug } });
  },
});

const organization = createRoute({ getParentRoute: () => root, path: '/o/$slug', component: Shell });

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** The filters of the deliveries are the address: a link shows somebody else the same. */
export interface DeliveryFilters {
  readonly status?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly event_type?: string | undefined;
  readonly code?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly search?: string | undefined;
}

const at = organization;
const pages = [
  createRoute({ getParentRoute: () => at, path: '/', component: lazyRouteComponent(() => import('./pages/Overview.tsx'), 'OverviewPage') }),
  createRoute({
    getParentRoute: () => at,
    path: '/deliveries',
    validateSearch: (given: Record<string, unknown>): DeliveryFilters => ({
      status: text(given.status),
      endpoint: text(given.endpoint),
      event_type: text(given.event_type),
      code: text(given.code) ?? (typeof given.code === 'number' ? String(given.code) : undefined),
      since: text(given.since),
      until: text(given.until),
      search: text(given.search),
    }),
    component: lazyRouteComponent(() => import('./pages/Deliveries.tsx'), 'DeliveriesPage'),
  }),
  createRoute({
    getParentRoute: () => at,
    path: '/deliveries/$id',
    component: lazyRouteComponent(() => import('./pages/Delivery.tsx'), 'DeliveryPage'),
  }),
  createRoute({ getParentRoute: () => at, path: '/lists', component: lazyRouteComponent(() => import('./pages/Lists.tsx'), 'ListsPage') }),
  createRoute({
    getParentRoute: () => at,
    path: '/lists/$id',
    component: lazyRouteComponent(() => import('./pages/List.tsx'), 'ListPage'),
  }),
  createRoute({ getParentRoute: () => at, path: '/dials', component: lazyRouteComponent(() => import('./pages/Dials.tsx'), 'DialsPage') }),
  createRoute({ getParentRoute: () => at, path: '/calls', component: lazyRouteComponent(() => import('./pages/Calls.tsx'), 'CallsPage') }),
  createRoute({
    getParentRoute: () => at,
    path: '/campaigns',
    component: lazyRouteComponent(() => import('./pages/Campaigns.tsx'), 'CampaignsPage'),
  }),
  createRoute({
    getParentRoute: () => at,
    path: '/campaigns/$id',
    component: lazyRouteComponent(() => import('./pages/Campaign.tsx'), 'CampaignPage'),
  }),
  createRoute({
    getParentRoute: () => at,
    path: '/workflows',
    component: lazyRouteComponent(() => import('./pages/Workflows.tsx'), 'WorkflowsPage'),
  }),
  createRoute({
    getParentRoute: () => at,
    path: '/workflows/$id',
    component: lazyRouteComponent(() => import('./pages/Workflow.tsx'), 'WorkflowPage'),
  }),
  createRoute({
    getParentRoute: () => at,
    path: '/endpoints',
    component: lazyRouteComponent(() => import('./pages/Endpoints.tsx'), 'EndpointsPage'),
  }),
  createRoute({
    getParentRoute: () => at,
    path: '/settings/webhooks',
    component: lazyRouteComponent(() => import('./pages/Endpoints.tsx'), 'WebhookSettingsPage'),
  }),
  createRoute({ getParentRoute: () => at, path: '/keys', component: lazyRouteComponent(() => import('./pages/Keys.tsx'), 'KeysPage') }),
  createRoute({
    getParentRoute: () => at,
    path: '/verify',
    component: lazyRouteComponent(() => import('./pages/Verify.tsx'), 'VerifyPage'),
  }),
  createRoute({
    getParentRoute: () => at,
    path: '/translations',
    component: lazyRouteComponent(() => import('./pages/Translations.tsx'), 'TranslationsPage'),
  }),
  createRoute({ getParentRoute: () => at, path: '/team', component: lazyRouteComponent(() => import('./pages/Team.tsx'), 'TeamPage') }),
  createRoute({
    getParentRoute: () => at,
    path: '/account',
    component: lazyRouteComponent(() => import('./pages/Account.tsx'), 'AccountPage'),
  }),
];

export const router = createRouter({
  routeTree: root.addChildren([home, signIn, organization.addChildren(pages)]),
  defaultPreload: 'intent',
  defaultPendingComponent: () => (
    <Center py="xl">
      <Loader aria-label="Loading" />
    </Center>
  ),
  defaultErrorComponent: ({ error, reset }) => <ErrorNote error={error as Error} retry={reset} />,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
