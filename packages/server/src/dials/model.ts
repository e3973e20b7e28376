/** A dial as a dialler posts it, checked for its shape (contracts/outboundiq.md 2). The two pairs of number names exclude each other. */
export interface RawDial {
  readonly campaign_id: string;
  readonly campaign_name: string;
  readonly agent_name: string;
  readonly ani?: string;
  readonly prospect_phone?: string;
  readonly from_number?: string;
  readonly to_number?: string;
  readonly disposition_name: string;
  readonly datetime: string;
  readonly call_direction: string;
  readonly total_dial_attempts: string | number;
  readonly dial_id?: string;
}

/** A cleaned dial, as webhooks carry it: every key is always there (contracts/outboundiq.md 1.5). */
export interface DialEvent {
  readonly companySlug: string;
  readonly callId: string | null;
  readonly callDirection: string;
  readonly timestamp: string;
  readonly ani: string | null;
  readonly phone: string | null;
  readonly campaign: string | null;
  readonly campaignInternalId: string | null;
  readonly agent: string | null;
  readonly disposition: string | null;
  readonly dispositionId: string | null;
  readonly contact: boolean;
  readonly success: boolean;
  readonly isSystemDispo: boolean;
  readonly totalDialAttempts: number | null;
}

export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly type: 'Inbound' | 'Outbound' | 'Blended';
  readonly inbound_pool_id: string | null;
}

export interface Dispo {
  readonly id: string;
  readonly name: string;
  readonly type: 'System' | 'Agent';
  readonly contact: boolean;
  readonly success: boolean;
}

/** A company's tables as far as some dials need them. */
export interface Translations {
  campaign(id: string): Campaign | undefined;
  /** By name first, then by id. */
  dispo(nameOrId: string): Dispo | undefined;
}

/** A dial that could not be cleaned, as the operator sees it. */
export interface UncleanedDial {
  readonly id: string;
  readonly raw: string;
  readonly error: string;
  readonly failedAt: Date;
}
