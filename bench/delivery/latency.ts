import { saveResult, table } from '../report.ts';
import type { LoadResult } from './load.ts';
import { System } from './system.ts';

const WARM_UP_MS = 4_000;
const MEASURE_MS = 12_000;
const CONNECTIONS = 128;
const SHARES = [0.5, 0.8, 0.9];
const KINDS = ['postgres', 'embedded'] as const;
/** A rate is held when for so long nothing is refused and the slowest hundredth of the calls stays below the second. */
const HOLD_MS = 30_000;
const HELD_P99_MS = 250;
/** The sweep goes up in such steps, from this part of what a closed loop reaches, and ends at the first rate that is not held. */
const STEP = 1.1;
const START = 0.5;

type Load = { window: number } | { rate: number };

/**
 * How long a publish takes, and how long until the event is at the receiver, at parts of the highest rate that one node
 * holds. All but the closed loop are open loops: calls come when they are due, whatever the answers take.
 */
export async function benchLatency(): Promise<boolean> {
  console.log('\nlatency: one event a call, fan-out 1, at 50, 80 and 90 % of the highest rate that is held (open loop)\n');
  const rows: Record<string, string | number>[] = [];
  const raw: Record<string, LoadResult> = {};
  for (const database of KINDS) {
    const run = async (load: Load, measureMs: number) => {
      const system = await System.start({ database, nodes: 1, fanOut: 1 });
      try {
        return await system.load({ batch: 1, connections: CONNECTIONS, warmUpMs: WARM_UP_MS, measureMs, ...load });
      } finally {
        await system.stop();
      }
    };
    const saturation = await sweep((load, measureMs) => run(load, measureMs));
    console.log(`${database}: holds ${Math.round(saturation)} events a second`);
    for (const share of SHARES) {
      const result = await run({ rate: saturation * share }, MEASURE_MS);
      raw[`${database} ${share}`] = result;
      const { deliveredPerSecond, deliveryMs, publishMs, refused } = result;
      rows.push({
        database,
        load: `${share * 100} %`,
        'events/s': Math.round(deliveredPerSecond),
        refused,
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
  saveResult('latency', { warm_up_ms: WARM_UP_MS, measure_ms: MEASURE_MS, hold_ms: HOLD_MS, held_p99_ms: HELD_P99_MS, raw });
  return true;
}

/** The highest rate that is held; 0 when not even the first one is. */
async function sweep(run: (load: Load, measureMs: number) => Promise<LoadResult>): Promise<number> {
  const { deliveredPerSecond } = await run({ window: 2_000 }, MEASURE_MS);
  let held = 0;
  for (let rate = deliveredPerSecond * START; ; rate *= STEP) {
    // What cannot keep up at all may not even drain: that is an answer too.
    const result = await run({ rate }, HOLD_MS).catch(() => null);
    if (result === null || result.refused > 0 || result.publishMs.p99 >= HELD_P99_MS || result.publishedPerSecond < 0.99 * rate)
      return held;
    held = rate;
  }
}
