import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { check, type Verdict } from './checker.ts';
import { Cluster, urlOf, withClient } from './cluster.ts';
import { Faults } from './faults.ts';
import { NameServer } from './name-server.ts';
import { ChaosNode, type UnaskedEnd } from './node.ts';
import type { ChaosOptions, Fault } from './options.ts';
import { DatabaseProxy } from './proxy.ts';
import { Publishers } from './publishers.ts';
import { Random } from './random.ts';
import { Reaper } from './reaper.ts';
import { addressOf, Receivers } from './receivers.ts';
import { countUnfinished, insertExpired, readState } from './store/state.ts';
import { ORGANIZATIONS, Tenants } from './tenants.ts';
import { now, sleep, Troubles } from './troubles.ts';
import { World, type ChaosEndpoint } from './world.ts';

/** Of the runs' two cores most is left to the nodes; correctness is what is looked at, not speed. */
const EVENTS_PER_SECOND = 60;
/** Three days of retries in two minutes: some are always still to come when everything is killed at the end. */
const RETRY_DELAY_SCALE = 0.0005;
const NODES = 3;
/** Beyond its minutes a run takes so long at most, everything included. */
const AFTER_MS = 120_000;
/** What of that is left for draining after the faults: leases that nobody holds end within 70 s, and what they held is sent. */
const DRAIN_MS = 80_000;
/** And for checking and clearing up in the end. */
const CHECK_MS = 10_000;
/** For a node to start; as long as the run has time, since a busy machine is no defect. */
const START_MS = 120_000;
/** How many deliveries are older than the history, and by how many days. */
const EXPIRED = { count: 500, days: 45, slug: 'past' };
/** When the endpoint that they wait for is resumed, as a part of the run. */
const RESUME_AT = 0.4;
/** The most that documented actions may have ended, as a part of all deliveries. */
const MAX_EXCUSED = 0.02;
const DRAIN_POLL_MS = 250;

export interface ChaosReport {
  readonly seed: number;
  readonly minutes: number;
  readonly without: readonly Fault[];
  readonly plant: string | null;
  /** All is explained, and no more was excused than may be. */
  readonly good: boolean;
  readonly faults: Readonly<Record<string, number>>;
  readonly events: { readonly published: number; readonly accepted: number; readonly refused: number; readonly unknown: number };
  readonly answers: Readonly<Record<string, number>>;
  readonly withoutRetryAfter: number;
  readonly requests: number;
  readonly verdict: Verdict;
  /** Nodes that ended by themselves although the database was there. */
  readonly unaskedEnds: readonly UnaskedEnd[];
  readonly secondsToDrain: number;
  /** False when the run's time was up before everything was done: then what is unexplained may only be late. */
  readonly isDrained: boolean;
  readonly seconds: number;
}

/** A run from the first process to the last: everything that it started is gone when it resolves. */
export async function chaosRun(options: ChaosOptions): Promise<ChaosReport> {
  const began = now();
  const reaper = new Reaper();
  const closing: (() => Promise<unknown>)[] = [];
  try {
    return await run(options, began, reaper, closing);
  } finally {
    for (const close of closing.toReversed()) await close().catch(() => {});
    await reaper.finish();
  }
}

async function run(options: ChaosOptions, began: number, reaper: Reaper, closing: (() => Promise<unknown>)[]): Promise<ChaosReport> {
  const { minutes, onLine = () => {}, plant, retryDelayScale = RETRY_DELAY_SCALE, seed } = options;
  const count = options.nodes ?? NODES;
  const without = new Set(options.without);
  const line = (text: string) => onLine(`${((now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  const troubles = new Troubles();
  const world = new World();
  const stalledNames = new Set<string>();

  const cluster = await Cluster.start(reaper);
  closing.push(() => cluster.stop());
  const receivers = await Receivers.start(count);
  closing.push(() => receivers.stop());
  const folder = mkdtempSync(join(tmpdir(), 'dialhook-chaos-data-'));
  reaper.made(folder);
  const token = randomBytes(16).toString('hex');
  const secretKey = randomBytes(32).toString('hex');
  const proxies: DatabaseProxy[] = [];
  const nodes: ChaosNode[] = [];
  const clocks = new Random(seed, 'first clocks');
  for (let index = 0; index < count; index++) {
    const proxy = await DatabaseProxy.start(() => cluster.port);
    const names = await NameServer.start(addressOf(index), stalledNames);
    closing.push(
      () => proxy.stop(),
      () => names.stop(),
    );
    const port = await freePort();
    const env = {
      PORT: String(port),
      DATABASE_URL: urlOf(proxy.port),
      DIALHOOK_DATA_DIR: folder,
      DIALHOOK_OPERATOR_TOKEN: token,
      DIALHOOK_SECRET_KEY: secretKey,
      DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
      DIALHOOK_RETRY_DELAY_SCALE: String(retryDelayScale),
      DIALHOOK_LOG_LEVEL: process.env.CHAOS_LOG_LEVEL ?? 'error',
      NODE_COMPILE_CACHE: join(folder, 'compiled'), // nodes are started often
      CHAOS_NAME_SERVER: `127.0.0.1:${names.port}`,
      ...(plant !== undefined && { CHAOS_PLANT: plant }),
    };
    const node = new ChaosNode({ index, port, env, clockFile: join(folder, `clock-${index}`), reaper, troubles });
    node.setClock(without.has('clock') ? 0 : clocks.between(-9, 9) * 3_600_000);
    closing.push(() => node.close());
    proxies.push(proxy);
    nodes.push(node);
  }
  // One after the other: the first one makes the tables.
  for (const node of nodes) {
    node.start();
    if (!(await node.ready(START_MS))) throw new Error(`Node ${node.index} did not start. ${node.ends[0]?.output ?? ''}`);
  }
  const tenants = new Tenants({ world, nodes, token, seed, port: receivers.port });
  await tenants.setUp();
  const past = without.has('expired') ? null : await tenants.setUpPaused(EXPIRED.slug);
  if (past !== null) await withClient(cluster.url, (client) => insertExpired(client, past.id!, EXPIRED.count, EXPIRED.days));
  if (!without.has('promotion')) await cluster.addStandby();
  line('all is set up');
  const last = began + minutes * 60_000 + (options.afterMs ?? AFTER_MS) - CHECK_MS;
  const end = Math.min(now() + minutes * 60_000, last - DRAIN_MS);
  if (end <= now()) throw new Error(`The machine is too busy for this run: it took ${seconds(now() - began)} s to set everything up.`);

  const publishers = new Publishers({
    nodes,
    token,
    organizations: ORGANIZATIONS,
    random: new Random(seed, 'publishers'),
    eventsPerSecond: EVENTS_PER_SECOND,
  });
  const faults = new Faults({ seed, without, cluster, nodes, proxies, receivers, stalledNames, troubles, world, onLine: line });
  tenants.run(!without.has('tenants'));
  faults.run();
  if (past !== null) {
    await sleep(Math.max(0, (end - now()) * RESUME_AT));
    await resumePast(tenants, past);
    line('the endpoint with deliveries older than the history is resumed');
  }
  await sleep(Math.max(0, end - now()));
  const drainBegan = now();
  await Promise.all([faults.stop(), publishers.stop()]);
  line('the faults have ended');
  if (past?.isPaused) await resumePast(tenants, past);
  await tenants.stop();
  const isDrained = await drain(cluster, tenants, last);
  const secondsToDrain = seconds(now() - drainBegan);
  line(isDrained ? 'drained' : 'the time is up before everything is done');

  const state = await withClient(cluster.url, readState);
  const { actions, endpoints } = world;
  const { requests } = receivers;
  const { answers, events, withoutRetryAfter } = publishers;
  const verdict = check({ events, endpoints, actions, requests, troubles: troubles.list, state, retryDelayScale });
  const unaskedEnds = nodes.flatMap(({ ends }) => ends).filter(({ databaseAway }) => !databaseAway);
  const excused = Object.values(verdict.excused).reduce((sum, entry) => sum + entry.count, 0) - (verdict.excused.event_expired?.count ?? 0);
  const outcomes = (outcome: string) => events.filter((event) => event.outcome === outcome).length;
  return {
    seed,
    minutes,
    without: [...without],
    plant: plant ?? null,
    good: verdict.unexplained.length === 0 && unaskedEnds.length === 0 && excused <= MAX_EXCUSED * verdict.deliveries,
    faults: faults.counts,
    events: { published: events.length, accepted: outcomes('accepted'), refused: outcomes('refused'), unknown: outcomes('unknown') },
    answers: Object.fromEntries(answers),
    withoutRetryAfter,
    requests: requests.length,
    verdict,
    unaskedEnds,
    secondsToDrain,
    isDrained,
    seconds: seconds(now() - began),
  };
}

async function resumePast(tenants: Tenants, past: ChaosEndpoint): Promise<void> {
  tenants.note('expire', past, past.organization);
  await tenants.setPaused(past, false);
}

/** True when every endpoint is on and nothing is unfinished, false when the time is up before. */
async function drain(cluster: Cluster, tenants: Tenants, deadline: number): Promise<boolean> {
  while (now() < deadline) {
    await cluster.mend();
    const allOn = await tenants.switchAllOn(); // the last failures may have switched one off
    const unfinished = await withClient(cluster.url, countUnfinished).catch(() => Infinity);
    if (allOn && unfinished === 0) return true;
    await sleep(DRAIN_POLL_MS);
  }
  return false;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
