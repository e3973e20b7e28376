import { plainArray, type Queryable } from '@dialhook/engine';
import type { CampaignLead, NewLead, Page, Paged } from '../model.ts';
import type { CampaignLeadStatus } from '../states.ts';
import { paged } from './paged.ts';

interface Row {
  id: string;
  organization_id: string;
  campaign_id: string;
  name: string | null;
  phone_number: string;
  notes: string;
  status: CampaignLeadStatus;
  attempts: number;
  call_id: string | null;
  created_at: Date;
}

export async function insertCampaignLeads(
  tx: Queryable,
  campaign: { readonly id: string; readonly organizationId: string },
  leads: readonly (NewLead & { readonly id: string })[],
  now: Date,
): Promise<void> {
  await tx.query({
    text: `insert into campaign_leads (id, organization_id, campaign_id, name, phone_number, notes, status, due_at, created_at)
           select i.id, $1, $2, i.name, i.phone_number, i.notes, 'pending', $3, $3
             from unnest($4::uuid[], $5::text[], $6::text[], $7::text[]) as i (id, name, phone_number, notes)`,
    values: [
      campaign.organizationId,
      campaign.id,
      now,
      plainArray(leads.map(({ id }) => id)),
      leads.map(({ name }) => name),
      leads.map(({ phoneNumber }) => phoneNumber),
      leads.map(({ fields }) => fields),
    ],
  });
}

export async function findCampaignLead(db: Queryable, organizationId: string, id: string): Promise<CampaignLead | null> {
  const [row] = await db.query<Row>({
    text: 'select * from campaign_leads where organization_id = $1 and id = $2',
    values: [organizationId, id],
  });
  return row ? toLead(row) : null;
}

export async function listCampaignLeads(
  db: Queryable,
  campaignId: string,
  status: CampaignLeadStatus | undefined,
  page: Page,
): Promise<Paged<CampaignLead>> {
  const where = `campaign_id = $1 and ($2::text is null or status = $2)`;
  const { rows, total } = await paged<Row>(db, { table: 'campaign_leads', where, values: [campaignId, status ?? null] }, page);
  return { rows: rows.map(toLead), total };
}

/** Leads whose call is due, longest waiting first. Their campaign must be held. */
export async function dueCampaignLeads(tx: Queryable, campaignId: string, now: Date, limit: number): Promise<CampaignLead[]> {
  const rows = await tx.query<Row>({
    name: 'due-campaign-leads',
    text: `select * from campaign_leads where campaign_id = $1 and status = 'pending' and due_at <= $2 order by due_at, id limit $3`,
    values: [campaignId, now, limit],
  });
  return rows.map(toLead);
}

/** When the next lead of a campaign is due; null when none is pending. */
export async function nextCampaignLead(tx: Queryable, campaignId: string): Promise<Date | null> {
  const [row] = await tx.query<{ due: Date | null }>({
    name: 'next-campaign-lead',
    text: `select min(due_at) as due from campaign_leads where campaign_id = $1 and status = 'pending'`,
    values: [campaignId],
  });
  return row?.due ?? null;
}

/** These leads are being called now. */
export async function startCampaignLeads(
  tx: Queryable,
  starts: readonly { readonly id: string; readonly callId: string }[],
): Promise<void> {
  await tx.query({
    name: 'start-campaign-leads',
    text: `update campaign_leads l set status = 'in_progress', attempts = l.attempts + 1, call_id = i.call
             from unnest($1::uuid[], $2::uuid[]) as i (id, call) where l.id = i.id`,
    values: [plainArray(starts.map(({ id }) => id)), plainArray(starts.map(({ callId }) => callId))],
  });
}

export async function loadCampaignLeads(tx: Queryable, ids: readonly string[]): Promise<CampaignLead[]> {
  const rows = await tx.query<Row>({
    name: 'load-campaign-leads',
    text: 'select * from campaign_leads where id = any ($1::uuid[])',
    values: [plainArray(ids)],
  });
  return rows.map(toLead);
}

export interface LeadEnd {
  readonly id: string;
  readonly status: CampaignLeadStatus;
  readonly attempts: number;
  /** Of the next call; of no meaning unless pending. */
  readonly dueAt: Date;
}

export async function settleCampaignLeads(tx: Queryable, ends: readonly LeadEnd[]): Promise<void> {
  if (ends.length === 0) return;
  await tx.query({
    name: 'settle-campaign-leads',
    text: `update campaign_leads l set status = i.status, attempts = i.attempts, due_at = i.due_at
             from unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[]) as i (id, status, attempts, due_at) where l.id = i.id`,
    values: [
      plainArray(ends.map(({ id }) => id)),
      plainArray(ends.map(({ status }) => status)),
      plainArray(ends.map(({ attempts }) => attempts)),
      ends.map(({ dueAt }) => dueAt),
    ],
  });
}

export async function changeCampaignLead(
  tx: Queryable,
  id: string,
  change: { readonly name: string | null; readonly phoneNumber: string; readonly notes: string; readonly status: CampaignLeadStatus },
): Promise<CampaignLead> {
  const [row] = await tx.query<Row>({
    text: 'update campaign_leads set name = $2, phone_number = $3, notes = $4, status = $5 where id = $1 returning *',
    values: [id, change.name, change.phoneNumber, change.notes, change.status],
  });
  return toLead(row!);
}

function toLead(row: Row): CampaignLead {
  return {
    id: row.id,
    organizationId: row.organization_id,
    campaignId: row.campaign_id,
    name: row.name,
    phoneNumber: row.phone_number,
    notes: row.notes,
    status: row.status,
    attempts: row.attempts,
    callId: row.call_id,
    createdAt: row.created_at,
  };
}
