/** Which finished deliveries are sent once more. Times are Unix milliseconds of the deliveries' making. */
export interface ReplayFilter {
  readonly organizationId: string;
  readonly since: number;
  /** Not in it. */
  readonly until: number;
  readonly endpointId?: string | undefined;
  readonly eventType?: string | undefined;
  readonly deliveryStatus?: 'delivered' | 'exhausted' | undefined;
}

export const REPLAY_STATUSES = ['running', 'completed', 'cancelled'] as const;
export type ReplayStatus = (typeof REPLAY_STATUSES)[number];

/** A job that sends deliveries once more. */
export interface Replay {
  readonly id: string;
  readonly status: ReplayStatus;
  /** Deliveries that the filter found at the start. */
  readonly total: number;
  /** Put into the queue so far. */
  readonly replayed: number;
  /** Left out: their endpoint is deleted or switched off, or their event is gone. */
  readonly skipped: number;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}
