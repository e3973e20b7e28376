import { median, saveResult, table } from '../report.ts';
import { System } from './system.ts';

const ENDPOINTS = 100;
const ROUNDS = 3;
const WARM_UP_MS = 6_000;
const MEASURE_MS = 10_000;
/** Events a second to each endpoint: half of what the node can do with all of them well. */
const RATE_EACH = 40;
const CASES = [
  { bad: 0, kind: 'ok' },
  { bad: 1, kind: 'hole' },
  { bad: 10, kind: 'hole' },
  { bad: 10, kind: 'fail' },
  { bad: 10, kind: 'slow' },
] as const;
const MIN_RATE = 0.9;
/** p99 may be this many times the p99 without bad ones: 1 / 0.9. */
const MAX_P99 = 1 / 0.9;

/** A hundred endpoints at a steady rate: what bad ones among them do to the others. */
export async function benchIsolation(): Promise<boolean> {
  console.log(
    `\nisolation: ${ENDPOINTS} endpoints, ${RATE_EACH} events a second each; some never answer, fail at once, or answer after 9 s\n`,
  );
  const raw: { what: string; perSecond: number; p50: number; p99: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const { bad, kind } of CASES) {
      const system = await System.start({
        database: 'postgres',
        nodes: 1,
        fanOut: 1,
        organizations: ENDPOINTS,
        endpointPath: (_n, organization) => `/${organization < bad ? kind : 'ok'}/${organization}`,
      });
      try {
        const good = system.organizations.slice(bad);
        const result = await system.load({
          batch: 1,
          connections: 64,
          warmUpMs: WARM_UP_MS,
          measureMs: MEASURE_MS,
          rate: RATE_EACH * ENDPOINTS,
          // Those that never arrive cannot be waited for.
          expected: good.length / ENDPOINTS,
        });
        raw.push({
          what: bad === 0 ? 'none' : `${bad} × ${kind}`,
          perSecond: result.deliveredPerSecond / good.length,
          p50: result.deliveryMs.p50,
          p99: result.deliveryMs.p99,
        });
      } finally {
        await system.stop();
      }
    }
  }
  const of = (what: string, key: 'perSecond' | 'p50' | 'p99') => median(raw.filter((run) => run.what === what).map((run) => run[key]));
  const rows = [...new Set(raw.map(({ what }) => what))].map((what) => ({
    'bad ones': what,
    'events/s to each good one': Number(of(what, 'perSecond').toFixed(1)),
    rate: Number((of(what, 'perSecond') / of('none', 'perSecond')).toFixed(2)),
    'p50, ms': of(what, 'p50'),
    'p99, ms': of(what, 'p99'),
    'p99 ratio': Number((of(what, 'p99') / of('none', 'p99')).toFixed(2)),
  }));
  table(rows);
  saveResult('isolation', { endpoints: ENDPOINTS, rate_each: RATE_EACH, raw, summary: rows });
  const holes = rows.find((row) => row['bad ones'] === '10 × hole')!;
  return holes.rate >= MIN_RATE && holes['p99 ratio'] <= MAX_P99;
}
