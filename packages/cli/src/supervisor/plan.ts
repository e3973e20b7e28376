import { availableParallelism } from 'node:os';
import cluster from 'node:cluster';
import { connectionLimit, connectionsOfNode, openDatabase, type ConnectionLimit, type Log } from '@dialhook/engine';
import { ConfigError, type Config } from '@dialhook/server';

/**
 * How many server processes are started. Throws `ConfigError` when more are asked for than the database has connections
 * for, and what `openDatabase` and its statements throw.
 */
export async function planProcesses(config: Config, log: Log, cores = availableParallelism()): Promise<number> {
  const { connections, databaseUrl, dataDir, processes } = config;
  const wanted = processes ?? cores;
  // Somebody else's cluster, such as a process manager's, has one supervisor already.
  if (databaseUrl === undefined || wanted === 1 || !cluster.isPrimary) return 1;
  const database = await openDatabase({ url: databaseUrl, dataDir, sizes: connections, log });
  try {
    const limit = await connectionLimit(database);
    const count = fittingProcesses(wanted, processes !== null, connectionsOfNode(connections), limit);
    if (count < wanted)
      log.warn(
        { cores, processes: count, each: connectionsOfNode(connections), ...limit },
        'fewer processes than cores: the database has no connections for more',
      );
    return count;
  } finally {
    await database.close();
  }
}

/**
 * The one formula for connections: each process has at most `each`, and while they are replaced there is one process more.
 * A single process runs in any case: it opens connections as it needs them, and is not replaced by another.
 */
export function fittingProcesses(wanted: number, isExplicit: boolean, each: number, { available, max, reserved }: ConnectionLimit): number {
  const fitting = Math.max(1, Math.floor(available / each) - 1);
  if (wanted <= fitting) return wanted;
  if (!isExplicit) return fitting;
  throw new ConfigError(
    'DIALHOOK_PROCESSES',
    String(wanted),
    `at most ${fitting}, since ${wanted} processes and one more while they are replaced may need ${wanted + 1} × ${each} = ${(wanted + 1) * each} connections, ` +
      `and the database has ${available} (max_connections ${max}, of which ${reserved} are reserved)`,
  );
}
