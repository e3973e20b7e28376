/** What may keep a node from recording what it was answered. Times are milliseconds on the runner's monotonic clock. */
export interface Trouble {
  /** Of one node, or of all. */
  readonly node: number | 'all';
  readonly kind: TroubleKind;
  readonly start: number;
  /** When it was over; Infinity while it lasts. */
  end: number;
}
export type TroubleKind = 'kill' | 'stop' | 'suspend' | 'database' | 'ended';

/** The runner's own list of what it did, which the checker explains repeats with. */
export class Troubles {
  readonly list: Trouble[] = [];

  begin(node: number | 'all', kind: TroubleKind, start = now()): Trouble {
    const trouble = { node, kind, start, end: Infinity };
    this.list.push(trouble);
    return trouble;
  }

  /** One that is over as soon as it has begun, such as a kill. */
  moment(node: number | 'all', kind: TroubleKind): void {
    const at = now();
    this.list.push({ node, kind, start: at, end: at });
  }

  /** Whether anything is the matter with the database for this node now, or was so a moment ago. */
  isDatabaseAway(node: number, lately: number): boolean {
    return this.list.some((trouble) => trouble.kind === 'database' && concerns(trouble, node) && trouble.end >= now() - lately);
  }
}

export function concerns(trouble: Trouble, node: number): boolean {
  return trouble.node === 'all' || trouble.node === node;
}

/** The runner's clock: one for the proxy, the receivers, the tenants and the faults, so that their times compare. */
export function now(): number {
  return performance.now();
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
