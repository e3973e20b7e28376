import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lockDataDirectory } from '../lock.ts';
import type { EmbeddedWorkerData } from './worker.ts';

export interface EmbeddedServer {
  /** Directory of the Unix socket, as `pg` wants it in `host`. */
  readonly host: string;
  readonly port: number;
  /** How many times data was forced to the disk since the start. */
  syncCount(): Promise<number>;
  stop(): Promise<void>;
}

const PORT = 5432;
/** Unix socket paths end at 107 bytes on Linux and 103 on macOS. */
const MAX_SOCKET_PATH = 100;

/** Starts the embedded database in a worker thread. Throws `DataDirectoryInUse` when another process has it. */
export async function startEmbedded(dataDir: string): Promise<EmbeddedServer> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockDataDirectory(dataDir);
  const directory = join(dataDir, 'pgdata');
  const socket = socketDirectory(dataDir);
  const socketPath = join(socket.path, `.s.PGSQL.${PORT}`);
  try {
    if (!existsSync(join(directory, 'PG_VERSION'))) await spawn({ directory, socketPath, initializeOnly: true }, 'initialized');
    rmSync(socketPath, { force: true }); // left by a process that was killed; the lock says that nobody listens
    const worker = await spawn({ directory, socketPath, initializeOnly: false }, 'ready');
    worker.unref();
    return {
      host: socket.path,
      port: PORT,
      syncCount: async () => {
        worker.postMessage('syncs');
        return ((await once(worker, 'message')) as [number])[0];
      },
      stop: async () => {
        worker.ref();
        const exited = once(worker, 'exit');
        worker.postMessage('stop');
        await exited;
        socket.remove();
        unlock();
      },
    };
  } catch (error) {
    socket.remove();
    unlock();
    throw error;
  }
}

async function spawn(data: EmbeddedWorkerData, readyMessage: string): Promise<Worker> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: data });
  // `once` rejects when the worker fails before it says anything.
  const [message] = (await once(worker, 'message')) as [string];
  if (message !== readyMessage) throw new Error(`The embedded database said ${message} instead of ${readyMessage}.`);
  if (data.initializeOnly) await worker.terminate();
  return worker;
}

function socketDirectory(dataDir: string): { path: string; remove: () => void } {
  if (join(dataDir, `.s.PGSQL.${PORT}`).length <= MAX_SOCKET_PATH && dataDir.startsWith('/')) return { path: dataDir, remove: () => {} };
  const path = mkdtempSync(join(tmpdir(), 'dialhook-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
