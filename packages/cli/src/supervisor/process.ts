import cluster from 'node:cluster';
import { loadConfig, startServer, type RunningServer, type Snapshot } from '@dialhook/server';
import { DatabaseUnavailable } from '@dialhook/engine';
import { describeError } from '../describe-error.ts';
import { PROCESS_LIMITS } from './limits.ts';
import type { FromProcess, ToProcess } from './protocol.ts';

/** The entry of a server process: one node, which does what the supervisor says and does not outlive it. */

process.umask(0o077); // as the supervisor's: whatever it writes is its user's alone
const hurry = new AbortController();
const gathering = new Map<number, (snapshots: Snapshot[]) => void>();
let nextGathering = 0;
let ending: Promise<void> | undefined;

process.on('message', (message: ToProcess) => {
  switch (message.type) {
    case 'stop':
      hurry.abort();
      return void end();
    case 'leave':
      return void end();
    case 'measure':
      return void measure(message.id, message.withCommon).catch(() => {}); // what was said last counts
    case 'gathered':
      return gathering.get(message.id)?.([...message.snapshots]);
    default:
      message satisfies never;
  }
});
// Of a terminal, and of some process managers, signals reach all processes of the group. The supervisor answers this one.
process.on('SIGHUP', () => {});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    hurry.abort();
    void end();
  });
// The supervisor is gone, and with it the port: what is in flight is finished, and nothing else.
cluster.worker!.once('disconnect', () => {
  cluster.worker!.exitedAfterDisconnect = true; // otherwise the process ends at once, in the middle of its requests
  hurry.abort();
  setTimeout(() => process.exit(1), PROCESS_LIMITS.stopMs).unref();
  void end();
});

const starting = start();

async function start(): Promise<RunningServer | null> {
  try {
    const server = await startServer(loadConfig(process.env), { gather });
    await tell({ type: 'ready', url: server.url });
    return server;
  } catch (error) {
    await fail(error);
    return null;
  }
}

function end(): Promise<void> {
  return (ending ??= leaveAndStop().catch(fail));
}

async function leaveAndStop(): Promise<void> {
  const server = await starting;
  await server?.leave(hurry.signal);
  await server?.stop();
  if (server !== null) await tell({ type: 'measured', id: null, measurements: await server.metrics.measure(false) });
  process.exit(0);
}

async function fail(error: unknown): Promise<void> {
  await tell({ type: 'failed', message: describeError(error), isPassing: error instanceof DatabaseUnavailable });
  process.exit(1);
}

async function measure(id: number, withCommon: boolean): Promise<void> {
  const server = await starting;
  if (server !== null) await tell({ type: 'measured', id, measurements: await server.metrics.measure(withCommon) });
}

/** What all processes measure; rejects when the supervisor does not say. */
async function gather(): Promise<Snapshot[]> {
  const id = nextGathering++;
  const { promise, reject, resolve } = Promise.withResolvers<Snapshot[]>();
  const timer = setTimeout(() => reject(new Error('The supervisor does not answer.')), PROCESS_LIMITS.gatherMs);
  gathering.set(id, resolve);
  try {
    await tell({ type: 'gather', id });
    return await promise;
  } finally {
    clearTimeout(timer);
    gathering.delete(id);
  }
}

/** Resolves when it is sent, or when there is nobody to hear it. */
function tell(message: FromProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (process.connected) process.send!(message, undefined, undefined, () => resolve());
  else resolve();
  return promise;
}
