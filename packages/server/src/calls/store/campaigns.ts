import type { DueSource, Queryable } from '@dialhook/engine';
import type { Campaign, Page, Paged } from '../model.ts';
import type { CampaignStatus } from '../states.ts';
import { paged } from './paged.ts';

interface Row {
  id: string;
  organization_id: string;
  name: string;
  agent_id: string;
  from_phone_number: string | null;
  status: CampaignStatus;
  max_concurrent_calls: number;
  max_retries: number;
  retry_interval_minutes: number;
  scheduled_at: Date | null;
  pending_leads: number;
  calling_leads: number;
  completed_leads: number;
  failed_leads: number;
  calls_placed: number;
  created_at: Date;
}

export async function insertCampaign(db: Queryable, campaign: Campaign): Promise<void> {
  await db.query({
    text: `insert into campaigns (id, organization_id, name, agent_id, from_phone_number, status, max_concurrent_calls, max_retries,
             retry_interval_minutes, scheduled_at, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`,
    values: [
      campaign.id,
      campaign.organizationId,
      campaign.name,
      campaign.agentId,
      campaign.fromPhoneNumber,
      campaign.status,
      campaign.maxConcurrentCalls,
      campaign.maxRetries,
      campaign.retryIntervalMinutes,
      campaign.scheduledAt,
      campaign.createdAt,
    ],
  });
}

export async function findCampaign(db: Queryable, organizationId: string, id: string): Promise<Campaign | null> {
  const [row] = await db.query<Row>({
    text: 'select * from campaigns where organization_id = $1 and id = $2',
    values: [organizationId, id],
  });
  return row ? toCampaignRow(row) : null;
}

export async function listCampaigns(
  db: Queryable,
  organizationId: string,
  status: CampaignStatus | undefined,
  page: Page,
): Promise<Paged<Campaign>> {
  const where = `organization_id = $1 and ($2::text is null or status = $2)`;
  const { rows, total } = await paged<Row>(db, { table: 'campaigns', where, values: [organizationId, status ?? null] }, page);
  return { rows: rows.map(toCampaignRow), total };
}

/** Holds a campaign, and with it everything that counts its leads, until the transaction ends. */
export async function lockCampaign(tx: Queryable, id: string): Promise<Campaign | null> {
  const [row] = await tx.query<Row>({ name: 'lock-campaign', text: 'select * from campaigns where id = $1 for update', values: [id] });
  return row ? toCampaignRow(row) : null;
}

/** When the next campaign is to be looked at. */
export const CAMPAIGNS_DUE: DueSource = {
  name: 'campaigns',
  text: 'select due_at from campaigns where due_at is not null order by due_at limit 1',
};

/** Holds the campaign that is due longest and that nobody else holds. */
export async function lockDueCampaign(tx: Queryable, now: Date): Promise<Campaign | null> {
  const [row] = await tx.query<Row>({
    name: 'lock-due-campaign',
    text: 'select * from campaigns where due_at <= $1 order by due_at limit 1 for update skip locked',
    values: [now],
  });
  return row ? toCampaignRow(row) : null;
}

/** Writes a campaign that the caller holds. */
export async function saveCampaign(tx: Queryable, campaign: Campaign, dueAt: Date | null, now: Date): Promise<void> {
  await tx.query({
    name: 'save-campaign',
    text: `update campaigns set name = $2, agent_id = $3, status = $4, max_concurrent_calls = $5, max_retries = $6, retry_interval_minutes = $7,
             pending_leads = $8, calling_leads = $9, completed_leads = $10, failed_leads = $11, calls_placed = $12, due_at = $13, updated_at = $14
            where id = $1`,
    values: [
      campaign.id,
      campaign.name,
      campaign.agentId,
      campaign.status,
      campaign.maxConcurrentCalls,
      campaign.maxRetries,
      campaign.retryIntervalMinutes,
      campaign.pendingLeads,
      campaign.callingLeads,
      campaign.completedLeads,
      campaign.failedLeads,
      campaign.callsPlaced,
      dueAt,
      now,
    ],
  });
}

/**
 * Removes leads of campaigns that ended before a time, and those campaigns that have none left. Gives how many rows. A campaign of which a
 * call is under way stays.
 */
export async function removeEndedCampaigns(db: Queryable, before: Date, limit: number): Promise<number> {
  const ended = `select id from campaigns where status in ('completed', 'cancelled') and updated_at < $1 and calling_leads = 0
                  order by updated_at limit $2`;
  const leads = await db.query({
    name: 'remove-leads-of-ended-campaigns',
    text: `delete from campaign_leads where id = any (array(
             select l.id from (${ended}) c cross join lateral (select id from campaign_leads where campaign_id = c.id limit $2 for update skip locked) l limit $2))
           returning 1`,
    values: [before, limit],
  });
  if (leads.length === limit) return limit;
  const campaigns = await db.query({
    name: 'remove-ended-campaigns',
    text: `delete from campaigns c where c.id = any (array(${ended} for update skip locked))
              and not exists (select from campaign_leads l where l.campaign_id = c.id)
           returning 1`,
    values: [before, limit],
  });
  return Math.max(leads.length, campaigns.length);
}

function toCampaignRow(row: Row): Campaign {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    agentId: row.agent_id,
    fromPhoneNumber: row.from_phone_number,
    status: row.status,
    maxConcurrentCalls: row.max_concurrent_calls,
    maxRetries: row.max_retries,
    retryIntervalMinutes: row.retry_interval_minutes,
    scheduledAt: row.scheduled_at,
    pendingLeads: row.pending_leads,
    callingLeads: row.calling_leads,
    completedLeads: row.completed_leads,
    failedLeads: row.failed_leads,
    callsPlaced: row.calls_placed,
    createdAt: row.created_at,
  };
}
