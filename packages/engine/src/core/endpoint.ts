/** An endpoint as everybody may see it: no secret, no header values. Times are dates in UTC. */
export interface Endpoint {
  readonly id: string;
  readonly organizationId: string;
  readonly dialect: string;
  readonly url: string;
  readonly name: string | null;
  readonly description: string | null;
  /** Null: every event of the organization. */
  readonly events: readonly string[] | null;
  readonly isActive: boolean;
  readonly disabledAt: Date | null;
  /** Why the engine disabled it. */
  readonly disabledReason: DisabledReason | null;
  readonly verifiedAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  readonly consecutiveFailures: number;
  readonly createdBy: string | null;
  /** While paused, deliveries are made and wait. */
  readonly pausedAt: Date | null;
  /** Requests a second, over all nodes; null for no limit. */
  readonly rateLimit: number | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type DisabledReason = 'consecutive_failures' | 'gone';

/** The part that is encrypted at rest. */
export interface EndpointSecrets {
  /** The first one is current; the others still sign until their time (Unix ms) comes. */
  readonly secrets: readonly { readonly value: string; readonly until: number | null }[];
  readonly headers: Readonly<Record<string, string>>;
}
