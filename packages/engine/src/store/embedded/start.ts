import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { lockDataDirectory } from '../lock.ts';
import { ensurePrivateDirectory } from '../private-directory.ts';
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

/**
 * V8 optimises hot WebAssembly functions in the background, and PostgreSQL has a few giant ones: done early, that leaves 50 MB
 * behind in this process. A higher budget does it later and for less code; throughput is the same.
 */
const WASM_TIERING_FLAG = '--wasm-tiering-budget=200000000';

/** Starts the embedded database in a worker thread. Throws `DataDirectoryInUse` when another process has it, and `DataDirectoryNotOurs`. */
export async function startEmbedded(dataDir: string): Promise<EmbeddedServer> {
  ensurePrivateDirectory(dataDir);
  const unlock = lockDataDirectory(dataDir);
  const directory = join(dataDir, 'pgdata');
  const socket = socketDirectory(dataDir);
  const socketPath = join(socket.path, `.s.PGSQL.${PORT}`);
  try {
    if (!existsSync(join(directory, 'PG_VERSION'))) await initialize(directory);
    rmSync(socketPath, { force: true }); // left by a process that was killed; the lock says that nobody listens
    setFlagsFromString(WASM_TIERING_FLAG);
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { directory, socketPath } satisfies EmbeddedWorkerData,
    });
    await once(worker, 'message'); // rejects when the worker fails before it says that it is ready
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

/** In a process of its own: initdb takes a gigabyte, which a thread of ours would never give back. */
async function initialize(directory: string): Promise<void> {
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true }); // of a start that was killed
  mkdirSync(partial, { mode: 0o700 });
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL('./initialize.ts', import.meta.url)), partial]);
  renameSync(partial, directory);
}

function socketDirectory(dataDir: string): { path: string; remove: () => void } {
  if (join(dataDir, `.s.PGSQL.${PORT}`).length <= MAX_SOCKET_PATH && dataDir.startsWith('/')) return { path: dataDir, remove: () => {} };
  const path = mkdtempSync(join(tmpdir(), 'dialhook-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
