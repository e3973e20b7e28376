import type { Cluster } from './cluster.ts';
import { withClient } from './cluster.ts';
import { ZONE } from './name-server.ts';
import type { ChaosNode } from './node.ts';
import type { Fault } from './options.ts';
import type { DatabaseProxy } from './proxy.ts';
import { Random } from './random.ts';
import { BEHAVIOURS, type Receivers } from './receivers.ts';
import { now, sleep, type Trouble, type Troubles } from './troubles.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;
/** How far a clock may be off, either way. */
const CLOCK_HOURS = 9;
/** A connection that lost something is given up by the node within this time, or it counts as the node's own fault. */
const DEAD_CONNECTION_MS = 45_000;
const SNAPSHOT_RETRY_MS = 1_000;
const POLL_MS = 50;

/** How long the way to the database is disturbed. Answers are lost for as long as a claim may take. */
const DURATIONS_MS = {
  cut: (random: Random) => random.pick([0, 0, random.between(100, 4_000)]),
  loseAnswers: (random: Random) => random.between(50, 1_500),
  swallow: (random: Random) => random.between(1_000, 14_000),
};

export interface FaultsOptions {
  readonly seed: number;
  readonly without: ReadonlySet<Fault>;
  readonly cluster: Cluster;
  readonly nodes: readonly ChaosNode[];
  readonly proxies: readonly DatabaseProxy[];
  readonly receivers: Receivers;
  readonly stalledNames: Set<string>;
  readonly troubles: Troubles;
  readonly world: World;
  readonly onLine: (line: string) => void;
}

/** Does everything that can go wrong, at random by the seed, until it is told to stop. Then all is mended. */
export class Faults {
  readonly counts: Record<string, number> = {};
  readonly #options: FaultsOptions;
  #work: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  run(): void {
    const loops: readonly [readonly Fault[], string, (random: Random) => Promise<void>][] = [
      [['kill', 'suspend', 'restart'], 'processes', (random) => this.#processes(random)],
      [['network'], 'network', (random) => this.#network(random)],
      [['crash', 'promotion', 'disk'], 'database', (random) => this.#database(random)],
      [['clock'], 'clock', (random) => this.#clocks(random)],
      [['names'], 'names', (random) => this.#names(random)],
      [['receivers'], 'receivers', (random) => this.#receivers(random)],
      [['snapshot'], 'snapshot', () => this.#snapshot()],
    ];
    const { seed, without } = this.#options;
    this.#work = Promise.all(
      loops.filter(([faults]) => faults.some((fault) => !without.has(fault))).map(([, name, loop]) => loop(new Random(seed, name))),
    );
  }

  /** Ends every fault and mends what is broken; clocks stay as they are. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#work;
  }

  get #has(): (fault: Fault) => boolean {
    return (fault) => !this.#options.without.has(fault);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    this.#options.onLine(what);
  }

  /** Sleeps, but not beyond the end of the run. */
  async #wait(ms: number): Promise<void> {
    const end = now() + ms;
    while (!this.#over && now() < end) await sleep(Math.min(POLL_MS, end - now()));
  }

  /** The weights of the faults that are switched on. */
  #weights<T extends Fault>(weights: Readonly<Record<T, number>>): Record<T, number> {
    const on = Object.entries(weights).filter(([fault]) => this.#has(fault as Fault));
    return Object.fromEntries(on) as Record<T, number>;
  }

  async #processes(random: Random): Promise<void> {
    const busy = new Map<ChaosNode, Promise<void>>();
    const weights = this.#weights({ kill: 20, suspend: 4, restart: 2 });
    while (!this.#over) {
      await this.#wait(random.between(1_000, 4_000));
      let node = await this.#victim(random, busy);
      while (node === null && !this.#over) {
        await this.#wait(POLL_MS);
        node = await this.#victim(random, busy);
      }
      if (node === null) break;
      const kind = random.weighted(weights);
      this.#count(kind);
      // Half of the time long enough to be taken for dead.
      const work =
        kind === 'kill'
          ? node.kill()
          : kind === 'restart'
            ? node.restart()
            : node.suspend(random.chance(0.5) ? random.between(11_000, 18_000) : random.between(200, 5_000));
      busy.set(
        node,
        work.finally(() => busy.delete(node)),
      );
    }
    await Promise.all(busy.values());
    // In the end all at once, as when the power is lost: nobody is left who knows what is due when.
    if (!this.#has('kill')) return;
    for (const node of this.#options.nodes) {
      this.#count('kill');
      await node.kill();
    }
  }

  /** One that is at work, while another is too: a run in which nobody is ever at work shows nothing. */
  async #victim(random: Random, busy: ReadonlyMap<ChaosNode, unknown>): Promise<ChaosNode | null> {
    const free = this.#options.nodes.filter((node) => !busy.has(node));
    const ready = await Promise.all(free.map((node) => node.isReady()));
    const atWork = free.filter((_node, index) => ready[index]);
    const enough = Math.min(2, this.#options.nodes.length);
    return atWork.length >= enough ? random.pick(atWork) : null;
  }

  async #network(random: Random): Promise<void> {
    const { proxies, troubles } = this.#options;
    while (!this.#over) {
      await this.#wait(random.between(3_000, 10_000));
      const node = random.chance(0.25) ? ('all' as const) : random.below(proxies.length);
      const chosen = node === 'all' ? proxies : [proxies[node]!];
      const kind = random.weighted({ delay: 2, cut: 2, loseAnswers: 3, swallow: 2 });
      this.#count(kind);
      if (kind === 'delay') {
        for (const proxy of chosen) proxy.delay(random.between(20, 250));
        await this.#wait(random.between(1_000, 5_000));
        for (const proxy of chosen) proxy.mend();
        continue;
      }
      const trouble = troubles.begin(node, 'database');
      for (const proxy of chosen) proxy[kind]();
      await this.#wait(DURATIONS_MS[kind](random));
      for (const proxy of chosen) proxy.mend();
      if (kind === 'swallow') void this.#untilGivenUp(trouble, chosen);
      else trouble.end = now();
    }
  }

  /** The trouble lasts until the node has given up the connections that lost something. */
  async #untilGivenUp(trouble: Trouble, proxies: readonly DatabaseProxy[]): Promise<void> {
    const deadline = now() + DEAD_CONNECTION_MS;
    while (now() < deadline && proxies.some((proxy) => proxy.deadConnections > 0)) await sleep(POLL_MS);
    trouble.end = now();
  }

  async #database(random: Random): Promise<void> {
    const { cluster, troubles } = this.#options;
    const weights = this.#weights({ crash: 2, promotion: 2, disk: 2 });
    while (!this.#over) {
      await this.#wait(random.between(10_000, 35_000));
      if (this.#over) break;
      const kind = random.weighted(weights);
      if (kind === 'promotion' && !cluster.hasStandby) continue;
      if (kind === 'disk' && !cluster.hasDisk) continue;
      this.#count(kind);
      const trouble = troubles.begin('all', 'database');
      if (kind === 'crash') await cluster.crash(random.pick([0, random.between(500, 8_000)]));
      else if (kind === 'promotion') await cluster.promote();
      else await cluster.fillDisk(random.between(1_000, 6_000));
      trouble.end = now();
      if (kind === 'promotion') await this.#newStandby();
    }
    await cluster.mend();
  }

  async #newStandby(): Promise<void> {
    for (let tries = 0; tries < 3 && !this.#over; tries++) {
      try {
        await this.#options.cluster.addStandby();
        return;
      } catch (error) {
        this.#options.onLine(`a standby could not be made: ${(error as Error).message}`);
      }
    }
  }

  async #clocks(random: Random): Promise<void> {
    const { nodes } = this.#options;
    while (!this.#over) {
      await this.#wait(random.between(3_000, 12_000));
      this.#count('clock');
      random.pick(nodes).setClock(random.between(-CLOCK_HOURS, CLOCK_HOURS) * HOUR_MS);
    }
  }

  async #names(random: Random): Promise<void> {
    const { stalledNames, world } = this.#options;
    while (!this.#over) {
      await this.#wait(random.between(3_000, 10_000));
      this.#count('names');
      for (let n = 0; n < 1 + random.below(3); n++) stalledNames.add(`${random.pick(world.endpoints).key}.${ZONE}`);
      await this.#wait(random.between(2_000, 12_000));
      stalledNames.clear();
    }
  }

  async #receivers(random: Random): Promise<void> {
    const { receivers, world } = this.#options;
    const episodes = new Set<Promise<void>>();
    receivers.random = () => random.next();
    while (!this.#over) {
      await this.#wait(random.between(200, 1_200));
      const { key } = random.pick(world.endpoints);
      if (receivers.behaviours.has(key)) continue;
      const behaviour = random.weighted({ ok: 0, fail: 4, busy: 2, slow: 6, stall: 3, reset: 3, half: 1, gone: 0.3 } satisfies Record<
        (typeof BEHAVIOURS)[number],
        number
      >);
      this.#count(`receiver ${behaviour}`);
      receivers.behaviours.set(key, behaviour);
      const episode = this.#wait(behaviour === 'gone' ? 500 : random.between(1_000, 15_000)).then(
        () => void receivers.behaviours.delete(key),
      );
      episodes.add(episode);
      void episode.finally(() => episodes.delete(episode));
    }
    await Promise.all(episodes);
    receivers.recover();
  }

  /** A report that reads for as long as the run goes on: what was deleted since cannot be cleared away. */
  async #snapshot(): Promise<void> {
    while (!this.#over) {
      try {
        await withClient(this.#options.cluster.url, async (client) => {
          await client.query('begin isolation level repeatable read, read only');
          await client.query('select count(*) from pg_class');
          this.#count('snapshot');
          let lost = false;
          client.once('end', () => (lost = true));
          while (!this.#over && !lost) await this.#wait(SNAPSHOT_RETRY_MS);
        });
      } catch {
        // the database is away: the report is asked for again
      }
      await this.#wait(SNAPSHOT_RETRY_MS);
    }
  }
}
