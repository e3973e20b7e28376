import { median, saveResult, table } from '../report.ts';
import { Baseline } from './baseline.ts';
import { firstLine, output, script, System, type SystemOptions } from './system.ts';

const ROUNDS = 3;
const WARM_UP_MS = 4_000;
const MEASURE_MS = 6_000;
/** Deliveries on their way at once in the closed loop: enough to keep every part busy, few enough to fit a node's memory. */
const WINDOW = 2_000;
const MANY = { batch: 100, connections: 8 };
const SINGLE = { batch: 1, connections: 256 };

/** The goals, as parts of the ceiling of the same run. */
const GOALS: Record<string, number> = {
  'PostgreSQL, fan-out 1': 0.3,
  'PostgreSQL, fan-out 5': 0.55,
  'embedded, fan-out 1': 0.2,
};
const MIN_TIMES_BULLMQ = 3;

const PRODUCT: Record<
  string,
  { readonly options: SystemOptions; readonly load: { readonly batch: number; readonly connections: number } }
> = {
  'PostgreSQL, fan-out 1': { options: { database: 'postgres', nodes: 1, fanOut: 1 }, load: MANY },
  'PostgreSQL, fan-out 1, one event a call': { options: { database: 'postgres', nodes: 1, fanOut: 1 }, load: SINGLE },
  'PostgreSQL, fan-out 1, two nodes': { options: { database: 'postgres', nodes: 2, fanOut: 1 }, load: MANY },
  'PostgreSQL, fan-out 5': { options: { database: 'postgres', nodes: 1, fanOut: 5 }, load: MANY },
  'embedded, fan-out 1': { options: { database: 'embedded', nodes: 1, fanOut: 1 }, load: MANY },
  'embedded, fan-out 5': { options: { database: 'embedded', nodes: 1, fanOut: 5 }, load: MANY },
};
const BASELINES = ['bullmq', 'graphile-worker'] as const;
const CEILINGS = [
  { senders: 1, connections: 64 },
  { senders: 2, connections: 32 },
] as const;

/** Deliveries a second: the ceiling, the whole product, and what a team would write instead. */
export async function benchThroughput(): Promise<boolean> {
  console.log(
    `\nthroughput: ${ROUNDS} rounds, fresh processes, alternating, ${MEASURE_MS / 1000} s each after ${WARM_UP_MS / 1000} s of warm-up\n`,
  );
  const available = await Baseline.prepare(BASELINES);
  const raw: Record<string, number[]> = {};
  const cpu: Record<string, object[]> = {};
  const note = (name: string, perSecond: number) => (raw[name] ??= []).push(Math.round(perSecond));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { connections, senders } of CEILINGS)
      note(`ceiling, ${senders} sender${senders > 1 ? 's' : ''}`, await ceiling(senders, connections));
    for (const [name, { load, options }] of Object.entries(PRODUCT)) {
      const system = await System.start(options);
      try {
        const result = await system.load({ ...load, window: WINDOW, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS });
        await system.checkRecorded(result.published);
        note(name, result.deliveredPerSecond);
        (cpu[name] ??= []).push(result.cpu);
      } finally {
        await system.stop();
      }
    }
    for (const name of available) {
      const baseline = await Baseline.start(name, 1);
      try {
        note(name, (await baseline.load({ ...MANY, window: WINDOW, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS })).deliveredPerSecond);
      } finally {
        await baseline.stop();
      }
    }
  }
  const top = Math.max(...CEILINGS.map(({ senders }) => median(raw[`ceiling, ${senders} sender${senders > 1 ? 's' : ''}`]!)));
  const rows = Object.entries(raw).map(([name, values]) => ({
    what: name,
    'deliveries/s': Math.round(median(values)),
    'of the ceiling': Number((median(values) / top).toFixed(2)),
    goal: String(GOALS[name] ?? ''),
    rounds: values.join(' '),
  }));
  table(rows);
  saveResult('throughput', {
    warm_up_ms: WARM_UP_MS,
    measure_ms: MEASURE_MS,
    window: WINDOW,
    raw,
    cpu_microseconds_per_delivery: cpu,
    summary: rows,
  });
  const bullmq = raw.bullmq;
  const beats = bullmq === undefined || median(raw['PostgreSQL, fan-out 1']!) >= MIN_TIMES_BULLMQ * median(bullmq);
  return beats && rows.every((row) => row['of the ceiling'] >= Number(row.goal));
}

export async function ceiling(senders: number, connections: number): Promise<number> {
  const receiver = script('receiver.ts');
  try {
    const origin = `http://127.0.0.1:${await firstLine(receiver)}`;
    const run = (ms: number) =>
      Promise.all(
        Array.from({ length: senders }, () =>
          output<{ answered: number; ms: number }>('ceiling.ts', [origin, String(ms), String(connections)]),
        ),
      );
    const results = await run(WARM_UP_MS + MEASURE_MS);
    return results.reduce((sum, { answered, ms }) => sum + (answered / ms) * 1000, 0);
  } finally {
    receiver.kill();
  }
}
