import { DIALECTS, LONGEST_HOLD_MS, type DialectFacts } from './dialects.ts';
import { explainRequests, type RepeatCause } from './repeats.ts';
import type { PublishedEvent } from './publishers.ts';
import type { ReceivedRequest } from './receivers.ts';
import type { State, StoredDelivery } from './store/state.ts';
import type { Trouble } from './troubles.ts';
import { subscribedDuring, takesType, type Action, type ChaosEndpoint } from './world.ts';

export interface Evidence {
  readonly events: readonly PublishedEvent[];
  readonly endpoints: readonly ChaosEndpoint[];
  readonly actions: readonly Action[];
  readonly requests: readonly ReceivedRequest[];
  readonly troubles: readonly Trouble[];
  readonly state: State;
  /** What retry delays were multiplied by. */
  readonly retryDelayScale: number;
}

export interface Verdict {
  /** Pairs of an accepted event and an endpoint that was subscribed for sure. */
  readonly expected: number;
  /** Deliveries that exist, of accepted events and of others. */
  readonly deliveries: number;
  readonly delivered: number;
  readonly givenUp: number;
  readonly waiting: number;
  /** Deliveries that a documented action ended, by action, with the times of the first ones. */
  readonly excused: Record<string, { count: number; atMs: number[] }>;
  /** Answered with 2xx and sent again, by what was the matter with the node that got the answer. */
  readonly repeats: Partial<Record<RepeatCause, number>>;
  /** Refused with the word that nothing was stored, and stored all the same. */
  readonly refusedButStored: number;
  /** What nothing explains. Empty in a good run. */
  readonly unexplained: string[];
}

/** Documented ends of a delivery, and what a tenant must have done for each. */
export const EXCUSES: Readonly<Record<string, readonly Action['kind'][]>> = {
  endpoint_deleted: ['delete'],
  endpoint_disabled: ['disable', 'enable'],
  event_expired: ['expire'],
};
/** Of each excuse so many times are named. */
const NAMED_TIMES = 20;
/** How much later than planned a delivery may be due: rounding, and the clock that the plan was made with. */
const DUE_SLACK_MS = 5_000;

/** How much earlier than planned an attempt may come: clocks that are corrected over a slow network. */
const EARLY_SLACK_MS = 1_500;

/** Says of everything that was accepted what became of it, from the receivers' own log and the database. */
export function check(evidence: Evidence): Verdict {
  const { endpoints, events, state } = evidence;
  const unexplained: string[] = [];
  const judge = new Judge(evidence, unexplained);
  const byPair = new Map<string, StoredDelivery[]>();
  for (const delivery of state.deliveries) {
    const pair = `${delivery.eventId} ${delivery.endpointId}`;
    const rows = byPair.get(pair);
    if (rows === undefined) byPair.set(pair, [delivery]);
    else rows.push(delivery);
  }
  let expected = 0;
  let refusedButStored = 0;
  for (const event of events) {
    const id = state.events.get(event.name);
    if (event.outcome === 'refused' && id !== undefined) refusedButStored += 1;
    if (event.outcome !== 'accepted') continue;
    if (id !== event.id) {
      unexplained.push(`event ${event.name} (${event.id}): accepted, and ${id === undefined ? 'not stored' : `stored as ${id}`}`);
      continue;
    }
    for (const endpoint of endpoints) {
      if (endpoint.organization !== event.organization || !takesType(endpoint, event.type) || endpoint.id === null) continue;
      const subscribed = subscribedDuring(endpoint, event.sentAt, event.answeredAt);
      const rows = byPair.get(`${id} ${endpoint.id}`) ?? [];
      if (subscribed === 'yes') expected += 1;
      const where = `event ${event.name}, endpoint ${endpoint.key} (${endpoint.dialect})`;
      if (subscribed === 'yes' && rows.length === 0) unexplained.push(`${where}: subscribed, and no delivery exists`);
      if (subscribed === 'no' && rows.length > 0) unexplained.push(`${where}: not subscribed, and a delivery exists`);
      const wanted = judge.mostDeliveries(endpoint, id);
      if (rows.length > wanted) unexplained.push(`${where}: ${rows.length} deliveries, and ${wanted} at most were asked for`);
    }
  }
  for (const delivery of state.deliveries) judge.delivery(delivery);
  const { repeats, unexplained: requests } = explainRequests(evidence);
  unexplained.push(...requests);
  return { expected, ...judge.sums, repeats, refusedButStored, unexplained };
}

/** Judges single deliveries. */
class Judge {
  readonly sums = { deliveries: 0, delivered: 0, givenUp: 0, waiting: 0, excused: {} as Verdict['excused'] };
  readonly #evidence: Evidence;
  readonly #unexplained: string[];
  readonly #endpoints: Map<string, ChaosEndpoint>;
  readonly #names: Map<string, string>;
  /** When an event was published, by its name. */
  readonly #sentAt: Map<string, number>;
  /** By the body of their answer. */
  readonly #requests: Map<string, ReceivedRequest>;

  constructor(evidence: Evidence, unexplained: string[]) {
    this.#evidence = evidence;
    this.#unexplained = unexplained;
    this.#endpoints = new Map(evidence.endpoints.flatMap((endpoint) => (endpoint.id === null ? [] : [[endpoint.id, endpoint]])));
    this.#requests = new Map(evidence.requests.map((request) => [`r${request.id}`, request]));
    this.#names = new Map([...evidence.state.events].map(([name, id]) => [id, name]));
    this.#sentAt = new Map(evidence.events.map(({ name, sentAt }) => [name, sentAt]));
  }

  /** How many deliveries of this event to this endpoint its tenant's wishes may have made: a replay sends again also what was sent again. */
  mostDeliveries(endpoint: ChaosEndpoint, eventId: string): number {
    let most = 1;
    for (const action of this.#evidence.actions) {
      if (action.endpoint !== endpoint) continue;
      if (action.kind === 'replay') most *= 2;
      if (action.kind === 'resend' && action.eventId === eventId) most += 1;
    }
    return most;
  }

  delivery(delivery: StoredDelivery): void {
    const endpoint = this.#endpoints.get(delivery.endpointId);
    if (endpoint === undefined) {
      this.#unexplained.push(`delivery ${delivery.id}: of an endpoint ${delivery.endpointId} that nobody made`);
      return;
    }
    this.sums.deliveries += 1;
    const wrong = this.#judge(delivery, endpoint, DIALECTS[endpoint.dialect]);
    if (wrong === null) return;
    const { attemptCount, error, id, status } = delivery;
    const event = this.#names.get(delivery.eventId) ?? delivery.eventId;
    this.#unexplained.push(
      `delivery ${id} of ${event} to ${endpoint.key} (${endpoint.dialect}), ${status} after ${attemptCount} (${error ?? 'no error'}): ${wrong}`,
    );
  }

  /** Null when all is well. */
  #judge(delivery: StoredDelivery, endpoint: ChaosEndpoint, dialect: DialectFacts): string | null {
    const { attemptCount, attempts, dueInMs, error, status } = delivery;
    const lie = this.#lie(delivery, endpoint) ?? this.#early(delivery, endpoint, dialect);
    if (lie !== null) return lie;
    const last = attempts.at(-1);
    if (status === 'delivered') {
      this.sums.delivered += 1;
      if (last === undefined || last.status === null || last.status < 200 || last.status > 299) return 'its last attempt got no 2xx';
      return attempts.length === attemptCount ? null : `${attempts.length} attempts are logged`;
    }
    if (status === 'exhausted') {
      const actions = EXCUSES[error ?? ''];
      if (actions !== undefined) return this.#excuse(delivery, actions, endpoint, dialect);
      this.sums.givenUp += 1;
      if (attempts.length !== attemptCount) return `${attempts.length} attempts are logged`;
      if (dialect.goneEnds && last?.status === 410) return null;
      const wanted = dialect.delaysMs.length + 1;
      return attemptCount === wanted ? null : `given up before ${wanted} attempts were made`;
    }
    this.sums.waiting += 1;
    if (status === 'in_flight') return dueInMs < 0 ? 'its lease ended long ago' : 'still leased';
    if (attempts.length !== attemptCount) return `${attempts.length} attempts are logged`;
    if (endpoint.isDeleted) return 'its endpoint is deleted';
    if (endpoint.isPaused || !endpoint.changes.at(-1)!.isActive) return null;
    if (dueInMs < 0) return `due for ${Math.round(-dueInMs)} ms`;
    const longest =
      Math.max(Math.max(...dialect.delaysMs) * (1 + dialect.jitter) * this.#evidence.retryDelayScale, LONGEST_HOLD_MS) + DUE_SLACK_MS;
    return dueInMs > longest ? `due only in ${Math.round(dueInMs)} ms` : null;
  }

  /** An attempt in the log that the receiver knows nothing of. */
  #lie({ attempts, eventId }: StoredDelivery, endpoint: ChaosEndpoint): string | null {
    for (const { body, number, status } of attempts) {
      if (status === null) continue;
      const request = this.#requests.get(body ?? '');
      if (request === undefined) return `attempt ${number} has an answer ${status} that no receiver gave`;
      if (request.endpoint !== endpoint.key || request.event !== this.#names.get(eventId))
        return `attempt ${number} has the answer of another request`;
      if (request.status !== status) return `attempt ${number} has ${status}, and the receiver answered ${request.status}`;
    }
    return null;
  }

  /** An attempt that was made long before its time, on the receivers' clock. Nobody knows of those without an answer. */
  #early({ attempts, eventId }: StoredDelivery, endpoint: ChaosEndpoint, { delaysMs, jitter }: DialectFacts): string | null {
    const { actions, retryDelayScale } = this.#evidence;
    // One that waits is brought forward when it is sent again.
    if (actions.some((action) => action.endpoint === endpoint && action.kind === 'resend' && action.eventId === eventId)) return null;
    for (const { body, number } of attempts) {
      const [before, request] = [attempts.find((one) => one.number === number - 1)?.body, body].map((one) => this.#requests.get(one ?? ''));
      const delayMs = delaysMs[number - 2];
      if (before?.answeredAt == null || request === undefined || delayMs === undefined) continue;
      const waitedMs = request.arrivedAt - before.answeredAt;
      if (waitedMs < delayMs * (1 - jitter) * retryDelayScale - EARLY_SLACK_MS)
        return `attempt ${number} came after ${Math.round(waitedMs)} ms`;
    }
    return null;
  }

  #excuse(delivery: StoredDelivery, actions: readonly Action['kind'][], endpoint: ChaosEndpoint, dialect: DialectFacts): string | null {
    const error = delivery.error!;
    if (error === 'endpoint_disabled' && !dialect.dropsWhenDisabled) return 'its dialect keeps what waits for an endpoint that is off';
    const action = this.#evidence.actions.findLast((one) => one.endpoint === endpoint && actions.includes(one.kind));
    if (action === undefined) return `nobody did anything that ends it`;
    const sentAt = this.#sentAt.get(this.#names.get(delivery.eventId) ?? '');
    if (sentAt !== undefined && endpoint.changes.every(({ to }) => to < sentAt))
      return 'nobody did anything that ends it since it was published';
    const entry = (this.sums.excused[error] ??= { count: 0, atMs: [] });
    entry.count += 1;
    const at = Math.round(action.at);
    if (!entry.atMs.includes(at) && entry.atMs.length < NAMED_TIMES) entry.atMs.push(at);
    return null;
  }
}
