// Runs in a worker thread: PGlite on a directory, served on a Unix socket to the one `pg` connection of the main thread.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { DurableNodeFS, syncs } from './durable-fs.ts';

export interface EmbeddedWorkerData {
  readonly directory: string;
  readonly socketPath: string;
  /** Only create the database and stop: initdb's memory would stay with the process that ran it. */
  readonly initializeOnly: boolean;
}

/** `-F` switches fsync off, and the default sync method bypasses the file system's fsync: both must go. */
const START_PARAMS = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...['-c', 'fsync=on', '-c', 'wal_sync_method=fsync'],
  ...['-c', 'shared_buffers=16MB'], // 200 MB of process memory instead of 490 MB
  ...['-c', 'plan_cache_mode=force_generic_plan'],
];

const { directory, socketPath, initializeOnly } = workerData as EmbeddedWorkerData;
const db = await PGlite.create({ fs: new DurableNodeFS(directory), startParams: START_PARAMS });

if (initializeOnly) {
  await db.close();
  parentPort?.postMessage('initialized');
} else {
  const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 1 });
  await server.start();
  parentPort?.on('message', (message: string) => void handle(message));
  parentPort?.postMessage('ready');

  async function handle(message: string): Promise<void> {
    if (message === 'syncs') {
      parentPort?.postMessage(syncs.count);
      return;
    }
    await server.stop();
    await db.close();
    process.exit(0); // ends this thread alone
  }
}
