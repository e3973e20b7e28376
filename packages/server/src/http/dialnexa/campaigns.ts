import Type, { type Static } from 'typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CampaignChange, CampaignVerb } from '../../calls/campaigns.ts';
import { internalId } from '../../calls/ids.ts';
import { CALL_LIMITS } from '../../calls/limits.ts';
import type { Campaign } from '../../calls/model.ts';
import { toCampaign } from '../../calls/resources.ts';
import type { Context } from '../context.ts';
import { checkedNumbers } from './calls.ts';
import {
  CampaignActed,
  CampaignBody,
  CampaignPage,
  CampaignQuery,
  CampaignStatusBody,
  CreateCampaign,
  UpdateCampaign,
} from './campaign-schemas.ts';
import { notFound } from './errors.ts';
import { toPage } from './paging.ts';
import { ErrorBody } from './schemas.ts';

type Params = { readonly id: string };

/** What a campaign does when it is not told how often to call again. */
const RETRY_INTERVAL_MINUTES = 30;

/** Campaigns (contracts/dialnexa.md 4). */
export function campaignRoutes(app: FastifyInstance, { telephony: { campaigns } }: Context): void {
  const params = Type.Object({ id: Type.String() });
  const refusals = { 401: ErrorBody, 429: ErrorBody };

  app.post<{ Body: Static<typeof CreateCampaign> }>(
    '/campaigns',
    { schema: { summary: 'Create a campaign', body: CreateCampaign, response: { 201: CampaignBody, 400: ErrorBody, ...refusals } } },
    async (request, reply) => {
      const {
        agent_id: agentId,
        from_phone_number,
        max_concurrent_calls,
        name,
        retry_config,
        scheduled_at,
        status = 'active',
      } = request.body;
      const campaign = await campaigns.create({
        organizationId: request.caller.organizationId,
        name,
        agentId,
        fromPhoneNumber: checkedNumbers({ from_phone_number }).from_phone_number!,
        maxConcurrentCalls: max_concurrent_calls ?? CALL_LIMITS.concurrentCalls,
        maxRetries: retry_config?.max_retries ?? 0,
        retryIntervalMinutes: retry_config?.retry_interval_minutes ?? RETRY_INTERVAL_MINUTES,
        scheduledAt: scheduled_at === undefined || scheduled_at === null ? null : new Date(scheduled_at),
        status,
      });
      return reply.code(201).send(toCampaign(campaign));
    },
  );

  app.get<{ Querystring: Static<typeof CampaignQuery> }>(
    '/campaigns',
    {
      schema: {
        summary: 'List campaigns, newest first',
        querystring: CampaignQuery,
        response: { 200: CampaignPage, 400: ErrorBody, ...refusals },
      },
    },
    async (request) =>
      toPage(await campaigns.list(request.caller.organizationId, request.query.status, request.query), request.query, toCampaign),
  );

  app.get<{ Params: Params }>(
    '/campaigns/:id',
    { schema: { summary: 'Retrieve a campaign', params, response: { 200: CampaignBody, 404: ErrorBody, ...refusals } } },
    async (request) => toCampaign(await find(request)),
  );

  app.get<{ Params: Params }>(
    '/campaigns/:id/status',
    {
      schema: {
        summary: 'Retrieve a campaign’s status and counts',
        params,
        response: { 200: CampaignStatusBody, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { completed_calls, failed_calls, id, pending_calls, status, total_leads } = toCampaign(await find(request));
      return { id, status, total_leads, completed_calls, failed_calls, pending_calls };
    },
  );

  app.patch<{ Params: Params; Body: Static<typeof UpdateCampaign> }>(
    '/campaigns/:id',
    {
      schema: {
        summary: 'Change a campaign, or pause, resume, cancel it',
        params,
        body: UpdateCampaign,
        response: { 200: CampaignBody, 400: ErrorBody, 404: ErrorBody, 409: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const campaign = await find(request);
      const { agent_id: agentId, max_concurrent_calls: maxConcurrentCalls, name, status } = request.body;
      const retry = request.body.retry_config ?? request.body.retry_policy;
      const change: CampaignChange = {
        ...(name !== undefined && { name }),
        ...(agentId !== undefined && { agentId }),
        ...(maxConcurrentCalls !== undefined && { maxConcurrentCalls }),
        ...(retry?.max_retries !== undefined && { maxRetries: retry.max_retries }),
        ...(retry?.retry_interval_minutes !== undefined && { retryIntervalMinutes: retry.retry_interval_minutes }),
      };
      let changed = campaign;
      if (Object.keys(change).length > 0) changed = await campaigns.change(campaign.organizationId, campaign.id, change);
      if (status !== undefined) changed = await campaigns.act(campaign.organizationId, campaign.id, verbFor(status, changed));
      return toCampaign(changed);
    },
  );

  for (const verb of ['pause', 'resume', 'cancel'] as const) {
    app.post<{ Params: Params }>(
      `/campaigns/:id/${verb}`,
      {
        schema: {
          summary: `${SUMMARIES[verb]} a campaign`,
          params,
          response: { 200: CampaignActed, 404: ErrorBody, 409: ErrorBody, ...refusals },
        },
      },
      async (request) => {
        const found = await find(request);
        const { id, status } = toCampaign(await campaigns.act(found.organizationId, found.id, verb));
        return { id, status };
      },
    );
  }

  async function find(request: FastifyRequest<{ Params: Params }>): Promise<Campaign> {
    const id = internalId('cmp', request.params.id);
    const campaign = id === null ? null : await campaigns.find(request.caller.organizationId, id);
    if (campaign === null) throw notFound('Campaign');
    return campaign;
  }
}

const SUMMARIES = { pause: 'Pause', resume: 'Resume', cancel: 'Cancel' } as const;

/** What a wanted status means as a verb; whether it can be done is for the table of states. */
function verbFor(status: 'paused' | 'running' | 'active' | 'cancelled', campaign: Campaign): CampaignVerb {
  if (status === 'paused') return 'pause';
  if (status === 'cancelled') return 'cancel';
  return campaign.status === 'draft' ? 'start' : 'resume';
}
