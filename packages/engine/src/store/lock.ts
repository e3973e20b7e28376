import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another live process uses the data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
  constructor(directory: string, pid: number) {
    super(`The data directory ${directory} is in use by process ${pid}. Stop that process, or set DIALHOOK_DATA_DIR to another directory.`);
  }
}

interface Holder {
  readonly pid: number;
  /** When the process began, as the system counts; tells a reused process id from the holder. Empty where unknown. */
  readonly began: string;
}

/**
 * Takes the data directory for this process, or throws `DataDirectoryInUse`. Two processes on one embedded database
 * would corrupt it, and the database does not notice by itself. Returns the release.
 */
export function lockDataDirectory(directory: string): () => void {
  const path = join(directory, 'lock');
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, began: processBegan(process.pid) } satisfies Holder));
  try {
    // A second round is needed only after a stale lock was moved away.
    for (let round = 0; round < 3; round++) {
      try {
        linkSync(mine, path); // atomic, and fails when the lock exists
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const text = readOrEmpty(path);
      const holder = parse(text);
      if (holder !== null && isAlive(holder)) throw new DataDirectoryInUse(directory, holder.pid);
      removeStale(path, text);
    }
    throw new DataDirectoryInUse(directory, parse(readOrEmpty(path))?.pid ?? 0);
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Moves a stale lock away; if another process took over in between, its fresh lock is put back. */
function removeStale(path: string, staleText: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readOrEmpty(aside) !== staleText) linkSync(aside, path);
  } catch {
    // Somebody else removed it first: the next round sees who has it now.
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid && holder.began === processBegan(process.pid)) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return holder.began === processBegan(holder.pid);
}

/** Field 22 of /proc/<pid>/stat, the start time in clock ticks; empty on systems without /proc. */
function processBegan(pid: number): string {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parse(text: string): Holder | null {
  try {
    const { pid, began } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' && typeof began === 'string' ? { pid, began } : null;
  } catch {
    return null; // written half, by a process that died then
  }
}
