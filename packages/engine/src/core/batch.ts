import type { LeasedDelivery } from './delivery.ts';

/**
 * Deliveries that this node sends for the first time: one row of `batches` while they are unfinished. The recorder alone
 * changes it, and only after the database did.
 */
export class Batch {
  readonly id: string;
  /** Unix milliseconds; all deliveries of the batch were made then. */
  readonly createdAt: number;
  /** On the node's monotonic clock. */
  readonly openedAt: number;
  /** What has no result in the database yet. */
  readonly open = new Set<LeasedDelivery>();
  /** How many deliveries it had. */
  size = 0;
  /** Another node took over: what is sent from here is sent twice. */
  isLost = false;

  constructor(id: string, createdAt: number, openedAt: number) {
    this.id = id;
    this.createdAt = createdAt;
    this.openedAt = openedAt;
  }

  add(delivery: LeasedDelivery): void {
    this.open.add(delivery);
    this.size += 1;
  }
}
