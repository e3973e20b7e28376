import { randomBytes } from 'node:crypto';
import { loadConfig, startServer, type Config, type RunningServer } from '@dialhook/server';
import { ApiClient } from './api-client.ts';
import { freshPlace, type DatabaseKind } from './databases.ts';

export interface TestServer {
  readonly server: RunningServer;
  readonly url: string;
  /** Undefined: the embedded one. */
  readonly databaseUrl: string | undefined;
  readonly operator: ApiClient;
  /** Makes an organization with a key of the kind; gives a client that has the key. */
  organization(options?: {
    credits?: number;
    plan?: string | null;
    kind?: string;
  }): Promise<{ slug: string; id: string; key: string; api: ApiClient }>;
  stop(): Promise<void>;
}

/** A whole node on a fresh database, listening on a free loopback port. */
export async function startTestServer(
  kind: DatabaseKind,
  env: Record<string, string> | ((place: Readonly<Record<string, string>>) => Record<string, string>) = {},
  options: (config: Config) => Parameters<typeof startServer>[1] = () => ({}),
): Promise<TestServer> {
  const place = await freshPlace(kind);
  const operatorToken = 'operator-token-for-tests';
  const config = loadConfig({
    PORT: '0',
    DIALHOOK_LOG_LEVEL: 'fatal',
    DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
    DIALHOOK_OPERATOR_TOKEN: operatorToken,
    ...place.env,
    ...(typeof env === 'function' ? env(place.env) : env),
  });
  const server = await startServer(config, options(config));
  const operator = await ApiClient.connect(server.url, operatorToken);
  return {
    server,
    url: server.url,
    databaseUrl: place.env.DATABASE_URL,
    operator,
    organization: async ({ credits = 10_000, kind: keyKind = 'optimaldial', plan = 'list_processing' } = {}) => {
      const slug = `org-${randomBytes(6).toString('hex')}`;
      const created = await operator.send<{ id: string }>('POST', '/operator/v1/organizations', { slug, plan, credits });
      const { body } = await operator.send<{ key: string }>('POST', `/operator/v1/organizations/${slug}/api-keys`, { kind: keyKind });
      return { slug, id: created.body.id, key: body.key, api: operator.as(body.key) };
    },
    stop: async () => {
      await server.stop();
      await place.remove();
    },
  };
}
