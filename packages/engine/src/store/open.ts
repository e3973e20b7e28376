import { resolve } from 'node:path';
import { Database } from './database.ts';
import { startEmbedded } from './embedded/start.ts';

/** Enough for the hot path, the API and the pipelines of one node; many nodes share one server's limit. */
const POSTGRES_CONNECTIONS = 10;

export interface OpenOptions {
  /** A PostgreSQL URL; absent means the embedded database. */
  readonly url?: string | undefined;
  /** Where the embedded database lives. */
  readonly dataDir: string;
}

/** Opens the database that the configuration asks for, without migrating it. */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  if (options.url !== undefined) {
    return new Database({ kind: 'postgres', connection: { connectionString: options.url }, maxConnections: POSTGRES_CONNECTIONS });
  }
  const server = await startEmbedded(resolve(options.dataDir));
  return new Database({
    kind: 'embedded',
    connection: { host: server.host, port: server.port, user: 'postgres', database: 'postgres' },
    maxConnections: 1,
    onClose: () => server.stop(),
  });
}
