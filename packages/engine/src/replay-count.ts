import type { Clock } from './core/clock.ts';
import { uuidFloor } from './core/ids.ts';
import type { ReplayFilter } from './core/replay.ts';
import { LOOK_UP_ROWS, readStep } from './core/step-size.ts';
import type { Queryable } from './store/database.ts';
import { knownEndpoints, lookAtHistory, type HistoryStream } from './store/delivery-log.ts';

const DAY_MS = 86_400_000;

/** How many finished deliveries the filter finds, up to `max`: read as the log is, in steps of bounded work. */
export async function countReplayable(db: Queryable, clock: Clock, filter: ReplayFilter, max: number): Promise<number> {
  const { deliveryStatus: status, endpointId, eventType, organizationId, since, until } = filter;
  const endpoints = endpointId === undefined ? await knownEndpoints(db, organizationId) : [endpointId];
  const days = Math.ceil((until - since) / DAY_MS) + 1; // each look-up looks into the partition of each day
  const from = uuidFloor(since);
  const size = readStep();
  let streams: HistoryStream[] = endpoints.map((id) => ({ endpointId: id, before: uuidFloor(until) }));
  let count = 0;
  while (streams.length > 0 && count < max) {
    const some = streams.slice(0, Math.max(1, Math.floor(size.size / (LOOK_UP_ROWS * days))));
    const rows = Math.max(1, Math.floor(size.size / some.length));
    const began = clock.monotonic();
    const steps = await lookAtHistory(db, { organizationId, eventType, status }, some, { from, rows });
    size.took(clock.monotonic() - began);
    const unread: HistoryStream[] = [];
    for (const [id, { ids, last, looked }] of steps) {
      count += ids.length;
      if (looked === rows) unread.push({ endpointId: id, before: last! });
    }
    streams = [...unread, ...streams.slice(some.length)];
  }
  return Math.min(count, max);
}
