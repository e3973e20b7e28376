import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '@dialhook/engine';
import { eventually, freePort, ServerProcess, startPostgres, type DatabaseKind, type PostgresServer } from '@dialhook/testing';
import type { LoadResult, LoadSettings } from './load.ts';
import { ORGANIZATIONS } from './workload.ts';

/** As an operator would set it for a small machine; durability is as it comes. */
export const POSTGRES_SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB' };
export const TOKEN = 'operator-token-for-benchmarks';

/** A script beside this file as a process of its own. */
export function script(name: string, args: readonly string[] = []): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(new URL(name, import.meta.url)), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The first line that a process prints. */
export async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
  throw new Error(`${child.spawnargs.join(' ')} ended without a result.`);
}

/** The last line of a script that runs to its end. */
export async function output<T>(name: string, args: readonly string[]): Promise<T> {
  const child = script(name, args);
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${name} ended with ${code}.`);
  return JSON.parse(text) as T;
}

/** CPU time of each part, in microseconds for one delivery. */
export interface CpuShare {
  readonly nodes: number;
  readonly postgres: number;
  readonly receiver: number;
  readonly load: number;
}

const RECORD_TIMEOUT_MS = 60_000;
/** Clock ticks of /proc are hundredths of a second on Linux. */
const TICK_MS = 10;

function cpuMs(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return 0; // it has ended, and its time counts with its parent's
  }
  const [, fields = ''] = stat.split(') ');
  const [user, system, waitedUser, waitedSystem] = fields.split(' ').slice(11).map(Number);
  return (user! + system! + waitedUser! + waitedSystem!) * TICK_MS;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

export interface SystemOptions {
  readonly database: DatabaseKind;
  readonly nodes: number;
  readonly fanOut: number;
  readonly organizations?: number;
  /** Endpoints of dials, instead of events; each organization gets a key for posting dials. */
  readonly dials?: boolean;
  readonly role?: 'all' | 'api';
  /** A receiver that runs already; one of ours is started when absent. */
  readonly receiverPort?: number;
  /** Path of each endpoint at the receiver; `/ok/<n>` when absent. */
  readonly endpointPath?: (n: number, organization: number) => string;
}

/** Fresh processes: a database, nodes, a receiver, and organizations with their endpoints. */
export class System {
  readonly options: SystemOptions;
  readonly receiverPort: number;
  readonly nodes: ServerProcess[] = [];
  readonly organizations: string[] = [];
  readonly dialKeys: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'dialhook-bench-'));
  #postgres: PostgresServer | null = null;
  readonly #receiver: ChildProcess | null;

  private constructor(options: SystemOptions, receiver: ChildProcess | null, receiverPort: number) {
    this.options = options;
    this.#receiver = receiver;
    this.receiverPort = receiverPort;
  }

  static async start(options: SystemOptions): Promise<System> {
    const receiver = options.receiverPort === undefined ? script('receiver.ts') : null;
    const system = new System(options, receiver, options.receiverPort ?? Number(await firstLine(receiver!)));
    if (options.database === 'postgres') system.#postgres = await startPostgres(POSTGRES_SETTINGS);
    for (let n = 0; n < options.nodes; n++) await system.addNode();
    for (let n = 0; n < (options.organizations ?? ORGANIZATIONS); n++) await system.#addOrganization(n, options);
    return system;
  }

  get databaseUrl(): string | undefined {
    return this.#postgres?.url;
  }

  async addNode(): Promise<ServerProcess> {
    const node = await ServerProcess.start({
      PORT: String(await freePort()),
      DIALHOOK_DATA_DIR: join(this.folder, 'data'),
      DIALHOOK_OPERATOR_TOKEN: TOKEN,
      DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
      DIALHOOK_LOG_LEVEL: 'warn',
      DATABASE_URL: this.#postgres?.url ?? '',
      DIALHOOK_ROLE: this.options.role ?? 'all',
    });
    this.nodes.push(node);
    return node;
  }

  /** Drives the system until everything that was published has arrived. */
  async load(
    settings: Omit<LoadSettings, 'ports' | 'receiverPort' | 'token' | 'organizations' | 'fanOut'>,
  ): Promise<LoadResult & { readonly cpu: CpuShare }> {
    const ports = this.nodes.map((node) => Number(new URL(node.url).port));
    const { dialKeys, organizations, receiverPort } = this;
    const whole: LoadSettings = {
      ...settings,
      ports,
      receiverPort,
      organizations,
      token: TOKEN,
      fanOut: this.options.fanOut,
      ...(this.options.dials && { dialKeys }),
    };
    const before = this.#cpu();
    const result = await output<LoadResult>('load.ts', [JSON.stringify(whole)]);
    const after = this.#cpu();
    const each = (ms: number) => Number(((ms * 1000) / (result.published * Math.max(1, whole.fanOut))).toFixed(1));
    return {
      ...result,
      cpu: {
        nodes: each(after.nodes - before.nodes),
        postgres: each(after.postgres - before.postgres),
        receiver: each(after.receiver - before.receiver),
        load: each(result.cpuMs),
      },
    };
  }

  /** Waits until nothing is unfinished, and fails unless every delivery is in the history as delivered. */
  async checkRecorded(published: number): Promise<void> {
    if (this.#postgres === null) return; // the embedded database is open in the node
    const database = await openDatabase({ url: this.#postgres.url, dataDir: '' });
    try {
      const count = async (text: string) => (await database.query<{ count: number }>({ text }))[0]!.count;
      await eventually(
        'every result is recorded',
        async () => (await count('select count(*) as count from (select from deliveries union all select from batches) d')) === 0,
        RECORD_TIMEOUT_MS,
      );
      const delivered = await count(`select count(*) as count from finished_deliveries where status = 'delivered'`);
      const expected = published * this.options.fanOut;
      if (delivered !== expected) throw new Error(`${delivered} deliveries are recorded as delivered, and ${expected} were published.`);
    } finally {
      await database.close();
    }
  }

  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.nodes[0]!.url}/operator/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** CPU milliseconds of the nodes and the database so far. */
  cpuMs(): number {
    const { nodes, postgres } = this.#cpu();
    return nodes + postgres;
  }

  /** CPU milliseconds of the nodes alone so far. */
  nodeCpuMs(): number {
    return this.#cpu().nodes;
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop();
    this.#receiver?.kill();
    await this.#postgres?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** CPU milliseconds so far. */
  #cpu(): CpuShare {
    const server = this.#postgres?.pid;
    return {
      nodes: this.nodes.reduce((sum, { pid }) => sum + cpuMs(pid), 0),
      postgres: server === undefined ? 0 : [server, ...childrenOf(server)].reduce((sum, pid) => sum + cpuMs(pid), 0),
      receiver: this.#receiver === null ? 0 : cpuMs(this.#receiver.pid!),
      load: 0,
    };
  }

  async #addOrganization(index: number, { endpointPath = (n) => `/ok/${n}`, fanOut }: SystemOptions): Promise<void> {
    const slug = `bench-${index}`;
    await this.call('POST', '/organizations', { slug });
    for (let n = 0; n < fanOut; n++) {
      const url = `http://127.0.0.1:${this.receiverPort}${endpointPath(n, index)}`;
      await this.call('POST', `/organizations/${slug}/endpoints`, { dialect: this.options.dials ? 'outboundiq' : 'standard', url });
    }
    this.organizations.push(slug);
    if (!this.options.dials) return;
    const { key } = await this.call<{ key: string }>('POST', `/organizations/${slug}/api-keys`, { kind: 'outboundiq' });
    this.dialKeys.push(key);
  }
}
