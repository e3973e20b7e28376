import { setTimeout as wait } from 'node:timers/promises';
import { residentMb } from './delivery/soak.ts';
import { System } from './delivery/system.ts';
import { median, saveResult, table } from './report.ts';

const ROUNDS = 3;
/** After a start: the works that come once a minute, and what is compiled late. */
const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
/** The goals: of a core, and resident memory of the node in MB (null: none). */
const GOALS = { postgres: { share: 0.005, mb: null }, embedded: { share: 0.01, mb: 280 } } as const;

/** What a node costs that has nothing to do: its processor time (not the time of the clock, so a busy machine changes little) and memory. */
export async function benchIdle(): Promise<boolean> {
  console.log('\nidle: one node, nothing to do\n');
  const rounds: { database: keyof typeof GOALS; nodeShare: number; databaseShare: number; mb: number }[] = [];
  for (let round = 0; round < ROUNDS; round++)
    for (const database of ['postgres', 'embedded'] as const) rounds.push(await measure(database));
  const middle = (database: string, what: 'nodeShare' | 'databaseShare' | 'mb') =>
    median(rounds.filter((one) => one.database === database).map((one) => one[what]));
  const databases = ['postgres', 'embedded'] as const;
  table(
    databases.map((database) => ({
      database,
      'node, % of a core': (middle(database, 'nodeShare') * 100).toFixed(2),
      'PostgreSQL, % of a core': database === 'postgres' ? (middle(database, 'databaseShare') * 100).toFixed(2) : '',
      'memory of the node, MB': middle(database, 'mb').toFixed(0),
    })),
  );
  saveResult('idle', { rounds });
  return databases.every(
    (database) => middle(database, 'nodeShare') <= GOALS[database].share && middle(database, 'mb') <= (GOALS[database].mb ?? Infinity),
  );
}

async function measure(database: keyof typeof GOALS) {
  const system = await System.start({ database, nodes: 1, fanOut: 1 });
  try {
    await wait(SETTLE_MS);
    const [began, all, node] = [performance.now(), system.cpuMs(), system.nodeCpuMs()];
    await wait(IDLE_MS);
    const [ms, nodeMs] = [performance.now() - began, system.nodeCpuMs() - node];
    return {
      database,
      nodeShare: nodeMs / ms,
      databaseShare: (system.cpuMs() - all - nodeMs) / ms,
      mb: residentMb(system.nodes[0]!.pid),
    };
  } finally {
    await system.stop();
  }
}
