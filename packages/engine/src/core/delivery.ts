import type { Batch } from './batch.ts';
import type { StoredEvent } from './dialect.ts';

/** The states of a delivery. */
export const DELIVERY_STATUSES = ['pending', 'in_flight', 'delivered', 'exhausted'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** Which state may follow which. `exhausted` can follow any unfinished one: a deleted endpoint ends its deliveries. */
export const DELIVERY_TRANSITIONS: Readonly<Record<DeliveryStatus, readonly DeliveryStatus[]>> = {
  pending: ['in_flight', 'exhausted'],
  in_flight: ['delivered', 'pending', 'exhausted'],
  delivered: [],
  exhausted: [],
};

/** A row of the delivery log. */
export interface Delivery {
  readonly id: string;
  readonly organizationId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly status: DeliveryStatus;
  readonly createdAt: Date;
  /** Attempts made, the one in flight included. */
  readonly attemptCount: number;
  /** When the latest or the coming attempt was or is due. */
  readonly scheduledAt: Date;
  readonly lastAttemptAt: Date | null;
  readonly lastResponseStatus: number | null;
  readonly lastError: string | null;
  readonly finishedAt: Date | null;
}

/**
 * A delivery that this node may send: as one of a batch, or by a lease on its row of the queue. The recorder moves it
 * from the first to the second when the batch is taken apart.
 */
export interface LeasedDelivery {
  readonly id: string;
  readonly endpointId: string;
  /** The endpoint's version at the time of the lease: a sender with older settings must reload them. */
  readonly endpointVersion: number;
  readonly event: StoredEvent;
  /** Null: the delivery has a row in the queue, and `lease` fences it. */
  batch: Batch | null;
  /** Fences the result of a row in the queue: it is only recorded while the row still has this number. */
  lease: number;
  /** On this node's monotonic clock. */
  leaseEndsAt: number;
  /** The attempt that comes now, 1 for the first. */
  readonly attempt: number;
}
