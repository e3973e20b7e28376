import { LIMITS } from '../core/limits.ts';
import type { HealthKind } from './health.ts';

/** Stalled: it has requests in flight and has not answered any for a while. Its slots are spent until they time out. */
export type SlotKind = HealthKind | 'stalled';

/** Of a node's slots, and of an organization's. */
export const SHARES: Readonly<Record<SlotKind, number>> = {
  quick: 1,
  slow: LIMITS.slowShare,
  new: LIMITS.newShare,
  failing: LIMITS.failingShare,
  stalled: 0, // nothing new is sent to it
};

/** Requests in flight, of a node or of an organization, by what is thought of their endpoints. */
export class SlotCount {
  readonly #used: Record<SlotKind, number> = { quick: 0, slow: 0, new: 0, failing: 0, stalled: 0 };

  add(kind: SlotKind, change: number): void {
    this.#used[kind] += change;
  }

  of(kind: SlotKind): number {
    return this.#used[kind];
  }

  /** All that are not of the quick ones and may still be answered. */
  get doubtful(): number {
    return this.#used.slow + this.#used.new + this.#used.failing;
  }

  get total(): number {
    return this.#used.quick + this.doubtful + this.#used.stalled;
  }
}

/**
 * Whether the node has a slot for an endpoint of this kind. New, slow and failing ones have a share each, and leave
 * something together: an endpoint that answers well always finds a slot.
 */
export function nodeAdmits(node: SlotCount, kind: SlotKind): boolean {
  const slots = LIMITS.nodeInFlight;
  if (node.total >= slots) return false;
  if (kind === 'quick') return true;
  const used = kind === 'failing' ? node.of('failing') + node.of('stalled') : node.of(kind);
  return used < SHARES[kind] * slots && node.doubtful + node.of('stalled') < LIMITS.doubtfulShare * slots;
}

/**
 * Whether an organization has a slot for one of its endpoints: the same shares of its own cap. What is stalled is
 * counted apart, up to half of the node: otherwise endpoints that never answer would keep an organization's others
 * from their first try.
 */
export function organizationAdmits(organization: SlotCount, kind: SlotKind): boolean {
  const slots = LIMITS.organizationInFlight;
  const stalled = organization.of('stalled');
  if (organization.total - stalled >= slots) return false;
  if (kind === 'quick') return true;
  return (
    organization.of(kind) < SHARES[kind] * slots &&
    organization.doubtful < LIMITS.doubtfulShare * slots &&
    stalled < LIMITS.newShare * LIMITS.nodeInFlight
  );
}
