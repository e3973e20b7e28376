import { DIALECTS, type DialectName } from './dialects.ts';

/** Something that changed whether an endpoint gets events, or may have. Times are the runner's. */
export interface Change {
  /** Not before this. */
  from: number;
  /** Not after this; Infinity while nobody knows. */
  to: number;
  isActive: boolean;
}

/** What a tenant did that the documents say may end deliveries. */
export interface Action {
  readonly kind: 'delete' | 'disable' | 'enable' | 'resend' | 'replay' | 'retention' | 'expire';
  readonly at: number;
  readonly endpoint: ChaosEndpoint | null;
  readonly organization: string;
  /** The event that was sent again. */
  readonly eventId?: string;
}

export interface ChaosEndpoint {
  /** In its host name, its path and its name. */
  readonly key: string;
  readonly organization: string;
  readonly dialect: DialectName;
  readonly types: readonly string[] | null;
  /** Null while the answer of its creation is missing. */
  id: string | null;
  /** Is paused, or may be. */
  isPaused: boolean;
  /** When the last call to pause or resume it was over; Infinity while one is under way. */
  pauseAsked: number;
  isDeleted: boolean;
  readonly changes: Change[];
}

export type Subscribed = 'yes' | 'no' | 'maybe';

/** Whether the endpoint was to get what was published in this time. `maybe` while a change was under way. */
export function subscribedDuring(endpoint: ChaosEndpoint, from: number, to: number): Subscribed {
  let last: Change | null = null;
  for (const change of endpoint.changes) {
    if (change.from <= to && change.to >= from) return 'maybe';
    if (change.to < from && (last === null || change.to > last.to)) last = change;
  }
  return last?.isActive ? 'yes' : 'no';
}

export function takesType(endpoint: ChaosEndpoint, type: string): boolean {
  return endpoint.types === null || endpoint.types.includes(type);
}

/** What the tenants of a run have, as they know it themselves. */
export class World {
  readonly organizations: string[] = [];
  readonly endpoints: ChaosEndpoint[] = [];
  readonly actions: Action[] = [];

  add(organization: string, dialect: DialectName, types: readonly string[] | null): ChaosEndpoint {
    const { types: own } = DIALECTS[dialect];
    const endpoint: ChaosEndpoint = {
      key: `e${this.endpoints.length}`,
      organization,
      dialect,
      types: dialect === 'standard' ? types : own,
      id: null,
      isPaused: false,
      pauseAsked: -Infinity,
      isDeleted: false,
      changes: [],
    };
    this.endpoints.push(endpoint);
    return endpoint;
  }

  /** Those that exist for sure. */
  living(): ChaosEndpoint[] {
    return this.endpoints.filter(({ id, isDeleted }) => id !== null && !isDeleted);
  }
}

/**
 * Takes over what the server says of an endpoint, asked at `askedAt` and answered at `answeredAt`. Ends what was unknown,
 * and finds what nobody asked for: an endpoint that was switched off for its failures.
 */
export function observe(endpoint: ChaosEndpoint, isActive: boolean, askedAt: number, answeredAt: number, settleMs: number): void {
  const open = endpoint.changes.find(({ to }) => to === Infinity);
  if (open !== undefined) {
    // A statement whose answer was lost may still be running: believed after a while.
    if (askedAt < open.from + settleMs) return;
    open.to = answeredAt;
    open.isActive = isActive;
    return;
  }
  const last = endpoint.changes.at(-1);
  if (last === undefined || last.to >= askedAt) return; // older than what is known
  if (last.isActive !== isActive) endpoint.changes.push({ from: last.to, to: answeredAt, isActive });
}
