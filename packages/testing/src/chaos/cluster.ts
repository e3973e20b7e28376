import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { initializeData, launchPostgres, postgresOwner, type PostgresProcess } from '../postgres-process.ts';
import { copyRunning } from './copy-running.ts';
import type { Reaper } from './reaper.ts';

/** Enough for ten minutes of events with their log. A disk of its own, that can be filled without harm to others. */
const DISK_BYTES = 1_200 * 2 ** 20;
const PAGE = Buffer.alloc(4096);
const SYNC_TIMEOUT_MS = 60_000;
/** A standby that is being made begins with log that the primary keeps. */
const KEPT_LOG = '256MB';

/** One PostgreSQL server with its data directory, on a disk of its own where that is possible. */
interface Server {
  readonly home: string;
  readonly data: string;
  readonly port: number;
  process: PostgresProcess;
}

/** A PostgreSQL with a synchronous standby, which can take its place. */
export class Cluster {
  readonly hasDisk: boolean;
  readonly #reaper: Reaper;
  #primary!: Server;
  #standby: Server | null = null;
  #number = 0;

  private constructor(reaper: Reaper) {
    this.#reaper = reaper;
    // Mounting needs root; without it there is no full disk, and the run says so.
    this.hasDisk = process.platform === 'linux' && process.getuid?.() === 0;
  }

  static async start(reaper: Reaper): Promise<Cluster> {
    const cluster = new Cluster(reaper);
    const { data, home, port } = await cluster.#place();
    initializeData(data);
    cluster.#primary = { home, data, port, process: await cluster.#launch(data, port) };
    return cluster;
  }

  get port(): number {
    return this.#primary.port;
  }

  get url(): string {
    return urlOf(this.#primary.port);
  }

  /** Makes a standby of the primary and waits until commits wait for it. */
  async addStandby(): Promise<void> {
    const { data, home, port } = await this.#place();
    try {
      await copyRunning(this.url, this.#primary.data, data);
      writeFileSync(join(data, 'standby.signal'), '');
      if (postgresOwner.uid !== undefined) spawnSync('chown', ['-R', `${postgresOwner.uid}:${postgresOwner.gid}`, data]);
      const source = `host=127.0.0.1 port=${this.#primary.port} user=postgres application_name=standby`;
      this.#standby = { home, data, port, process: await this.#launch(data, port, { primary_conninfo: source }) };
    } catch (error) {
      this.#clear(home);
      throw error;
    }
    await withClient(this.url, async (client) => {
      await client.query(`alter system set synchronous_standby_names = 'standby'`);
      await client.query('select pg_reload_conf()');
      await eventually(
        'the standby is synchronous',
        async () => (await client.query(`select from pg_stat_replication where sync_state = 'sync'`)).rowCount === 1,
        SYNC_TIMEOUT_MS,
      );
    });
  }

  /** Kills the primary, and the standby takes its place. */
  async promote(): Promise<void> {
    const old = this.#primary;
    const standby = this.#standby!;
    old.process.child.kill('SIGKILL');
    await old.process.exited;
    await withClient(urlOf(standby.port), async (client) => {
      // Nobody follows it: a commit must not wait for what does not exist.
      await client.query('select pg_promote(true, 60)');
      await client.query('alter system reset synchronous_standby_names');
      await client.query('select pg_reload_conf()');
    });
    this.#primary = standby;
    this.#standby = null;
    this.#clear(old.home);
  }

  get hasStandby(): boolean {
    return this.#standby !== null;
  }

  /** As after a loss of power: no goodbye, and the log is replayed. */
  async crash(downMs: number): Promise<void> {
    this.#primary.process.child.kill('SIGQUIT');
    await this.#primary.process.exited;
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await this.#relaunch();
  }

  /** Fills the primary's disk to the last byte for so long. A server that gives up over it is started again afterwards. */
  async fillDisk(ms: number): Promise<void> {
    const { home } = this.#primary;
    const filler = join(home, 'filler');
    const file = openSync(filler, 'w');
    try {
      const { bavail, bsize } = statfsSync(home);
      await once(spawn('fallocate', ['--length', String(bavail * bsize), filler], { stdio: 'ignore' }), 'exit');
      const end = performance.now() + ms;
      while (performance.now() < end) {
        takeAll(file); // the server frees a little now and then
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      closeSync(file);
      unlinkSync(filler);
    }
    if (hasEnded(this.#primary.process.child)) await this.#relaunch();
  }

  /** What ended by itself is started again, such as a primary whose disk was full. */
  async mend(): Promise<void> {
    if (hasEnded(this.#primary.process.child)) await this.#relaunch();
  }

  async stop(): Promise<void> {
    for (const server of [this.#standby, this.#primary]) {
      if (server === null || hasEnded(server.process.child)) continue;
      server.process.child.kill('SIGQUIT');
      await server.process.exited;
    }
  }

  async #relaunch(): Promise<void> {
    const { data, port } = this.#primary;
    rmSync(join(data, 'postmaster.pid'), { force: true });
    this.#primary.process = await this.#launch(data, port);
  }

  async #launch(data: string, port: number, settings: Record<string, string> = {}): Promise<PostgresProcess> {
    const started = await launchPostgres(data, {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: data,
      max_connections: '150',
      shared_buffers: '64MB',
      wal_level: 'replica',
      wal_keep_size: KEPT_LOG,
      max_wal_size: '256MB',
      hot_standby: 'on',
      // The disk is memory: a kill keeps it, and syncing it would cost time for nothing.
      fsync: 'off',
      ...settings,
    });
    this.#reaper.watch(started.child);
    return started;
  }

  async #place(): Promise<{ home: string; data: string; port: number }> {
    const home = mkdtempSync(join(tmpdir(), `dialhook-chaos-${this.#number++}-`));
    this.#reaper.made(home);
    if (this.hasDisk) {
      const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'dialhook-chaos', home]);
      if (status !== 0) throw new Error(`The disk of the run could not be mounted: ${stderr.toString()}`);
      this.#reaper.mounted(home);
    }
    const data = join(home, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (postgresOwner.uid !== undefined) for (const path of [home, data]) chownSync(path, postgresOwner.uid, postgresOwner.gid!);
    return { home, data, port: await freePort() };
  }

  /** Memory is dear: a disk that nobody uses any more is given back at once. */
  #clear(home: string): void {
    if (this.hasDisk) spawnSync('umount', ['--lazy', home]);
    else rmSync(home, { recursive: true, force: true });
  }
}

export function urlOf(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/** A connection of the run's own, past the proxies. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // its statement rejects
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Appends until there is no room for a page more. */
function takeAll(file: number): void {
  try {
    for (;;) writeSync(file, PAGE, 0, PAGE.length, fstatSync(file).size);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
