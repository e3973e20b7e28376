import { EXCUSES, type Evidence } from './checker.ts';
import type { ReceivedRequest } from './receivers.ts';
import type { StoredDelivery } from './store/state.ts';
import { concerns, type Trouble, type TroubleKind } from './troubles.ts';

/** What was the matter, and whether the answer was under way or only its record was missing. */
export type RepeatCause =
  `${TroubleKind}: in flight` | `${TroubleKind}: answered, not yet recorded` | 'timed out at the sender' | 'ended by a tenant meanwhile';

/**
 * Results are recorded in the order of the answers, more or less: one answered so much later shows that this one was due. A node that
 * got no time for as long finds all answers at once, and reads them in any order.
 */
const ORDER_MS = 5_000;
/** How long after its answer a result may be unrecorded when nothing shows that it was due, on a machine that is slow. */
const RECORD_MS = 15_000;
/** How long after the end of a trouble a node may still start something on what it knew before. */
const AFTER_MS = 2_000;

/** The attempts in the log, and the requests that were really made, of one delivery, or of all for one event and endpoint. */
interface Group {
  readonly requests: ReceivedRequest[];
  /** Recorded attempts without an answer, which name no request. */
  unanswered: number;
  exists: boolean;
  /** A tenant ended it, perhaps while it was in flight: that answer is not recorded any more. */
  wasEnded: boolean;
}

/**
 * Every request that a receiver got is either an attempt in the log, or something was the matter with its node: then the
 * delivery was sent again. A dialect that names the delivery is held to each one, the others to each pair of event
 * and endpoint.
 */
export function explainRequests({ endpoints, requests, state, troubles }: Evidence): {
  repeats: Partial<Record<RepeatCause, number>>;
  unexplained: string[];
} {
  const recorded = new Set<number>();
  const groups = new Map<string, Group>();
  const group = (key: string): Group => {
    let found = groups.get(key);
    if (found === undefined) groups.set(key, (found = { requests: [], unanswered: 0, exists: false, wasEnded: false }));
    return found;
  };
  const keys = new Map(endpoints.flatMap(({ id, key }) => (id === null ? [] : [[id, key]])));
  const names = new Map([...state.events].map(([name, id]) => [id, name]));
  const namesDelivery = new Map(endpoints.map(({ dialect, key }) => [key, dialect !== 'standard']));
  const add = ({ attempts, endpointId, error, eventId, id }: StoredDelivery) => {
    const key = keys.get(endpointId);
    if (key === undefined) return;
    const mine = group(namesDelivery.get(key) ? id : `${names.get(eventId)} ${key}`);
    mine.exists = true;
    mine.wasEnded ||= error !== null && error in EXCUSES;
    for (const { body, error: reason, status } of attempts) {
      if (status !== null) recorded.add(Number(body?.slice(1)));
      else if (reason !== 'dns_error') mine.unanswered += 1; // a name that did not resolve made no request
    }
  };
  for (const delivery of state.deliveries) add(delivery);
  for (const request of requests) group(request.deliveryId ?? `${request.event} ${request.endpoint}`).requests.push(request);

  const answered = new Map<number, number[]>();
  for (const { answeredAt, id, node } of requests) {
    if (!recorded.has(id) || answeredAt === null) continue;
    const times = answered.get(node);
    if (times === undefined) answered.set(node, [answeredAt]);
    else times.push(answeredAt);
  }
  for (const times of answered.values()) times.sort((a, b) => a - b);
  const repeats: Partial<Record<RepeatCause, number>> = {};
  const unexplained: string[] = [];
  for (const [key, { exists, requests: made, unanswered, wasEnded }] of groups) {
    let left = unanswered;
    for (const request of made) {
      if (recorded.has(request.id)) continue;
      const cause = causeOf(request, troubles, answered.get(request.node) ?? []) ?? (wasEnded ? 'ended by a tenant meanwhile' : null);
      const isRepeat = request.status !== null && request.status < 300 && made.length > 1;
      if (cause !== null && exists) {
        if (isRepeat) repeats[cause] = (repeats[cause] ?? 0) + 1;
        continue;
      }
      // Such a request is made once more on a new connection, within the same attempt: nobody can tell whether it was read.
      if (exists && request.isReused && request.isCut && made.some((later) => later.id > request.id)) continue;
      if (exists && left > 0) {
        left -= 1;
        if (isRepeat) repeats['timed out at the sender'] = (repeats['timed out at the sender'] ?? 0) + 1;
        continue;
      }
      const what = exists ? 'is no attempt in the log, and its node was well' : 'belongs to no delivery that exists';
      unexplained.push(`${describe(request)} (${key}) ${what}; all: ${made.map(describe).join('; ')}`);
    }
  }
  return { repeats, unexplained };
}

/** What kept its node from recording it: something that overlaps with the time in which it was to be recorded. */
function causeOf(request: ReceivedRequest, troubles: readonly Trouble[], recordedAnswers: readonly number[]): RepeatCause | null {
  const over = request.answeredAt ?? request.closedAt ?? Infinity;
  const until = Math.min(over + RECORD_MS, firstAfter(recordedAnswers, over + ORDER_MS));
  for (const trouble of troubles) {
    if (!concerns(trouble, request.node) || trouble.start > until || trouble.end + AFTER_MS < request.arrivedAt) continue;
    // A node that stops waits for its answers: only what was in flight at the end of the wait may be sent again.
    const inFlight = request.answeredAt === null || request.answeredAt > trouble.start;
    if (trouble.kind === 'stop' && !inFlight) continue;
    return `${trouble.kind}: ${inFlight ? 'in flight' : 'answered, not yet recorded'}`;
  }
  return null;
}

/** The first of the sorted times that is not before this; Infinity when there is none. */
function firstAfter(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return times[low] ?? Infinity;
}

function describe({ answeredAt, arrivedAt, id, node, status }: ReceivedRequest): string {
  const answer = answeredAt === null ? 'no answer' : `${status} after ${Math.round(answeredAt - arrivedAt)} ms`;
  return `r${id} from node ${node} at ${Math.round(arrivedAt)} ms: ${answer}`;
}
