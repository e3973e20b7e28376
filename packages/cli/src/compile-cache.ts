import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { resolve } from 'node:path';

/** Permission bits of everybody but the owner; those that let somebody put things into a folder. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/**
 * Types are stripped and code is compiled once, not at every start: a third less start time, and 40 MB less memory. What is in the cache
 * is run, so it lies where nobody else can write: in the data directory, when that is ours. Node's own choice, a folder of a known name
 * among everybody's temporary files, would run what another user put there. `NODE_COMPILE_CACHE` names another place.
 */
export function useCompileCache(env: NodeJS.ProcessEnv): void {
  if (env.NODE_COMPILE_CACHE !== undefined) return; // Node has done so already
  // The default is that of the configuration, which is loaded only after this.
  const directory = ownDirectory(env.DIALHOOK_DATA_DIR?.trim() || './.dialhook', 'compile-cache');
  if (directory === null) return;
  enableCompileCache(directory);
  env.NODE_COMPILE_CACHE = directory; // for worker threads and child processes
}

/** A folder that this user alone can enter, made when there is none; null where that cannot be had, such as before the first start. */
function ownDirectory(parent: string, name: string): string | null {
  const we = process.getuid?.();
  if (we === undefined) return null;
  try {
    const around = lstatSync(parent);
    if (!around.isDirectory() || around.uid !== we || (around.mode & OTHERS_WRITE) !== 0) return null;
    const path = resolve(parent, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { mode, uid } = lstatSync(path);
    return uid === we && (mode & OTHERS) === 0 ? path : null;
  } catch {
    return null;
  }
}
