import { median, saveResult, table } from '../report.ts';
import { System } from './system.ts';

/** Endpoints that answer well, each of an organization of its own; the bad ones come on top. */
const GOOD = 100;
const ROUNDS = 3;
const WARM_UP_MS = 6_000;
const MEASURE_MS = 10_000;
/** Of what the node can do with all of them well: what the good ones get together. */
const SHARE = 0.5;
/** A bad one gets a tenth of that, so that hundreds of them do not make another load. */
const GOOD_TURNS = 10;
const CASES = [
  { bad: 0, kind: 'ok' },
  { bad: 16, kind: 'hole' },
  { bad: 32, kind: 'hole' },
  { bad: 100, kind: 'hole' },
  { bad: 500, kind: 'hole' },
  { bad: 10, kind: 'fail' },
  { bad: 10, kind: 'slow' },
] as const;
const MIN_RATE = 0.9;
/** p99 may be this many times the p99 without bad ones, or this many milliseconds if that is more. */
const MAX_P99_RATIO = 4;
const MAX_P99_MS = 100;

interface Case {
  readonly bad: number;
  readonly kind: 'ok' | 'hole' | 'fail' | 'slow';
}

/** Events a second that the node takes and delivers when nothing is held back, one a call. */
export async function measureCapacity(warmUpMs: number, measureMs: number): Promise<number> {
  const system = await System.start({ database: 'postgres', nodes: 1, fanOut: 1, organizations: GOOD });
  try {
    return (await system.load({ batch: 1, connections: 64, window: 2_000, warmUpMs, measureMs })).deliveredPerSecond;
  } finally {
    await system.stop();
  }
}

/** One run with so many bad endpoints, from a fresh start. Rates are those of one good endpoint. */
export async function measureIsolation({ bad, kind }: Case, rateEach: number, warmUpMs: number, measureMs: number) {
  const system = await System.start({
    database: 'postgres',
    nodes: 1,
    fanOut: 1,
    organizations: GOOD + bad,
    endpointPath: (_n, organization) => `/${organization < bad ? kind : 'ok'}/${organization}`,
  });
  try {
    const holes = system.organizations.slice(0, bad);
    const good = system.organizations.slice(bad);
    // Good ones come ten times, and between two of their rounds a tenth of the bad ones.
    const turns = Array.from({ length: GOOD_TURNS }, (_, turn) => [...good, ...holes.filter((_hole, n) => n % GOOD_TURNS === turn)]).flat();
    system.organizations.splice(0, system.organizations.length, ...turns);
    const result = await system.load({
      batch: 1,
      connections: 64,
      warmUpMs,
      measureMs,
      rate: rateEach * (GOOD + bad / GOOD_TURNS),
      // Those that never arrive cannot be waited for.
      expected: (GOOD * GOOD_TURNS) / turns.length,
    });
    return { perSecond: result.deliveredPerSecond / GOOD, p50: result.deliveryMs.p50, p99: result.deliveryMs.p99 };
  } finally {
    await system.stop();
  }
}

/** A hundred endpoints at a steady rate: what bad ones beside them do to them. */
export async function benchIsolation(): Promise<boolean> {
  const rateEach = Math.floor(((await measureCapacity(WARM_UP_MS, MEASURE_MS)) * SHARE) / GOOD);
  console.log(
    `\nisolation: ${GOOD} endpoints, ${rateEach} events a second each; beside them some that never answer, fail at once, or answer after 9 s\n`,
  );
  const raw: { what: string; perSecond: number; p50: number; p99: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const { bad, kind } of CASES) {
      const what = bad === 0 ? 'none' : `${bad} × ${kind}`;
      raw.push({ what, ...(await measureIsolation({ bad, kind }, rateEach, WARM_UP_MS, MEASURE_MS)) });
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
  saveResult('isolation', { endpoints: GOOD, rate_each: rateEach, raw, summary: rows });
  const mayTake = Math.max(MAX_P99_MS, MAX_P99_RATIO * of('none', 'p99'));
  return rows.every((row) => row.rate >= MIN_RATE && row['p99, ms'] <= mayTake);
}
