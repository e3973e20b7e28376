import type { Campaign, CampaignLead } from './model.ts';
import { CAMPAIGN_TRANSITIONS, type CallStatus } from './states.ts';

/** What a call's end makes of its lead. `gone`: the lead was taken out while it was called. */
export type LeadOutcome = 'pending' | 'completed' | 'failed' | 'gone';

/** Nobody was reached, and somebody may be next time (contracts/dialnexa.md 4). */
const WORTH_ANOTHER_TRY: readonly CallStatus[] = ['no_answer', 'did_not_pick', 'busy'];

/** A first call and `maxRetries` more while nobody is reached; a conversation and a failure are final. */
export function settleLead(
  campaign: Pick<Campaign, 'maxRetries'>,
  lead: Pick<CampaignLead, 'status' | 'attempts'>,
  end: CallStatus,
): LeadOutcome {
  if (lead.status !== 'in_progress') return 'gone';
  if (end === 'completed') return 'completed';
  return WORTH_ANOTHER_TRY.includes(end) && lead.attempts <= campaign.maxRetries ? 'pending' : 'failed';
}

/** The counts after these calls have ended. */
export function advance(campaign: Campaign, outcomes: readonly LeadOutcome[]): Campaign {
  const count = (wanted: LeadOutcome) => outcomes.filter((outcome) => outcome === wanted).length;
  return {
    ...campaign,
    callingLeads: campaign.callingLeads - outcomes.length,
    pendingLeads: campaign.pendingLeads + count('pending'),
    completedLeads: campaign.completedLeads + count('completed'),
    failedLeads: campaign.failedLeads + count('failed'),
  };
}

/** Every lead has its final outcome, and there is one. */
export function finished(campaign: Campaign): boolean {
  return (
    CAMPAIGN_TRANSITIONS[campaign.status].includes('completed') &&
    campaign.pendingLeads + campaign.callingLeads === 0 &&
    campaign.completedLeads + campaign.failedLeads > 0
  );
}
