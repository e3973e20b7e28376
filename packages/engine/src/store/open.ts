import { resolve } from 'node:path';
import type { Log } from '../core/log.ts';
import { Database, type LaneSizes } from './database.ts';
import { startEmbedded } from './embedded/start.ts';

export interface OpenOptions {
  /** A PostgreSQL URL; absent means the embedded database. */
  readonly url?: string | undefined;
  /** Where the embedded database lives. */
  readonly dataDir: string;
  /** Connections to PostgreSQL, by kind of work. */
  readonly sizes?: Partial<LaneSizes> | undefined;
  readonly log?: Log | undefined;
}

/** Opens the database that the configuration asks for, without migrating it. */
export async function openDatabase({ dataDir, log, sizes, url }: OpenOptions): Promise<Database> {
  if (url !== undefined) return new Database({ kind: 'postgres', connection: { connectionString: url }, sizes, log });
  const server = await startEmbedded(resolve(dataDir));
  return new Database({
    kind: 'embedded',
    connection: { host: server.host, port: server.port, user: 'postgres', database: 'postgres' },
    log,
    onClose: () => server.stop(),
  });
}
