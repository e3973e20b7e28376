import { saveResult, table } from '../report.ts';
import type { LoadResult } from './load.ts';
import { System } from './system.ts';

const WARM_UP_MS = 4_000;
const MEASURE_MS = 8_000;
const CONNECTIONS = 128;
const SHARES = [0.5, 0.9];
const KINDS = ['postgres', 'embedded'] as const;

/** How long a publish takes, and how long until the event is at the receiver, at parts of what one node can do at most. */
export async function benchLatency(): Promise<boolean> {
  console.log('\nlatency: one event a call, fan-out 1, at 50 % and 90 % of saturation (open loop: calls come when they are due)\n');
  const rows: Record<string, string | number>[] = [];
  const raw: Record<string, LoadResult> = {};
  for (const database of KINDS) {
    const run = async (load: { window: number } | { rate: number }) => {
      const system = await System.start({ database, nodes: 1, fanOut: 1 });
      try {
        return await system.load({ batch: 1, connections: CONNECTIONS, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS, ...load });
      } finally {
        await system.stop();
      }
    };
    const saturation = (await run({ window: 2_000 })).deliveredPerSecond;
    for (const share of SHARES) {
      const result = await run({ rate: saturation * share });
      raw[`${database} ${share}`] = result;
      const { deliveredPerSecond, deliveryMs, publishMs } = result;
      rows.push({
        database,
        load: `${share * 100} %`,
        'events/s': Math.round(deliveredPerSecond),
        'publish p50, ms': publishMs.p50,
        p95: publishMs.p95,
        p99: publishMs.p99,
        'to receiver p50, ms': deliveryMs.p50,
        'p95 ': deliveryMs.p95,
        'p99 ': deliveryMs.p99,
      });
    }
  }
  table(rows);
  saveResult('latency', { warm_up_ms: WARM_UP_MS, measure_ms: MEASURE_MS, raw });
  return true;
}
