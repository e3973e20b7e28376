// `npm run bench -- <name>`: each benchmark is a folder or file beside this one; bench/README.md has the method.
import { benchCampaigns } from './campaigns.ts';
import { benchChaos } from './chaos.ts';
import { benchForeign } from './delivery/foreign.ts';
import { benchGrowth } from './delivery/growth.ts';
import { benchIsolation } from './delivery/isolation.ts';
import { benchLatency } from './delivery/latency.ts';
import { benchSoak } from './delivery/soak.ts';
import { benchThroughput } from './delivery/throughput.ts';
import { benchDials } from './dials.ts';
import { benchIdle } from './idle.ts';
import { benchKill } from './kill.ts';
import { benchPanel } from './panel.ts';
import { benchLists } from './lists/bench.ts';

const BENCHES: Record<string, () => Promise<boolean>> = {
  throughput: benchThroughput,
  foreign: benchForeign,
  latency: benchLatency,
  isolation: benchIsolation,
  growth: benchGrowth,
  dials: benchDials,
  campaigns: benchCampaigns,
  idle: benchIdle,
  lists: benchLists,
  panel: benchPanel,
  kill: benchKill,
  soak: benchSoak,
};

// A run of faults has arguments of its own, and is not part of a measurement.
if (process.argv[2] === 'chaos') process.exit((await benchChaos(process.argv.slice(3))) ? 0 : 1);

const names = process.argv.slice(2);
const unknown = names.find((name) => !(name in BENCHES));
if (unknown !== undefined) {
  console.error(`There is no benchmark ${unknown}; there are ${[...Object.keys(BENCHES), 'chaos'].join(', ')}.`);
  process.exit(2);
}
let good = true;
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) good = (await BENCHES[name]!()) && good;
process.exit(good ? 0 : 1);
