import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { internalId, publicId } from '../../calls/ids.ts';
import { toHistoryEntry, toWorkflow, toWorkflowLead } from '../../calls/resources.ts';
import type { Context } from '../context.ts';
import { FileForm } from './campaign-schemas.ts';
import { Refusal } from './errors.ts';
import { leadFileRoute } from './lead-file.ts';
import { toPage } from './paging.ts';
import { Deleted, ErrorBody } from './schemas.ts';
import {
  CreateWorkflow,
  HistoryBody,
  LeadsEnrolled,
  UpdateWorkflow,
  WorkflowActed,
  WorkflowBody,
  WorkflowLeadPage,
  WorkflowLeadQuery,
  WorkflowPage,
  WorkflowQuery,
} from './workflow-schemas.ts';

type Params = { readonly id: string };
type LeadParams = Params & { readonly lead_id: string };

const SUMMARIES = { activate: 'Activate', pause: 'Pause', resume: 'Resume', cancel: 'Cancel' } as const;

/** Workflows and their leads (contracts/dialnexa.md 5). */
export function workflowRoutes(app: FastifyInstance, { clock, leadFiles, telephony: { workflows } }: Context): void {
  const params = Type.Object({ id: Type.String() });
  const leadParams = Type.Object({ id: Type.String(), lead_id: Type.String() });
  const refusals = { 401: ErrorBody, 429: ErrorBody };
  const idOf = ({ id }: Params) => internalId('wf', id);

  app.post<{ Body: Static<typeof CreateWorkflow> }>(
    '/workflows',
    {
      schema: {
        summary: 'Create a workflow, as a draft',
        body: CreateWorkflow,
        response: { 201: WorkflowBody, 400: ErrorBody, ...refusals },
      },
    },
    async (request, reply) => {
      const { description = '', title } = request.body;
      return reply
        .code(201)
        .send(toWorkflow(await workflows.create({ organizationId: request.caller.organizationId, title, description })));
    },
  );

  app.get<{ Querystring: Static<typeof WorkflowQuery> }>(
    '/workflows',
    {
      schema: {
        summary: 'List workflows, newest first',
        querystring: WorkflowQuery,
        response: { 200: WorkflowPage, 400: ErrorBody, ...refusals },
      },
    },
    async (request) =>
      toPage(await workflows.list(request.caller.organizationId, request.query.status, request.query), request.query, toWorkflow),
  );

  app.get<{ Params: Params }>(
    '/workflows/:id',
    { schema: { summary: 'Retrieve a workflow', params, response: { 200: WorkflowBody, 404: ErrorBody, ...refusals } } },
    async (request) => toWorkflow(await workflows.find(request.caller.organizationId, idOf(request.params))),
  );

  app.patch<{ Params: Params; Body: Static<typeof UpdateWorkflow> }>(
    '/workflows/:id',
    {
      schema: {
        summary: 'Change title and description',
        params,
        body: UpdateWorkflow,
        response: { 200: WorkflowBody, 400: ErrorBody, 404: ErrorBody, 409: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { organizationId } = request.caller;
      const { description, status, title } = request.body;
      await workflows.find(organizationId, idOf(request.params));
      if (status !== undefined) throw new Refusal(409, 'status is changed by activate, pause, resume and cancel');
      if (title === undefined && description === undefined) throw new Refusal(400, ['title or description is required']);
      const change = { ...(title !== undefined && { title }), ...(description !== undefined && { description }) };
      return toWorkflow(await workflows.rename(organizationId, idOf(request.params), change));
    },
  );

  for (const verb of ['activate', 'pause', 'resume', 'cancel'] as const) {
    app.post<{ Params: Params }>(
      `/workflows/:id/${verb}`,
      {
        schema: {
          summary: `${SUMMARIES[verb]} a workflow`,
          params,
          response: { 200: WorkflowActed, ...(verb === 'activate' && { 400: ErrorBody }), 404: ErrorBody, 409: ErrorBody, ...refusals },
        },
      },
      async (request) => {
        const { id, status } = toWorkflow(await workflows.act(request.caller.organizationId, idOf(request.params), verb));
        return { id, status };
      },
    );
  }

  app.post<{ Params: Params }>(
    '/workflows/:id/duplicate',
    {
      schema: { summary: 'Copy a workflow’s graph into a new draft', params, response: { 201: WorkflowBody, 404: ErrorBody, ...refusals } },
    },
    async (request, reply) =>
      reply.code(201).send(toWorkflow(await workflows.duplicate(request.caller.organizationId, idOf(request.params)))),
  );

  app.delete<{ Params: Params }>(
    '/workflows/:id',
    {
      schema: {
        summary: 'Delete a workflow that is not active',
        params,
        response: { 200: Deleted, 404: ErrorBody, 409: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      await workflows.delete(request.caller.organizationId, idOf(request.params));
      return { message: 'Workflow deleted.' };
    },
  );

  leadFileRoute(
    app,
    { clock, leadFiles },
    {
      path: '/workflows/:id/leads',
      schema: {
        summary: 'Enrol the leads of a CSV or XLSX file',
        params,
        response: { 201: LeadsEnrolled, 400: ErrorBody, 404: ErrorBody, 409: ErrorBody, ...refusals },
        requestBodies: { 'multipart/form-data': FileForm },
      },
      hasNames: false,
      add: async ({ organizationId }, id, leads, skipped) => {
        await workflows.enrol(organizationId, internalId('wf', id), leads);
        return { workflow_id: id, leads_enrolled: leads.length, message: `${leads.length} leads enrolled, ${skipped} rows skipped.` };
      },
    },
  );

  app.get<{ Params: Params; Querystring: Static<typeof WorkflowLeadQuery> }>(
    '/workflows/:id/leads',
    {
      schema: {
        summary: 'List a workflow’s leads, newest first',
        params,
        querystring: WorkflowLeadQuery,
        response: { 200: WorkflowLeadPage, 400: ErrorBody, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const leads = await workflows.listLeads(request.caller.organizationId, idOf(request.params), request.query.status, request.query);
      return toPage(leads, request.query, toWorkflowLead);
    },
  );

  app.delete<{ Params: LeadParams }>(
    '/workflows/:id/leads/:lead_id',
    { schema: { summary: 'Remove a lead', params: leadParams, response: { 200: Deleted, 404: ErrorBody, 409: ErrorBody, ...refusals } } },
    async (request) => {
      await workflows.removeLead(request.caller.organizationId, idOf(request.params), internalId('wlead', request.params.lead_id));
      return { message: 'Lead removed from workflow.' };
    },
  );

  app.get<{ Params: LeadParams }>(
    '/workflows/:id/leads/:lead_id/history',
    {
      schema: {
        summary: 'Retrieve the steps that a lead took',
        params: leadParams,
        response: { 200: HistoryBody, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const { organizationId } = request.caller;
      const { lead, steps } = await workflows.history(organizationId, idOf(request.params), internalId('wlead', request.params.lead_id));
      return { id: publicId('wlead', lead.id), workflow_id: publicId('wf', lead.workflowId), history: steps.map(toHistoryEntry) };
    },
  );
}
