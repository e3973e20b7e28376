import { Alarm, type AttemptReport, type Clock, type Database, type Log } from '@dialhook/engine';
import { BUCKETS, bucketOf, percentile } from './histogram.ts';
import { addHours, countUploads, loadHours, sweepHours, type EndpointHour } from './store/endpoint-hours.ts';

const HOUR = 3_600_000;
/** How often a node writes down what it counted. A node that is killed forgets this much of the charts, and nothing else. */
const FLUSH_INTERVAL_MS = 3_000;

export interface Health {
  readonly endpointId: string;
  readonly delivered: number;
  readonly failed: number;
  readonly p95Ms: number | null;
  /** Oldest first. */
  readonly hourly: readonly { readonly delivered: number; readonly failed: number }[];
}

export interface HourBucket {
  readonly at: Date;
  readonly delivered: number;
  readonly failed: number;
  readonly exhausted: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** Counts attempts for the panel's charts: in memory on the hot path, in the database every few seconds. */
export class Statistics {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  #counts = new Map<string, { -readonly [Key in keyof EndpointHour]: EndpointHour[Key] } & { latencies: number[] }>();

  constructor(options: { readonly database: Database; readonly clock: Clock; readonly log: Log }) {
    this.#database = options.database;
    this.#clock = options.clock;
    const work = async () => {
      await this.#flush().catch((error: unknown) =>
        options.log.warn({ err: error }, 'statistics could not be written, will be tried again'),
      );
      return false;
    };
    this.#alarm = new Alarm({ clock: options.clock, intervalMs: FLUSH_INTERVAL_MS, work });
  }

  start(): void {
    this.#alarm.start();
  }

  async stop(): Promise<void> {
    await this.#alarm.stop();
    await this.#flush().catch(() => {}); // only charts miss it
  }

  attempted({ durationMs, endpoint, organization, outcome, startedAt }: AttemptReport): void {
    const hour = Math.floor(startedAt / HOUR) * HOUR;
    const key = `${endpoint}${hour}`;
    let entry = this.#counts.get(key);
    if (entry === undefined) {
      const latencies = Array.from({ length: BUCKETS }, () => 0);
      entry = {
        organizationId: organization,
        endpointId: endpoint,
        hour: new Date(hour),
        delivered: 0,
        failed: 0,
        exhausted: 0,
        latencies,
      };
      this.#counts.set(key, entry);
    }
    if (outcome === 'delivered') entry.delivered += 1;
    else if (outcome === 'retry') entry.failed += 1;
    else entry.exhausted += 1;
    entry.latencies[bucketOf(durationMs)]! += 1;
  }

  /** Of an organization's endpoints that were sent to in the last 24 hours. */
  async health(organizationId: string): Promise<Health[]> {
    const first = this.#hours(24)[0]!;
    const byEndpoint = Map.groupBy(await loadHours(this.#database.reads, organizationId, first), ({ endpointId }) => endpointId);
    return [...byEndpoint].map(([endpointId, hours]) => {
      const at = new Map(hours.map((one) => [one.hour.getTime(), one]));
      return {
        endpointId,
        delivered: sum(hours, 'delivered'),
        failed: sum(hours, 'failed') + sum(hours, 'exhausted'),
        p95Ms: percentile(added(hours), 0.95),
        hourly: this.#hours(24).map((hour) => {
          const one = at.get(hour.getTime());
          return { delivered: one?.delivered ?? 0, failed: (one?.failed ?? 0) + (one?.exhausted ?? 0) };
        }),
      };
    });
  }

  /** Attempts of an organization hour by hour, oldest first. */
  async hourly(organizationId: string, count: number): Promise<HourBucket[]> {
    const hours = this.#hours(count);
    const rows = Map.groupBy(await loadHours(this.#database.reads, organizationId, hours[0]!), ({ hour }) => hour.getTime());
    return hours.map((at) => {
      const of = rows.get(at.getTime()) ?? [];
      const latencies = added(of);
      return {
        at,
        delivered: sum(of, 'delivered'),
        failed: sum(of, 'failed'),
        exhausted: sum(of, 'exhausted'),
        p50Ms: percentile(latencies, 0.5),
        p95Ms: percentile(latencies, 0.95),
        p99Ms: percentile(latencies, 0.99),
      };
    });
  }

  /** Lists hour by hour, oldest first. */
  async uploads(organizationId: string, count: number): Promise<{ at: Date; count: number }[]> {
    const hours = this.#hours(count);
    const counts = await countUploads(this.#database.reads, organizationId, hours[0]!);
    return hours.map((at) => ({ at, count: counts.get(at.getTime()) ?? 0 }));
  }

  async sweep(now: number, days: number): Promise<void> {
    await sweepHours(this.#database.upkeep, new Date(now - days * 24 * HOUR));
  }

  /** The last so many hours, oldest first; the one that is not over yet is the last. */
  #hours(count: number): Date[] {
    const last = Math.floor(this.#clock.now() / HOUR) * HOUR;
    return Array.from({ length: count }, (_, index) => new Date(last - (count - 1 - index) * HOUR));
  }

  async #flush(): Promise<void> {
    const counted = this.#counts;
    if (counted.size === 0) return;
    this.#counts = new Map();
    try {
      await addHours(this.#database, [...counted.values()]);
    } catch (error) {
      // Kept for the next time, unless more has come for the same hour; charts forgive that.
      for (const [key, entry] of counted) if (!this.#counts.has(key)) this.#counts.set(key, entry);
      throw error;
    }
  }
}

function sum(rows: readonly EndpointHour[], field: 'delivered' | 'failed' | 'exhausted'): number {
  return rows.reduce((total, row) => total + row[field], 0);
}

function added(rows: readonly EndpointHour[]): number[] {
  return Array.from({ length: BUCKETS }, (_, index) => rows.reduce((total, { latencies }) => total + (latencies[index] ?? 0), 0));
}
