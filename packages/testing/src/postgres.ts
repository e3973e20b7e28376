import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { initializeData, launchPostgres, postgresOwner, type PostgresLimits } from './postgres-process.ts';

export interface PostgresServer {
  /** Of the maintenance database; replace the path for another one. */
  readonly url: string;
  readonly pid: number;
  /** Stops it at once (SIGQUIT: as after a crash, the log is replayed) and starts it again on the same port and data. */
  restart(limits?: PostgresLimits): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real PostgreSQL from the npm package on a free loopback port, with a data directory that `stop` removes. */
export async function startPostgres(settings: Record<string, string> = {}): Promise<PostgresServer> {
  const data = mkdtempSync(join(tmpdir(), 'dialhook-postgres-'));
  if (postgresOwner.uid !== undefined) chownSync(data, postgresOwner.uid, postgresOwner.gid!);
  initializeData(data);
  const port = await freePort();
  const options = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: data, max_connections: '200', ...settings };
  let server = await launchPostgres(data, options);
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    get pid() {
      return server.child.pid!;
    },
    restart: async (limits) => {
      server.child.kill('SIGQUIT');
      await server.exited;
      server = await launchPostgres(data, options, limits);
    },
    stop: async () => {
      server.child.kill('SIGINT'); // fast shutdown
      await server.exited;
      rmSync(data, { recursive: true, force: true });
    },
  };
}
