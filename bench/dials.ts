import { saveResult, table } from './report.ts';
import { System } from './delivery/system.ts';

const COMPANIES = 5;
const RATE = 5_000;
const CONNECTIONS = 128;
const TIMES = { warmUpMs: 5_000, measureMs: 15_000 };
/** The goals. */
const MIN_MEAN_BATCH = 50;
const MAX_P95_MS = 1_500;
const MIN_OF_PUBLISH = 0.8;

/** Dials at a steady rate from POST to webhook; and the intake alone beside the engine's publishing alone. */
export async function benchDials(): Promise<boolean> {
  console.log(`\ndials: ${RATE} a second from ${COMPANIES} companies, one webhook each; then intake and publishing alone\n`);
  const steady = await withSystem({ database: 'postgres', nodes: 1, fanOut: 1, organizations: COMPANIES, dials: true }, (system) =>
    system.load({ batch: 1, connections: CONNECTIONS, rate: RATE, ...TIMES }),
  );
  const alone = (dials: boolean) =>
    withSystem({ database: 'postgres', nodes: 1, fanOut: 0, organizations: COMPANIES, dials, role: 'api' }, (system) =>
      system.load({ batch: 1, connections: CONNECTIONS, window: 1, ...TIMES }),
    );
  const intake = (await alone(true)).publishedPerSecond;
  const publish = (await alone(false)).publishedPerSecond;
  const ratio = intake / publish;
  table([
    { what: 'dials a second, delivered', value: Math.round(steady.deliveredPerSecond), goal: RATE },
    { what: 'mean batch', value: steady.meanBatch.toFixed(1), goal: `>= ${MIN_MEAN_BATCH}` },
    { what: 'POSTed to webhook p50, ms', value: steady.deliveryMs.p50, goal: '' },
    { what: 'POSTed to webhook p95, ms', value: steady.deliveryMs.p95, goal: `<= ${MAX_P95_MS}` },
    { what: 'intake alone, dials a second', value: Math.round(intake), goal: '' },
    { what: 'publishing alone, events a second', value: Math.round(publish), goal: '' },
    { what: 'intake of publishing', value: ratio.toFixed(2), goal: `>= ${MIN_OF_PUBLISH}` },
  ]);
  saveResult('dials', { rate: RATE, companies: COMPANIES, steady, intake, publish, ratio });
  return steady.meanBatch >= MIN_MEAN_BATCH && steady.deliveryMs.p95 <= MAX_P95_MS && ratio >= MIN_OF_PUBLISH;
}

async function withSystem<T>(options: Parameters<typeof System.start>[0], work: (system: System) => Promise<T>): Promise<T> {
  const system = await System.start(options);
  try {
    return await work(system);
  } finally {
    await system.stop();
  }
}
