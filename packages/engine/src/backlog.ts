import type { Clock } from './core/clock.ts';
import { FIRST_UUID } from './core/ids.ts';
import { LIMITS } from './core/limits.ts';
import { readStep } from './core/step-size.ts';
import { countQueue, countWaiting, listEndpointIds, type BacklogStep } from './store/backlog.ts';
import type { Queryable } from './store/database.ts';

export interface Backlog {
  /** Deliveries that could be sent now. */
  readonly due: number;
  /** Deliveries that wait: due ones, and retries whose time has not come. Those of endpoints that are paused or switched off are not due. */
  readonly pending: number;
  /** How long the oldest due one has been due; 0 when none is. */
  readonly oldestDueMs: number;
}

export interface OrganizationBacklog extends Backlog {
  /** Of the pending ones, those that failed before. */
  readonly retries: number;
  /** Not all were counted: an endpoint has more than are counted of one, or the time ran out. */
  readonly isAtLeast: boolean;
}

/** Counts what waits for all nodes: the whole queue once, in steps. It goes on while it is counted, so that the sum is of no one moment. */
export async function measureBacklog(db: Queryable, clock: Clock): Promise<Backlog> {
  const now = new Date(clock.now());
  const size = readStep();
  const sum = new Sum();
  let after = FIRST_UUID;
  for (;;) {
    const began = clock.monotonic();
    const rows = size.size;
    const step = await countQueue(db, after, rows, now);
    size.took(clock.monotonic() - began);
    sum.add(step);
    if (step.looked < rows || step.last === null) return sum.backlog(now);
    after = step.last;
  }
}

/** Up to so many of an endpoint's deliveries are counted together with those of others; one that has more is counted alone. */
const FEW = 20;

/** Counts what waits of one organization along the queue's index, endpoint by endpoint, and of each so many at most. */
export async function measureOrganization(db: Queryable, clock: Clock, organizationId: string): Promise<OrganizationBacklog> {
  const now = new Date(clock.now());
  const deadline = clock.monotonic() + LIMITS.readMs;
  const size = readStep();
  const sum = new Sum();
  let retries = 0;
  let isAtLeast = false;
  let after = FIRST_UUID;
  const count = async (ids: readonly string[], most: number) => {
    const began = clock.monotonic();
    const counted = await countWaiting(db, ids, most, now);
    size.took(clock.monotonic() - began);
    return counted;
  };
  for (;;) {
    const atOnce = Math.max(1, Math.floor(size.size / FEW));
    const ids = await listEndpointIds(db, organizationId, after, atOnce);
    for (const one of ids.length === 0 ? [] : await count(ids, FEW)) {
      const isLate = clock.monotonic() > deadline;
      const [all] = one.pending < FEW || isLate ? [one] : await count([one.endpointId], LIMITS.countedDeliveries);
      if (all === undefined) continue; // sent meanwhile
      sum.add(all);
      retries += all.retries;
      isAtLeast ||= all.pending >= (isLate ? FEW : LIMITS.countedDeliveries);
    }
    if (ids.length < atOnce) return { ...sum.backlog(now), retries, isAtLeast };
    after = ids.at(-1)!;
    if (clock.monotonic() > deadline) return { ...sum.backlog(now), retries, isAtLeast: true };
  }
}

class Sum {
  #due = 0;
  #pending = 0;
  #oldest = Infinity;

  add({ due, oldest, pending }: BacklogStep): void {
    this.#due += due;
    this.#pending += pending;
    if (oldest !== null) this.#oldest = Math.min(this.#oldest, oldest.getTime());
  }

  backlog(now: Date): Backlog {
    return { due: this.#due, pending: this.#pending, oldestDueMs: Math.max(0, now.getTime() - Math.min(now.getTime(), this.#oldest)) };
  }
}
