import { DIALECTS, type DialectName } from './dialects.ts';

/** Something that changed whether an endpoint gets events, or may have. Times are the runner's. */
export interface Change {
  /** Not before this. */
  readonly from: number;
  /** When its call was sent: it may run for a while. Of a change that nobody asked for, when it was seen. */
  readonly calledAt: number;
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
  /** When the latest look was asked for that found it as the last change left it. */
  seenAt: number;
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
      seenAt: -Infinity,
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
 * Notes that a call is about to change an endpoint. What was on may have been switched off for its failures since somebody looked, and
 * the call would hide that: the change counts from the last look on. Nobody but tenants switches an endpoint on.
 */
export function beginChange(endpoint: ChaosEndpoint, isActive: boolean, calledAt: number): Change {
  const last = endpoint.changes.at(-1);
  const change = { from: last?.isActive ? Math.min(calledAt, knownAt(endpoint, last)) : calledAt, calledAt, to: Infinity, isActive };
  endpoint.changes.push(change);
  return change;
}

/** Nothing was changed, for sure. */
export function dropChange(endpoint: ChaosEndpoint, change: Change): void {
  endpoint.changes.splice(endpoint.changes.indexOf(change), 1);
}

/**
 * Takes over what the server says of an endpoint, asked at `askedAt` and answered at `answeredAt`. Ends what was unknown,
 * and finds what nobody asked for: an endpoint that was switched off for its failures. False when it says nothing new: the
 * question was older than what is known, or than the end of what is under way.
 */
export function observe(endpoint: ChaosEndpoint, isActive: boolean, askedAt: number, answeredAt: number, settleMs: number): boolean {
  const open = endpoint.changes.find(({ to }) => to === Infinity);
  if (open !== undefined) {
    // A statement whose answer was lost may still be running: believed after a while.
    if (askedAt < open.calledAt + settleMs) return false;
    open.to = answeredAt;
    open.isActive = isActive;
    return true;
  }
  const last = endpoint.changes.at(-1);
  if (last === undefined || last.to >= askedAt) return false;
  if (last.isActive === isActive) endpoint.seenAt = Math.max(endpoint.seenAt, askedAt);
  else endpoint.changes.push({ from: knownAt(endpoint, last), calledAt: answeredAt, to: answeredAt, isActive });
  return true;
}

/** When the endpoint was surely as the last change left it. */
function knownAt(endpoint: ChaosEndpoint, last: Change): number {
  return Math.max(last.to, endpoint.seenAt);
}
