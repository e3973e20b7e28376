import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another live process uses the data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
  constructor(directory: string, holder: string) {
    super(`The data directory ${directory} is in use by ${holder}. Stop that process, or set DIALHOOK_DATA_DIR to another directory.`);
  }
}

/** Nothing can tell there whether another machine uses the directory. */
export class DataDirectoryOnNetwork extends Error {
  override readonly name = 'DataDirectoryOnNetwork';
  constructor(directory: string, kind: string) {
    super(
      `The data directory ${directory} is on a network file system (${kind}), where two processes could open the embedded database at once and destroy it. ` +
        'Set DIALHOOK_DATA_DIR to a directory on a local disk, or DATABASE_URL to a PostgreSQL.',
    );
  }
}

/** Types that `statfs` gives on Linux for file systems whose locks other machines may not see (man 2 statfs). */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x19830326, 'BeeGFS'],
]);

/** SQLite's code for a file that somebody else has locked. */
const SQLITE_BUSY = 5;

/**
 * How long a start waits for the lock, ms. A process that was killed keeps its files until its last thread is gone, and
 * one that is started again at once comes before that on a busy machine.
 */
const LOCK_WAIT = 500;

/** Who has the directory, for people to read; the lock itself is the kernel's. */
interface Holder {
  readonly pid: number;
  /** When the process began, as the system counts; tells a reused process id from the holder. Empty where unknown. */
  readonly began: string;
  readonly host?: string;
}

/**
 * Takes the data directory for this process, or throws `DataDirectoryInUse`. Two processes on one embedded database
 * would destroy it, and the database does not notice by itself. The lock is one that the kernel holds on a file, by
 * way of SQLite: it also works between containers that share the directory, and it is free the moment the process is
 * dead. Returns the release.
 */
export function lockDataDirectory(directory: string, typeOf: (path: string) => number = fileSystemType): () => void {
  const kind = NETWORK.get(typeOf(directory));
  if (kind !== undefined) throw new DataDirectoryOnNetwork(directory, kind);
  const info = join(directory, 'lock');
  const held = holdFile(join(directory, 'lock.sqlite'));
  if (held === null) throw new DataDirectoryInUse(directory, describe(readHolder(info)));
  const before = readHolder(info);
  // Written by a version that knew no lock but this file.
  if (before !== null && before.host === undefined && isAlive(before)) {
    held.close();
    throw new DataDirectoryInUse(directory, describe(before));
  }
  const mine: Holder = { pid: process.pid, began: processState(process.pid).began, host: hostname() };
  writeFileSync(info, JSON.stringify(mine), { mode: 0o600 });
  return () => {
    rmSync(info, { force: true });
    held.close();
  };
}

/** Null when another process, or this one, holds the file already. */
function holdFile(path: string): DatabaseSync | null {
  try {
    // Made here for its mode. Never opened and closed again by us: that would end the lock that this process has on it.
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const file = new DatabaseSync(path, { timeout: LOCK_WAIT });
  try {
    file.exec('begin exclusive');
    return file;
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw error;
  }
}

function fileSystemType(path: string): number {
  return process.platform === 'linux' ? statfsSync(path).type : 0;
}

function describe(holder: Holder | null): string {
  if (holder === null) return 'another process';
  const { host, pid } = holder;
  return host === undefined || host === hostname() ? `process ${pid}` : `process ${pid} of ${host}`;
}

function isAlive(holder: Holder): boolean {
  const { began, isZombie } = processState(holder.pid);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie && holder.began === began;
}

/** Fields 3 and 22 of /proc/<pid>/stat: the state, and the start time in clock ticks; empty on systems without /proc. */
function processState(pid: number): { readonly began: string; readonly isZombie: boolean } {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { began: fields[19] ?? '', isZombie: fields[0] === 'Z' };
}

function readHolder(path: string): Holder | null {
  try {
    const { pid, began, host } = JSON.parse(readOrEmpty(path)) as Partial<Holder>;
    if (typeof pid !== 'number' || typeof began !== 'string') return null;
    return { pid, began, ...(typeof host === 'string' && { host }) };
  } catch {
    return null; // written half, by a process that died then
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
