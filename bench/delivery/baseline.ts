import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, startPostgres, type PostgresServer } from '@dialhook/testing';
import type { LoadResult, LoadSettings } from './load.ts';
import { firstLine, output, POSTGRES_SETTINGS, script } from './system.ts';

const FOLDER = fileURLToPath(new URL('../baselines/', import.meta.url));

/** What is the baseline's own; the rest of the load is the same for all. */
type Fixed = Pick<LoadSettings, 'ports' | 'receiverPort' | 'token' | 'organizations' | 'fanOut'>;

/** What a TypeScript team would write instead, as fresh processes with the same receiver and load generator. */
export class Baseline {
  readonly #children: ChildProcess[];
  readonly #postgres: PostgresServer;
  readonly #folder: string;
  readonly #fixed: Fixed;

  private constructor(children: ChildProcess[], postgres: PostgresServer, folder: string, fixed: Fixed) {
    this.#children = children;
    this.#postgres = postgres;
    this.#folder = folder;
    this.#fixed = fixed;
  }

  /** Installs what the baselines need; gives those that can run here, and says why another cannot. */
  static async prepare<Name extends string>(names: readonly Name[]): Promise<Name[]> {
    if (!existsSync(join(FOLDER, 'node_modules')))
      execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER, stdio: 'inherit' });
    const hasRedis = await once(spawn('redis-server', ['--version'], { stdio: 'ignore' }), 'exit').catch(() => null);
    if (hasRedis === null) console.log('bullmq is left out: redis-server is not installed (Debian: apt-get install redis-server).\n');
    return names.filter((name) => name !== 'bullmq' || hasRedis !== null);
  }

  static async start(name: string, fanOut: number): Promise<Baseline> {
    const folder = mkdtempSync(join(tmpdir(), 'dialhook-baseline-'));
    const receiver = script('receiver.ts');
    const receiverPort = Number(await firstLine(receiver));
    const postgres = await startPostgres(POSTGRES_SETTINGS);
    const redisPort = await freePort();
    const children = [receiver];
    if (name === 'bullmq') children.push(await startRedis(redisPort, folder));
    const urls = Array.from({ length: fanOut }, (_, n) => `http://127.0.0.1:${receiverPort}/ok/${n}`);
    const service = script(`../baselines/${name}.ts`, [JSON.stringify({ databaseUrl: postgres.url, redisPort, urls })]);
    children.push(service);
    const ports = [Number(await firstLine(service))];
    return new Baseline(children, postgres, folder, { ports, receiverPort, token: 'none', organizations: ['bench'], fanOut });
  }

  load(settings: Omit<LoadSettings, keyof Fixed>): Promise<LoadResult> {
    return output<LoadResult>('load.ts', [JSON.stringify({ ...settings, ...this.#fixed })]);
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await this.#postgres.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Redis that keeps what it was given: its log is synced every second, which is BullMQ's own advice. */
async function startRedis(port: number, folder: string): Promise<ChildProcess> {
  const redis = spawn(
    'redis-server',
    ['--port', String(port), '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--dir', folder],
    {
      stdio: 'ignore',
    },
  );
  await eventually('Redis takes connections', async () => {
    const socket = connect({ host: '127.0.0.1', port });
    const open = await once(socket, 'connect').catch(() => null);
    socket.destroy();
    return open !== null;
  });
  return redis;
}
