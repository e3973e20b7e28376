import { uuidv7, type Clock, type Database, type Engine, type Transaction } from '@dialhook/engine';
import type { CallOwner, Calls, EndedCall } from './calls.ts';
import { advance, finished, settleLead, type LeadOutcome } from './campaign-rules.ts';
import { campaignEvent } from './events.ts';
import { withOrderedIds } from './ids.ts';
import { CALL_LIMITS } from './limits.ts';
import { CallError, type Campaign, type CampaignLead, type NewCall, type NewLead, type Page, type Paged } from './model.ts';
import { CAMPAIGN_LEAD_TRANSITIONS, CAMPAIGN_TRANSITIONS, type CampaignLeadStatus, type CampaignStatus } from './states.ts';
import { isFinal } from '../states.ts';
import {
  changeCampaignLead,
  dueCampaignLeads,
  findCampaignLead,
  insertCampaignLeads,
  listCampaignLeads,
  loadCampaignLeads,
  nextCampaignLead,
  settleCampaignLeads,
  startCampaignLeads,
  type LeadEnd,
} from './store/campaign-leads.ts';
import { findCampaign, insertCampaign, listCampaigns, lockCampaign, lockDueCampaign, saveCampaign } from './store/campaigns.ts';
import { cancelCalls } from './store/calls.ts';
import { withdrawLive } from './store/live-calls.ts';

export interface CampaignsOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly calls: Calls;
  /** Multiplies the wait before a lead is called again. */
  readonly retryDelayScale: number;
  /** A campaign is to be looked at, at this time (Unix ms). */
  readonly onDue: (time: number) => void;
}

export type NewCampaign = Pick<
  Campaign,
  'organizationId' | 'name' | 'agentId' | 'fromPhoneNumber' | 'maxConcurrentCalls' | 'maxRetries' | 'retryIntervalMinutes' | 'scheduledAt'
> & { readonly status: 'draft' | 'active' };

export type CampaignChange = Partial<Pick<Campaign, 'name' | 'agentId' | 'maxConcurrentCalls' | 'maxRetries' | 'retryIntervalMinutes'>>;

export type CampaignVerb = 'start' | 'pause' | 'resume' | 'cancel';

/**
 * Campaigns: leads that are called, some at once, until each has its final outcome. A campaign's row counts its leads and
 * is held by whatever changes them: a call's end, a new lead, a pause. So all of these come one after the other, and each
 * commits together with its events and with the calls that it starts.
 */
export class Campaigns implements CallOwner {
  readonly #options: CampaignsOptions;

  constructor(options: CampaignsOptions) {
    this.#options = options;
  }

  async create(campaign: NewCampaign): Promise<Campaign> {
    const { clock, database } = this.#options;
    const counts = { pendingLeads: 0, callingLeads: 0, completedLeads: 0, failedLeads: 0, callsPlaced: 0 };
    const created = { ...campaign, ...counts, id: uuidv7(clock.now()), createdAt: new Date(clock.now()) };
    await insertCampaign(database, created);
    return created;
  }

  find(organizationId: string, id: string): Promise<Campaign | null> {
    return findCampaign(this.#options.database, organizationId, id);
  }

  /** Newest first. */
  list(organizationId: string, status: CampaignStatus | undefined, page: Page): Promise<Paged<Campaign>> {
    return listCampaigns(this.#options.database.reads, organizationId, status, page);
  }

  /** Changes settings; those that a call has used already are fixed. */
  change(organizationId: string, id: string, change: CampaignChange): Promise<Campaign> {
    return this.#held(organizationId, id, async (tx, campaign) => {
      if (isFinal(CAMPAIGN_TRANSITIONS, campaign.status))
        throw new CallError('conflict', `A ${campaign.status} campaign cannot be changed`);
      if (change.agentId !== undefined && change.agentId !== campaign.agentId && campaign.callsPlaced > 0)
        throw new CallError('conflict', 'agent_id cannot be changed after a call was placed');
      return this.#look(tx, { ...campaign, ...change });
    });
  }

  /** Throws `conflict` where the table of states has no way. */
  act(organizationId: string, id: string, verb: CampaignVerb): Promise<Campaign> {
    return this.#held(organizationId, id, async (tx, campaign) => {
      const to = ({ start: 'active', resume: 'active', pause: 'paused', cancel: 'cancelled' } as const)[verb];
      const isRight = verb === 'start' ? campaign.status === 'draft' : verb === 'resume' ? campaign.status === 'paused' : true;
      if (!isRight || !CAMPAIGN_TRANSITIONS[campaign.status].includes(to))
        throw new CallError('conflict', `A ${campaign.status} campaign cannot be ${PAST[verb]}`);
      if (to === 'active') return this.#look(tx, { ...campaign, status: to });
      const stopped = await this.#withdraw(tx, { ...campaign, status: to });
      await this.#save(tx, stopped, null);
      if (to === 'paused') await this.#options.engine.publish(tx, [campaignEvent('campaign.paused', stopped)]);
      return stopped;
    });
  }

  /** Adds leads to a campaign that is not over. Gives their ids. */
  async addLeads(organizationId: string, id: string, leads: readonly NewLead[]): Promise<string[]> {
    const ids: string[] = [];
    await this.#held(organizationId, id, async (tx, campaign) => {
      if (isFinal(CAMPAIGN_TRANSITIONS, campaign.status))
        throw new CallError('conflict', `Leads cannot be added to a ${campaign.status} campaign`);
      const now = this.#options.clock.now();
      const withIds = withOrderedIds(leads, now);
      ids.push(...withIds.map((lead) => lead.id));
      for (let from = 0; from < withIds.length; from += CALL_LIMITS.insertLeads)
        await insertCampaignLeads(tx, campaign, withIds.slice(from, from + CALL_LIMITS.insertLeads), new Date(now));
      return this.#look(tx, { ...campaign, pendingLeads: campaign.pendingLeads + leads.length });
    });
    return ids;
  }

  findLead(organizationId: string, id: string): Promise<CampaignLead | null> {
    return findCampaignLead(this.#options.database, organizationId, id);
  }

  /** Newest first. */
  async listLeads(organizationId: string, id: string, status: CampaignLeadStatus | undefined, page: Page): Promise<Paged<CampaignLead>> {
    if ((await this.find(organizationId, id)) === null) throw new CallError('not_found', 'Campaign not found');
    return listCampaignLeads(this.#options.database.reads, id, status, page);
  }

  /** Changes a lead that was not called yet. */
  changeLead(
    organizationId: string,
    leadId: string,
    change: { readonly name?: string | null | undefined; readonly phoneNumber?: string | undefined; readonly notes?: string | undefined },
  ): Promise<CampaignLead> {
    return this.#heldLead(organizationId, leadId, async (tx, _campaign, lead) => {
      if (lead.status !== 'pending')
        throw new CallError('conflict', `A lead can be changed while it is pending; this one is ${lead.status}`);
      const { name = lead.name, notes = lead.notes, phoneNumber = lead.phoneNumber } = change;
      return changeCampaignLead(tx, leadId, { name, notes, phoneNumber, status: lead.status });
    });
  }

  /** Takes a lead out. A call that is under way goes on to its end. */
  removeLead(organizationId: string, leadId: string): Promise<CampaignLead> {
    return this.#heldLead(organizationId, leadId, async (tx, campaign, lead) => {
      if (lead.status === 'removed') throw new CallError('not_found', 'Lead not found');
      if (isFinal(CAMPAIGN_TRANSITIONS, campaign.status))
        throw new CallError('conflict', `Leads cannot be removed from a ${campaign.status} campaign`);
      const removed = await changeCampaignLead(tx, leadId, { ...lead, status: 'removed' });
      // One that is being called stays counted until its call has ended: it holds a line.
      const count = ({ pending: 'pendingLeads', completed: 'completedLeads', failed: 'failedLeads' } as const)[lead.status as 'pending'];
      if (count !== undefined) await this.#look(tx, { ...campaign, [count]: campaign[count] - 1 });
      return removed;
    });
  }

  // --- driven by calls and by time ---

  async lock(tx: Transaction, id: string): Promise<void> {
    await lockCampaign(tx, id);
  }

  async ended(tx: Transaction, id: string, calls: readonly EndedCall[]): Promise<void> {
    const campaign = (await lockCampaign(tx, id))!; // held already; calls never outlive their campaign
    const now = this.#options.clock.now();
    const leads = new Map(
      (
        await loadCampaignLeads(
          tx,
          calls.map(({ leadId }) => leadId!),
        )
      ).map((lead) => [lead.id, lead]),
    );
    const outcomes: LeadOutcome[] = [];
    const ends: LeadEnd[] = [];
    for (const call of calls) {
      const lead = leads.get(call.leadId!)!;
      const outcome = settleLead(campaign, lead, call.status);
      outcomes.push(outcome);
      if (lead.status !== 'in_progress') continue; // removed while it was called
      const wait = campaign.retryIntervalMinutes * 60_000 * this.#options.retryDelayScale;
      ends.push({ id: lead.id, status: outcome as CampaignLeadStatus, attempts: lead.attempts, dueAt: new Date(now + wait) });
    }
    await settleCampaignLeads(tx, ends);
    await this.#look(tx, advance(campaign, outcomes));
  }

  /** Looks at the campaign that is due longest; false when none is. */
  async step(): Promise<boolean> {
    const { clock, database } = this.#options;
    return database.transaction(async (tx) => {
      const campaign = await lockDueCampaign(tx, new Date(clock.now()));
      if (campaign === null) return false;
      await this.#look(tx, campaign);
      return true;
    });
  }

  /** What is to be done for a campaign that is held: begin, call the next leads, or end. Saves it. */
  async #look(tx: Transaction, given: Campaign): Promise<Campaign> {
    const { clock, engine } = this.#options;
    const now = clock.now();
    let campaign = given;
    if (finished(campaign)) {
      campaign = { ...campaign, status: 'completed' };
      await this.#save(tx, campaign, null);
      await engine.publish(tx, [campaignEvent('campaign.completed', campaign)]);
      return campaign;
    }
    const startsAt = campaign.scheduledAt?.getTime() ?? 0;
    const hasLeads = campaign.pendingLeads + campaign.callingLeads > 0;
    if (campaign.status === 'active' && startsAt <= now && hasLeads) campaign = { ...campaign, status: 'running' };
    if (campaign.status === 'active' && hasLeads) await this.#save(tx, campaign, startsAt);
    else if (campaign.status !== 'running') await this.#save(tx, campaign, null);
    else {
      campaign = await this.#callLeads(tx, campaign, now);
      const isFree = campaign.callingLeads < campaign.maxConcurrentCalls && campaign.pendingLeads > 0;
      // With every line in use, the next call's end is when there is something to do.
      await this.#save(tx, campaign, isFree ? ((await nextCampaignLead(tx, campaign.id))?.getTime() ?? null) : null);
    }
    return campaign;
  }

  async #callLeads(tx: Transaction, campaign: Campaign, now: number): Promise<Campaign> {
    const free = Math.min(campaign.maxConcurrentCalls - campaign.callingLeads, CALL_LIMITS.leadsPerLook);
    const leads = free > 0 && campaign.pendingLeads > 0 ? await dueCampaignLeads(tx, campaign.id, new Date(now), free) : [];
    if (leads.length === 0) return campaign;
    const calls = leads.map((lead): NewCall => ({
      id: uuidv7(now),
      organizationId: campaign.organizationId,
      campaignId: campaign.id,
      workflowId: null,
      leadId: lead.id,
      attempt: lead.attempts + 1,
      agentId: campaign.agentId,
      agentVersionNumber: 1,
      toPhoneNumber: lead.phoneNumber,
      fromPhoneNumber: campaign.fromPhoneNumber,
      metadata: lead.notes,
    }));
    await startCampaignLeads(
      tx,
      calls.map(({ id, leadId }) => ({ id: leadId!, callId: id })),
    );
    await this.#options.calls.place(tx, calls);
    return {
      ...campaign,
      pendingLeads: campaign.pendingLeads - calls.length,
      callingLeads: campaign.callingLeads + calls.length,
      callsPlaced: campaign.callsPlaced + calls.length,
    };
  }

  /** Takes back the calls that nobody dials yet; their leads wait as if they had not been called. */
  async #withdraw(tx: Transaction, campaign: Campaign): Promise<Campaign> {
    const now = new Date(this.#options.clock.now());
    const withdrawn = await withdrawLive(tx, 'campaign_id', campaign.id);
    await cancelCalls(
      tx,
      withdrawn.map(({ call }) => call),
      now,
    );
    const leads = await loadCampaignLeads(
      tx,
      withdrawn.map(({ leadId }) => leadId!),
    );
    const waiting = leads.filter(({ status }) => CAMPAIGN_LEAD_TRANSITIONS[status].includes('pending'));
    await settleCampaignLeads(
      tx,
      waiting.map(({ attempts, id }) => ({ id, status: 'pending', attempts: attempts - 1, dueAt: now })),
    );
    return {
      ...campaign,
      pendingLeads: campaign.pendingLeads + waiting.length,
      callingLeads: campaign.callingLeads - withdrawn.length,
    };
  }

  async #save(tx: Transaction, campaign: Campaign, dueAt: number | null): Promise<void> {
    await saveCampaign(tx, campaign, dueAt === null ? null : new Date(dueAt), new Date(this.#options.clock.now()));
    if (dueAt !== null) tx.afterCommit(() => this.#options.onDue(dueAt));
  }

  /** Runs `work` while the campaign is held. */
  async #held(organizationId: string, id: string, work: (tx: Transaction, campaign: Campaign) => Promise<Campaign>): Promise<Campaign> {
    return this.#options.database.transaction(async (tx) => {
      const campaign = await lockCampaign(tx, id);
      if (campaign === null || campaign.organizationId !== organizationId) throw new CallError('not_found', 'Campaign not found');
      return work(tx, campaign);
    });
  }

  async #heldLead(
    organizationId: string,
    leadId: string,
    work: (tx: Transaction, campaign: Campaign, lead: CampaignLead) => Promise<CampaignLead>,
  ): Promise<CampaignLead> {
    const lead = await this.findLead(organizationId, leadId);
    if (lead === null) throw new CallError('not_found', 'Lead not found');
    return this.#options.database.transaction(async (tx) => {
      const campaign = (await lockCampaign(tx, lead.campaignId))!;
      // As it is now that nothing else can change it.
      return work(tx, campaign, (await findCampaignLead(tx, organizationId, leadId))!);
    });
  }
}

const PAST: Record<CampaignVerb, string> = { start: 'started', pause: 'paused', resume: 'resumed', cancel: 'cancelled' };
