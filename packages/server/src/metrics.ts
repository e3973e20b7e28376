import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AttemptReport, Backlog, Clock, Engine, HotStatement, Observer } from '@dialhook/engine';

/** Seconds; from a receiver next door to the longest timeout. */
const ATTEMPT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];
const STATEMENT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const REQUEST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];
/** Counting what waits reads the queue: scrapes that come faster get the last answer. */
const BACKLOG_AGE_MS = 5_000;

/**
 * What Prometheus may know. Labels have a closed set of values: none names an organization or an endpoint, so that the
 * number of series does not grow with the number of customers.
 */
export class Metrics implements Observer {
  readonly #registry = new Registry();
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

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Adds what is read when somebody asks. */
  watch(engine: Engine, clock: Clock): void {
    let backlog: Backlog | null = null;
    let readAt = -Infinity;
    let isReading = false;
    /** The last answer, at once: nobody waits, and whoever asks often makes no more work. None yet, or none lately: no value. */
    const last = (pick: (known: Backlog) => number): number => {
      if (!isReading && clock.monotonic() - readAt > BACKLOG_AGE_MS) {
        isReading = true;
        const known = (value: Backlog | null) => {
          backlog = value;
          readAt = clock.monotonic();
          isReading = false;
        };
        engine.backlog().then(known, () => known(null));
      }
      return backlog === null ? Number.NaN : pick(backlog);
    };
    this.#gauge('dialhook_requests_in_flight', 'Requests to endpoints that wait for an answer.', () => engine.activity.inFlight);
    this.#gauge('dialhook_leases_held', 'Deliveries that this node has taken over.', () => engine.activity.held);
    this.#gauge('dialhook_inbox_events', 'Events that wait for their group commit.', () => engine.activity.inboxEvents);
    this.#gauge('dialhook_sending_nodes', 'Nodes that send, as this node sees them.', () => engine.activity.nodes);
    this.#gauge('dialhook_deliveries_due', 'Deliveries of all nodes that could be sent now.', () => last(({ due }) => due));
    this.#gauge('dialhook_deliveries_pending', 'Deliveries of all nodes that wait, retries included.', () =>
      last(({ pending }) => pending),
    );
    this.#gauge('dialhook_oldest_due_seconds', 'How long the oldest due delivery has been due.', () =>
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

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      async collect() {
        // While the database is away the other metrics are wanted most: this one has no value then.
        this.set(await Promise.resolve(read()).catch(() => Number.NaN));
      },
    });
    this.#registry.registerMetric(gauge);
  }
}

/** `HTTP 503` becomes `http_5xx`: one series for each class. */
function reasonOf(error: string): string {
  return error.startsWith('HTTP ') ? `http_${error.charAt('HTTP '.length)}xx` : error;
}
