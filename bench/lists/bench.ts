import { execFileSync } from 'node:child_process';
import { mkdtempSync, openAsBlob, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATABASE_KINDS, freePort, Receiver, ServerProcess, startPostgres, type DatabaseKind } from '@dialhook/testing';
import { median, saveResult, table } from '../report.ts';
import { makeList } from './make-list.ts';

const ROWS = 1_000_000;
const ROUNDS = 3;
const TOKEN = 'operator-token-for-benchmarks';
/** The goals: memory while a list passes through, and time as a multiple of what csv-parse alone needs. */
const MAX_MEMORY_MB = 500;
const MAX_RATIO = 3;
const SAMPLE_INTERVAL_MS = 25;
/** Lets the start's own work end, so that what is sampled is the list's. */
const SETTLE_MS = 3_000;

interface Run {
  readonly database: DatabaseKind;
  /** From the first byte of the POST to the arrival of `upload.completed`. */
  readonly ms: number;
  /** The POST alone: received, checked, charged, on disk. */
  readonly answeredMs: number;
  readonly peakMb: number;
  readonly idleMb: number;
}

/** One million rows, 100 MB, from POST to `upload.completed`, beside csv-parse on the same file in the same run. */
export async function benchLists(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'dialhook-bench-'));
  const file = join(folder, 'list.csv');
  const bytes = makeList(file, ROWS);
  console.log(`\nlists: ${ROWS} rows, ${(bytes / 1e6).toFixed(1)} MB, ${ROUNDS} rounds, fresh processes, alternating\n`);
  const postgres = await startPostgres();
  const parse: number[] = [];
  const runs: Run[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      parse.push(parseAlone(file));
      for (const database of DATABASE_KINDS) runs.push(await oneRun(database, postgres.url, file, join(folder, `${database}-${round}`)));
    }
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const alone = median(parse);
  const rows = DATABASE_KINDS.map((database) => {
    const mine = runs.filter((run) => run.database === database);
    const ms = median(mine.map((run) => run.ms));
    return {
      database,
      'csv-parse alone, ms': Math.round(alone),
      'POST answered, ms': Math.round(median(mine.map((run) => run.answeredMs))),
      'POST to upload.completed, ms': Math.round(ms),
      ratio: Number((ms / alone).toFixed(2)),
      'idle, MB': Math.round(median(mine.map((run) => run.idleMb))),
      'peak, MB': Math.round(Math.max(...mine.map((run) => run.peakMb))),
    };
  });
  table(rows);
  saveResult('lists', { rows: ROWS, bytes, csv_parse_ms: parse, runs, summary: rows });
  return rows.every((row) => row.ratio <= MAX_RATIO && row['peak, MB'] <= MAX_MEMORY_MB);
}

function parseAlone(file: string): number {
  const script = fileURLToPath(new URL('csv-parse.ts', import.meta.url));
  return (JSON.parse(execFileSync(process.execPath, [script, file], { encoding: 'utf8' })) as { ms: number }).ms;
}

/** One for all runs: they share a PostgreSQL, which refuses nodes with another key than its own. */
const SECRET_KEY = '01'.repeat(32);

async function oneRun(database: DatabaseKind, postgresUrl: string, file: string, dataDir: string): Promise<Run> {
  const env = {
    PORT: String(await freePort()),
    DIALHOOK_DATA_DIR: dataDir,
    DIALHOOK_OPERATOR_TOKEN: TOKEN,
    DIALHOOK_SECRET_KEY: SECRET_KEY,
    DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
    DIALHOOK_LOG_LEVEL: 'error',
    DATABASE_URL: database === 'postgres' ? postgresUrl : '',
  };
  const receiver = await Receiver.start();
  const server = await ServerProcess.start(env);
  try {
    const slug = `bench-${env.PORT}`;
    const call = async <T>(path: string, body: object) =>
      (await (
        await fetch(`${server.url}/operator/v1${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      ).json()) as T;
    await call('/organizations', { slug, credits: ROWS });
    await call(`/organizations/${slug}/endpoints`, { dialect: 'optimaldial', url: receiver.url('/') });
    const { key } = await call<{ key: string }>(`/organizations/${slug}/api-keys`, { kind: 'optimaldial' });
    const form = new FormData();
    form.append('phone_column', 'phone');
    form.append('file', await openAsBlob(file), 'list.csv');
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

    const idleMb = residentMb(server.pid);
    let peakMb = idleMb;
    const sampler = setInterval(() => (peakMb = Math.max(peakMb, residentMb(server.pid))), SAMPLE_INTERVAL_MS);
    const began = performance.now();
    const answer = await fetch(`${server.url}/api/v1/uploads`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: form });
    const answeredMs = performance.now() - began;
    if (answer.status !== 200) throw new Error(`The upload was answered with ${answer.status}: ${await answer.text()}`);
    const completed = () => receiver.received.some(({ headers }) => headers['x-optimaldial-event'] === 'upload.completed');
    await receiver.until(completed, 120_000);
    const ms = performance.now() - began;
    clearInterval(sampler);
    return { database, ms, answeredMs, peakMb, idleMb };
  } finally {
    await server.stop();
    await receiver.stop();
  }
}

/** Resident memory of a process, from /proc: this benchmark runs on Linux. */
function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
