import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, freePort } from '@dialhook/testing';
import { median, saveResult, table } from '../report.ts';
import { ceiling } from './throughput.ts';
import { System, TOKEN, type SystemOptions } from './system.ts';
import { EVENT_TYPE, eventData } from './workload.ts';

const ROUNDS = 3;
const WARM_UP_S = 4;
const MEASURE_S = 8;
const CONNECTIONS = 128;
/** Of all calls, refused with 503. */
const MAX_REFUSED = 0.001;

const CASES: Record<string, { readonly options: SystemOptions; readonly goal: number }> = {
  'PostgreSQL, fan-out 1': { options: { database: 'postgres', nodes: 1, fanOut: 1 }, goal: 0.3 },
  'PostgreSQL, fan-out 5': { options: { database: 'postgres', nodes: 1, fanOut: 5 }, goal: 0.7 },
  'embedded, fan-out 1': { options: { database: 'embedded', nodes: 1, fanOut: 1 }, goal: 0.28 },
};

/** One event a call through the public API, with tools that are not ours: `wrk` makes the calls and nginx receives the webhooks. */
export async function benchForeign(): Promise<boolean> {
  for (const tool of ['wrk', 'nginx']) {
    if (spawnSync(tool, ['-v']).error === undefined) continue;
    console.log(`\nforeign: left out, ${tool} is not installed`);
    return true;
  }
  console.log(`\nforeign: wrk and nginx, one event a call, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${MEASURE_S} s\n`);
  const raw: Record<string, Measured[]> = {};
  const ceilings: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ceilings.push(Math.max(await ceiling(1, 64), await ceiling(2, 32)));
    for (const [name, { options }] of Object.entries(CASES)) (raw[name] ??= []).push(await measure(options));
  }
  const top = median(ceilings);
  const rows = Object.entries(raw).map(([name, rounds]) => ({
    what: name,
    'deliveries/s': Math.round(median(rounds.map(({ deliveredPerSecond }) => deliveredPerSecond))),
    'of the ceiling': Number((median(rounds.map(({ deliveredPerSecond }) => deliveredPerSecond)) / top).toFixed(2)),
    goal: CASES[name]!.goal,
    'refused, %': Number((100 * Math.max(...rounds.map(({ refused }) => refused))).toFixed(3)),
    'call p99, ms': median(rounds.map(({ p99Ms }) => p99Ms)),
    rounds: rounds.map(({ deliveredPerSecond }) => Math.round(deliveredPerSecond)).join(' '),
  }));
  table(rows);
  saveResult('foreign', { warm_up_s: WARM_UP_S, measure_s: MEASURE_S, connections: CONNECTIONS, ceilings, raw, summary: rows });
  return rows.every((row) => row['of the ceiling'] >= row.goal && row['refused, %'] <= 100 * MAX_REFUSED);
}

interface Measured {
  readonly deliveredPerSecond: number;
  readonly callsPerSecond: number;
  /** A part of all calls. */
  readonly refused: number;
  readonly p99Ms: number;
}

async function measure(options: SystemOptions): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'dialhook-foreign-'));
  const nginx = await Nginx.start(folder);
  try {
    const system = await System.start({ ...options, receiverPort: nginx.port });
    try {
      const path = join(folder, 'events.lua');
      writeFileSync(path, callScript(system.organizations));
      await wrk(system, path, WARM_UP_S);
      const [before, began] = [await nginx.received(), performance.now()];
      const calls = await wrk(system, path, MEASURE_S);
      const seconds = (performance.now() - began) / 1000;
      return { deliveredPerSecond: ((await nginx.received()) - before) / seconds, ...calls };
    } finally {
      await system.stop();
    }
  } finally {
    await nginx.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What wrk runs for each call, and for its summary. */
function callScript(organizations: readonly string[]): string {
  const bodies = organizations.map((organization, n) => `{"organization":"${organization}","type":"${EVENT_TYPE}","data":${eventData(n)}}`);
  return `
    local bodies = { ${bodies.map((body) => JSON.stringify(body)).join(', ')} }
    local headers = { ["authorization"] = "Bearer ${TOKEN}", ["content-type"] = "application/json" }
    local n = 0
    request = function()
      n = n + 1
      return wrk.format("POST", "/operator/v1/events", headers, bodies[n % #bodies + 1])
    end
    done = function(summary, latency)
      io.write(string.format('{"requests":%d,"us":%d,"status":%d,"broken":%d,"p99":%d}\\n', summary.requests, summary.duration,
        summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, latency:percentile(99)))
    end`;
}

async function wrk(system: System, path: string, seconds: number): Promise<Omit<Measured, 'deliveredPerSecond'>> {
  const args = [
    '--threads',
    '1',
    '--connections',
    String(CONNECTIONS),
    '--duration',
    `${seconds}s`,
    '--script',
    path,
    system.nodes[0]!.url,
  ];
  const { stdout } = await promisify(execFile)('wrk', args);
  const summary = JSON.parse(stdout.slice(stdout.lastIndexOf('{'))) as Record<'requests' | 'us' | 'status' | 'broken' | 'p99', number>;
  if (summary.broken > 0) throw new Error(`wrk: ${summary.broken} calls got no answer.`);
  return { callsPerSecond: summary.requests / (summary.us / 1e6), refused: summary.status / summary.requests, p99Ms: summary.p99 / 1000 };
}

/** Answers every POST with 200 and counts. */
class Nginx {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(folder: string): Promise<Nginx> {
    const port = await freePort();
    const path = join(folder, 'nginx.conf');
    writeFileSync(
      path,
      `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
       events { worker_connections 4096; }
       http {
         access_log off; keepalive_requests 100000000; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
         fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
         server {
           listen 127.0.0.1:${port};
           location = /status { stub_status; }
           location / { return 200 ''; }
         }
       }`,
    );
    const child = spawn('nginx', ['-p', folder, '-c', path], { stdio: ['ignore', 'inherit', 'inherit'] });
    const nginx = new Nginx(child, port);
    await eventually('nginx answers', () =>
      nginx.received().then(
        () => true,
        () => false,
      ),
    );
    return nginx;
  }

  /** Requests so far: the third number of the third line. */
  async received(): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/status`)).text();
    return Number(text.split('\n')[2]!.trim().split(' ')[2]);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}
