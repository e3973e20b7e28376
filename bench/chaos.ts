import { chaosRun, parseChaosOptions, summarize } from '@dialhook/testing';
import { saveResult } from './report.ts';

/** Beyond the faults' time a run may take so long, everything included. */
const AFTER_MS = 120_000;

/** A run of faults by seed, and a checker that must explain everything. True when it does. */
export async function benchChaos(args: readonly string[]): Promise<boolean> {
  const options = parseChaosOptions(args);
  const guard = setTimeout(
    () => {
      console.error(`\nchaos: the run with seed ${options.seed} did not end in time`);
      process.exit(1); // what was started is cleared away by the process that watches over it
    },
    options.minutes * 60_000 + AFTER_MS,
  );
  console.log(`\nchaos: seed ${options.seed}, ${options.minutes} minutes\n`);
  const report = await chaosRun({ ...options, onLine: (line) => console.log(line) });
  clearTimeout(guard);
  console.log(`\n${summarize(report)}`);
  saveResult(`chaos-${options.seed}${options.plant === undefined ? '' : `-${options.plant}`}`, { report });
  return report.good;
}
