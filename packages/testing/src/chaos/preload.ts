// Loaded into every node before anything else (`--import`): a clock that the run shifts, the run's name server, planted defects.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { plantDefect } from './plants.ts';

/** How often the offset is read: a jump is noticed within this time. */
const CLOCK_POLL_MS = 100;

const { CHAOS_CLOCK_FILE, CHAOS_NAME_SERVER, CHAOS_PLANT } = process.env;
if (CHAOS_CLOCK_FILE !== undefined) shiftClock(CHAOS_CLOCK_FILE);
if (CHAOS_NAME_SERVER !== undefined) useNameServer(CHAOS_NAME_SERVER);
if (CHAOS_PLANT !== undefined && isMainThread) plantDefect(CHAOS_PLANT);

/** Makes the system's time what it is plus the milliseconds in a file, which may change at any moment. */
function shiftClock(file: string): void {
  const realNow = Date.now;
  let offset = 0;
  const read = () => {
    offset = Number(readFileSync(file, 'utf8'));
  };
  read();
  setInterval(() => {
    try {
      read();
    } catch {
      // the runner is clearing up
    }
  }, CLOCK_POLL_MS).unref();
  const shifted = () => realNow() + offset;
  Date.now = shifted;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: unknown[], newTarget) => Reflect.construct(target, args.length === 0 ? [shifted()] : args, newTarget) as Date,
    apply: () => new Date(shifted()).toString(),
  });
}

/** Every resolver of this process asks this server. */
function useNameServer(server: string): void {
  const { Resolver } = dns.promises;
  dns.promises.Resolver = class extends Resolver {
    constructor(options?: dns.ResolverOptions) {
      super(options);
      this.setServers([server]);
    }
  };
  syncBuiltinESMExports(); // for those who import it by its name
}
