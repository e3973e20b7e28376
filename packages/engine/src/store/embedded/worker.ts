// Runs in a worker thread: PGlite on a directory, served on a Unix socket to the one `pg` connection of the main thread.
import { chmodSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { syncs } from './durable-fs.ts';
import { openDirectory } from './open-directory.ts';

export interface EmbeddedWorkerData {
  readonly directory: string;
  readonly socketPath: string;
}

const { directory, socketPath } = workerData as EmbeddedWorkerData;
const db = await openDirectory(directory);
// Our pool has one connection. The second place is for the moment in which it replaces a broken one.
const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 2 });
await server.start();
chmodSync(socketPath, 0o600); // its folder is closed to others already
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
