import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { internalId } from '../../calls/ids.ts';
import { toCampaignLead } from '../../calls/resources.ts';
import type { Context } from '../context.ts';
import { checkedNumbers } from './calls.ts';
import { CreateLead, FileForm, LeadBody, LeadPage, LeadQuery, LeadsCreated, UpdateLead } from './campaign-schemas.ts';
import { notFound } from './errors.ts';
import { leadFileRoute } from './lead-file.ts';
import { toPage } from './paging.ts';
import { Deleted, ErrorBody } from './schemas.ts';

type Params = { readonly id: string };

/** Leads of campaigns, one by one and by file (contracts/dialnexa.md 4). */
export function campaignLeadRoutes(app: FastifyInstance, { clock, leadFiles, telephony: { campaigns } }: Context): void {
  const params = Type.Object({ id: Type.String() });
  const refusals = { 401: ErrorBody, 429: ErrorBody };

  app.post<{ Body: Static<typeof CreateLead> }>(
    '/campaigns-leads',
    {
      schema: {
        summary: 'Add a lead to a campaign',
        body: CreateLead,
        response: { 201: LeadBody, 400: ErrorBody, 404: ErrorBody, 409: ErrorBody, ...refusals },
      },
    },
    async (request, reply) => {
      const { organizationId } = request.caller;
      const { campaignId, countryCode, name = null, notes = {}, phoneNumber } = request.body;
      const lead = { name, phoneNumber: checkedNumbers({ phoneNumber }, countryCode).phoneNumber!, fields: JSON.stringify(notes) };
      const [id] = await campaigns.addLeads(organizationId, campaignOf(campaignId), [lead]);
      return reply.code(201).send(toCampaignLead((await campaigns.findLead(organizationId, id!))!));
    },
  );

  app.get<{ Querystring: Static<typeof LeadQuery> }>(
    '/campaigns-leads',
    {
      schema: {
        summary: 'List a campaign’s leads, newest first',
        querystring: LeadQuery,
        response: { 200: LeadPage, 400: ErrorBody, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { campaignId, status } = request.query;
      const leads = await campaigns.listLeads(request.caller.organizationId, campaignOf(campaignId), status, request.query);
      return toPage(leads, request.query, toCampaignLead);
    },
  );

  app.get<{ Params: Params }>(
    '/campaigns-leads/:id',
    { schema: { summary: 'Retrieve a lead', params, response: { 200: LeadBody, 404: ErrorBody, ...refusals } } },
    async (request) => {
      const lead = await campaigns.findLead(request.caller.organizationId, leadOf(request.params.id));
      if (lead === null) throw notFound('Lead');
      return toCampaignLead(lead);
    },
  );

  app.patch<{ Params: Params; Body: Static<typeof UpdateLead> }>(
    '/campaigns-leads/:id',
    {
      schema: {
        summary: 'Change a lead that was not called yet',
        params,
        body: UpdateLead,
        response: { 200: LeadBody, 400: ErrorBody, 404: ErrorBody, 409: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { countryCode, name, notes, phoneNumber } = request.body;
      const change = {
        ...(name !== undefined && { name }),
        ...(phoneNumber !== undefined && { phoneNumber: checkedNumbers({ phoneNumber }, countryCode).phoneNumber! }),
        ...(notes !== undefined && { notes: JSON.stringify(notes) }),
      };
      return toCampaignLead(await campaigns.changeLead(request.caller.organizationId, leadOf(request.params.id), change));
    },
  );

  app.delete<{ Params: Params }>(
    '/campaigns-leads/:id',
    { schema: { summary: 'Remove a lead', params, response: { 200: Deleted, 404: ErrorBody, 409: ErrorBody, ...refusals } } },
    async (request) => {
      await campaigns.removeLead(request.caller.organizationId, leadOf(request.params.id));
      return { message: 'Lead removed from campaign.' };
    },
  );

  leadFileRoute(
    app,
    { clock, leadFiles },
    {
      path: '/campaigns-leads/upload-file/:id',
      schema: {
        summary: 'Add the leads of a CSV or XLSX file to a campaign',
        params,
        response: { 201: LeadsCreated, 400: ErrorBody, 404: ErrorBody, 409: ErrorBody, ...refusals },
        requestBodies: { 'multipart/form-data': FileForm },
      },
      hasNames: true,
      add: async ({ organizationId }, publicCampaignId, leads, skipped) => {
        const ids = await campaigns.addLeads(organizationId, campaignOf(publicCampaignId), leads);
        const message = `${ids.length} leads created, ${skipped} rows skipped.`;
        return { campaign_id: publicCampaignId, leads_created: ids.length, leads_skipped: skipped, message };
      },
    },
  );
}

function campaignOf(publicId: string): string {
  const id = internalId('cmp', publicId);
  if (id === null) throw notFound('Campaign');
  return id;
}

function leadOf(publicId: string): string {
  const id = internalId('lead', publicId);
  if (id === null) throw notFound('Lead');
  return id;
}
