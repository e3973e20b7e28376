/** What can be done to a run, each switchable: `--without clock,disk`. */
export const FAULTS = {
  kill: 'SIGKILL of a node',
  suspend: 'SIGSTOP of a node for up to 18 seconds, then SIGCONT',
  restart: 'SIGTERM of a node, then a new start',
  network: 'the way between nodes and database delays, is cut, or swallows silently',
  crash: 'the database crashes and recovers',
  promotion: 'the database is lost, and its synchronous standby is promoted',
  disk: 'the disk of the database is full',
  clock: 'the clocks of the nodes are hours apart and jump',
  names: 'the name server stalls for some names',
  receivers: 'receivers stall, reset, fail with codes, are slow, and recover',
  tenants: 'tenants create, pause, disable, delete and rotate endpoints, send again, replay, and shorten retention',
  snapshot: 'a report holds a snapshot of the database open',
  expired: 'deliveries older than the history wait at a paused endpoint, which is resumed',
} as const;
export type Fault = keyof typeof FAULTS;

export interface ChaosOptions {
  readonly seed: number;
  /** How long things are done to it. */
  readonly minutes: number;
  /** Beyond its minutes the run takes so long at most, everything included; two minutes when absent. A machine that is busy needs more. */
  readonly afterMs?: number;
  readonly without?: readonly Fault[];
  /** A defect that the nodes are given, see `plants.ts`. */
  readonly plant?: string | undefined;
  readonly nodes?: number;
  /** What every retry delay is multiplied by. */
  readonly retryDelayScale?: number;
  /** Told what happens, line by line. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Reads `--seed 7 --minutes 10 --without clock,disk --plant no-fence`. Throws with a sentence for people. */
export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const values: Record<string, string> = {};
  for (let n = 0; n < args.length; n += 2) {
    const name = args[n]!.replace(/^--/, '');
    if (!['seed', 'minutes', 'without', 'plant', 'nodes'].includes(name) || args[n + 1] === undefined)
      throw new Error(`chaos takes --seed N --minutes M --without ${Object.keys(FAULTS).join(',')} --nodes N --plant NAME, not ${args[n]}`);
    values[name] = args[n + 1]!;
  }
  const number = (name: string, otherwise: number) => {
    const value = Number(values[name] ?? otherwise);
    if (!(value > 0)) throw new Error(`--${name} must be a number above 0`);
    return value;
  };
  const without = (values.without ?? '').split(',').filter((name) => name !== '');
  const unknown = without.find((name) => !(name in FAULTS));
  if (unknown !== undefined) throw new Error(`There is no fault ${unknown}; there are ${Object.keys(FAULTS).join(', ')}.`);
  return {
    seed: number('seed', 1),
    minutes: number('minutes', 1),
    nodes: number('nodes', 3),
    without: without as Fault[],
    plant: values.plant,
  };
}
