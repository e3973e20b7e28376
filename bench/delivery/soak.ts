import { readFileSync } from 'node:fs';
import { saveResult, table } from '../report.ts';
import { System } from './system.ts';

const MINUTES = 10;
const SETTLE_MINUTES = 2;
const SHARE = 0.7;
const SAMPLE_MS = 5_000;
/** What memory may differ by between the minutes after the second and the last ones. */
const MAX_GROWTH = 0.1;
const LOAD = { batch: 10, connections: 16 };

/** Ten minutes at 70 % of what the node can do: memory must stay where it is. */
export async function benchSoak(): Promise<boolean> {
  console.log(`\nsoak: ${MINUTES} minutes at ${SHARE * 100} % of saturation\n`);
  const first = await System.start({ database: 'postgres', nodes: 1, fanOut: 1 });
  const saturation = await first.load({ ...LOAD, window: 2_000, warmUpMs: 4_000, measureMs: 8_000 });
  await first.stop();
  const system = await System.start({ database: 'postgres', nodes: 1, fanOut: 1 });
  const samples: { second: number; mb: number }[] = [];
  const began = performance.now();
  const pid = system.nodes[0]!.pid;
  const timer = setInterval(() => samples.push({ second: Math.round((performance.now() - began) / 1000), mb: residentMb(pid) }), SAMPLE_MS);
  try {
    const rate = (saturation.deliveredPerSecond * SHARE) / LOAD.batch;
    const result = await system.load({ ...LOAD, rate, warmUpMs: 0, measureMs: MINUTES * 60_000 });
    clearInterval(timer);
    await system.checkRecorded(result.published);
    const mean = (from: number, to: number) => {
      const within = samples.filter(({ second }) => second >= from * 60 && second < to * 60);
      return within.reduce((sum, { mb }) => sum + mb, 0) / within.length;
    };
    const early = mean(SETTLE_MINUTES, SETTLE_MINUTES + 2);
    const late = mean(MINUTES - 2, MINUTES);
    const rows = [
      {
        'deliveries/s': Math.round(result.deliveredPerSecond),
        delivered: result.published,
        'memory in minutes 3 and 4, MB': Math.round(early),
        'in the last two, MB': Math.round(late),
        growth: `${((late / early - 1) * 100).toFixed(1)} %`,
        'to receiver p99, ms': result.deliveryMs.p99,
      },
    ];
    table(rows);
    saveResult('soak', { minutes: MINUTES, saturation: saturation.deliveredPerSecond, result, samples });
    return late / early - 1 <= MAX_GROWTH;
  } finally {
    clearInterval(timer);
    await system.stop();
  }
}

export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
