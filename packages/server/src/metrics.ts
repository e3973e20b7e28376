import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AttemptReport, Backlog, Clock, Engine, HotStatement, Observer } from '@dialhook/engine';

/** Seconds; from a receiver next door to the longest timeout. */
const ATTEMPT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];
const STATEMENT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const REQUEST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];
/** Counting what waits reads the queue: scrapes that come faster get the last answer. */
const BACKLOG_AGE_MS = 5_000;
/** The longer the queue, the longer it takes: an answer lasts so many times as long as it took to find. */
const BACKLOG_AGE_FACTOR = 20;

/** Metrics with their values at one moment, as `Registry.getMetricsAsJSON` gives them: plain data for another process. */
export type Snapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

export interface Measurements {
  /** What is added up over the processes of a machine, or as the metric's aggregator says. */
  readonly own: Snapshot;
  /** What every process says the same of: the database and the other nodes. Empty when it was not asked for. */
  readonly common: Snapshot;
}

/** The sum of what several processes measure. */
export async function addUp(snapshots: readonly Snapshot[]): Promise<Snapshot> {
  return AggregatorRegistry.aggregate([...snapshots]).getMetricsAsJSON();
}

/** What stays true of a process when it has ended: its counts. A total that fell would look like new counts to Prometheus. */
export function lastingPart(snapshot: Snapshot): Snapshot {
  // The types of prom-client have an enumeration here, and its values are these words.
  return snapshot.filter(({ type }) => ['counter', 'histogram'].includes(type as unknown as string));
}

/**
 * What Prometheus may know. Labels have a closed set of values: none names an organization or an endpoint, so that the
 * number of series does not grow with the number of customers.
 */
export class Metrics implements Observer {
  readonly #registry = new Registry();
  readonly #common = new Registry();
  readonly #gather: (() => Promise<Snapshot[]>) | undefined;
  readonly #attempts = new Counter({
    name: 'dialhook_attempts_total',
    help: 'Attempts by what followed from them.',
    labelNames: ['dialect', 'outcome'],
    registers: [this.#registry],
  });
  readonly #failures = new Counter({
    name: 'dialhook_attempt_failures_total',
    help: 'Failed attempts by reason: a code of docs/errors.md, or the class of the answer.',
    labelNames: ['reason'],
    registers: [this.#registry],
  });
  readonly #attemptSeconds = new Histogram({
    name: 'dialhook_attempt_duration_seconds',
    help: 'From the start of an attempt to its complete answer.',
    labelNames: ['outcome'],
    buckets: ATTEMPT_BUCKETS,
    registers: [this.#registry],
  });
  readonly #delaySeconds = new Histogram({
    name: 'dialhook_first_attempt_delay_seconds',
    help: 'From the publishing of an event to the start of its first attempt.',
    buckets: ATTEMPT_BUCKETS,
    registers: [this.#registry],
  });
  readonly #statementSeconds = new Histogram({
    name: 'dialhook_statement_duration_seconds',
    help: 'Statements of the hot path, from the wait for a connection to the commit.',
    labelNames: ['statement'],
    buckets: STATEMENT_BUCKETS,
    registers: [this.#registry],
  });
  readonly #statementRows = new Counter({
    name: 'dialhook_statement_rows_total',
    help: 'Events published, deliveries claimed, results recorded.',
    labelNames: ['statement'],
    registers: [this.#registry],
  });
  readonly #requestSeconds = new Histogram({
    name: 'dialhook_http_request_duration_seconds',
    help: 'Calls of the HTTP surfaces, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS,
    registers: [this.#registry],
  });

  /** `gather`: what each process of the machine measures, this one among them; undefined when there is no other. */
  constructor(gather?: () => Promise<Snapshot[]>) {
    this.#gather = gather;
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Adds what is read when somebody asks. */
  watch(engine: Engine, clock: Clock): void {
    let backlog: Backlog | null = null;
    let nextAt = -Infinity;
    let isReading = false;
    /** The last answer, at once: nobody waits, and whoever asks often makes no more work. None yet, or none lately: no value. */
    const last = (pick: (known: Backlog) => number): number => {
      const began = clock.monotonic();
      if (!isReading && began > nextAt) {
        isReading = true;
        const known = (value: Backlog | null) => {
          backlog = value;
          nextAt = clock.monotonic() + Math.max(BACKLOG_AGE_MS, BACKLOG_AGE_FACTOR * (clock.monotonic() - began));
          isReading = false;
        };
        engine.backlog().then(known, () => known(null));
      }
      return backlog === null ? Number.NaN : pick(backlog);
    };
    const own = (name: string, help: string, read: () => number) => this.#gauge(this.#registry, name, help, read);
    own('dialhook_requests_in_flight', 'Requests to endpoints that wait for an answer.', () => engine.activity.inFlight);
    own('dialhook_leases_held', 'Deliveries that this node has taken over.', () => engine.activity.held);
    own('dialhook_inbox_events', 'Events that wait for their group commit.', () => engine.activity.inboxEvents);
    own('dialhook_processes', 'Server processes of this machine.', () => 1);
    const common = (name: string, help: string, read: () => number) => this.#gauge(this.#common, name, help, read);
    common('dialhook_sending_nodes', 'Nodes that send, as this node sees them.', () => engine.activity.nodes);
    common('dialhook_deliveries_due', 'Deliveries of all nodes that could be sent now.', () => last(({ due }) => due));
    common('dialhook_deliveries_pending', 'Deliveries of all nodes that wait, retries included.', () => last(({ pending }) => pending));
    common('dialhook_oldest_due_seconds', 'How long the oldest due delivery has been due.', () =>
      last(({ oldestDueMs }) => oldestDueMs / 1000),
    );
  }

  attempted({ age, attempt, dialect, durationMs, error, outcome }: AttemptReport): void {
    this.#attempts.inc({ dialect, outcome });
    this.#attemptSeconds.observe({ outcome }, durationMs / 1000);
    if (error !== null) this.#failures.inc({ reason: reasonOf(error) });
    if (attempt === 1) this.#delaySeconds.observe(age / 1000);
  }

  executed(statement: HotStatement, rows: number, durationMs: number): void {
    this.#statementSeconds.observe({ statement }, durationMs / 1000);
    this.#statementRows.inc({ statement }, rows);
  }

  answered(method: string, route: string, status: number, durationMs: number): void {
    this.#requestSeconds.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, durationMs / 1000);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Of this process, or of all processes of the machine, whichever answers. */
  async text(): Promise<string> {
    if (this.#gather !== undefined) return AggregatorRegistry.aggregate(await this.#gather()).metrics();
    return (await this.#registry.metrics()) + (await this.#common.metrics());
  }

  /** Of this process alone. Only one of several is asked for what they have in common: reading it costs the database something. */
  async measure(withCommon: boolean): Promise<Measurements> {
    return { own: await this.#registry.getMetricsAsJSON(), common: withCommon ? await this.#common.getMetricsAsJSON() : [] };
  }

  #gauge(registry: Registry, name: string, help: string, read: () => number | Promise<number>): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      async collect() {
        // While the database is away the other metrics are wanted most: this one has no value then.
        this.set(await Promise.resolve(read()).catch(() => Number.NaN));
      },
    });
    registry.registerMetric(gauge);
  }
}

/** `HTTP 503` becomes `http_5xx`: one series for each class. */
function reasonOf(error: string): string {
  return error.startsWith('HTTP ') ? `http_${error.charAt('HTTP '.length)}xx` : error;
}
