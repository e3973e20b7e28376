import { createHash } from 'node:crypto';
import Type, { type Static } from 'typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { internalId } from '../../calls/ids.ts';
import type { Page } from '../../calls/model.ts';
import { toCall, toCallDetails, toCallLog } from '../../calls/resources.ts';
import { toE164 } from '../../lists/phone.ts';
import type { Context } from '../context.ts';
import { CallBody, CallCreated, CallDetails, CallLogBody, CallLogPage, CallPage, CallQuery, CreateCall } from './call-schemas.ts';
import { notFound, Refusal } from './errors.ts';
import { pageQuery, toPage } from './paging.ts';
import { ErrorBody } from './schemas.ts';

type Params = { readonly id: string };

/** Calls and their log (contracts/dialnexa.md 3). A log entry is the call under another name; it is there once the call has ended. */
export function callRoutes(app: FastifyInstance, { telephony }: Context): void {
  const { calls } = telephony;
  const params = Type.Object({ id: Type.String() });
  const refusals = { 401: ErrorBody, 429: ErrorBody };

  app.post<{ Body: Static<typeof CreateCall> }>(
    '/calls',
    { schema: { summary: 'Place a call', body: CreateCall, response: { 201: CallCreated, 400: ErrorBody, ...refusals } } },
    async (request, reply) => {
      const {
        agent_id: agentId,
        agent_version_number: agentVersionNumber = 1,
        from_phone_number: from,
        metadata = {},
        to_phone_number: to,
      } = request.body;
      const numbers = checkedNumbers({ to_phone_number: to, from_phone_number: from });
      const call = await calls.create({
        organizationId: request.caller.organizationId,
        agentId,
        agentVersionNumber,
        toPhoneNumber: numbers.to_phone_number!,
        fromPhoneNumber: numbers.from_phone_number ?? null,
        metadata: JSON.stringify(metadata),
      });
      const { agent_id, agent_version_number, created_at, id, to_phone_number } = toCall(call);
      return reply.code(201).send({ id, to_phone_number, agent_id, agent_version_number, status: 'initiated', created_at });
    },
  );

  app.get<{ Querystring: Static<typeof CallQuery> }>(
    '/calls',
    { schema: { summary: 'List calls, newest first', querystring: CallQuery, response: { 200: CallPage, 400: ErrorBody, ...refusals } } },
    async (request) => {
      const { agent_id: agentId, from, status, to } = request.query;
      const filter = {
        agentId,
        status,
        from: from === undefined ? undefined : Date.parse(from),
        to: to === undefined ? undefined : Date.parse(to),
      };
      return toPage(await calls.list(request.caller.organizationId, filter, request.query), request.query, toCall);
    },
  );

  app.get<{ Params: Params }>(
    '/calls/:id',
    { schema: { summary: 'Retrieve a call', params, response: { 200: CallBody, 404: ErrorBody, ...refusals } } },
    async (request) => toCall(await find(request, 'call')),
  );

  app.get<{ Querystring: Page }>(
    '/call-logs',
    {
      schema: {
        summary: 'List the log of calls that have ended, newest first',
        description: 'With `If-None-Match` and an unchanged page the answer is 304.',
        querystring: Type.Object(pageQuery),
        response: { 200: CallLogPage, 304: Type.Null(), 400: ErrorBody, ...refusals },
      },
    },
    async (request, reply) => {
      const page = await calls.list(request.caller.organizationId, { ended: true }, request.query);
      return unlessKnown(request, reply, toPage(page, request.query, toCallLog));
    },
  );

  app.get<{ Params: Params; Querystring: Page }>(
    '/call-logs/campaign/:id',
    {
      schema: {
        summary: 'List the log of a campaign’s calls, newest first',
        params,
        querystring: Type.Object(pageQuery),
        response: { 200: CallLogPage, 400: ErrorBody, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      const campaignId = internalId('cmp', request.params.id);
      const { organizationId } = request.caller;
      if (campaignId === null || (await telephony.campaigns.find(organizationId, campaignId)) === null) throw notFound('Campaign');
      return toPage(await calls.list(organizationId, { campaignId, ended: true }, request.query), request.query, toCallLog);
    },
  );

  app.get<{ Params: Params }>(
    '/call-logs/:id',
    { schema: { summary: 'Retrieve a log entry', params, response: { 200: CallLogBody, 404: ErrorBody, ...refusals } } },
    async (request) => toCallLog(await find(request, 'log')),
  );

  app.get<{ Params: Params }>(
    '/call-logs/:id/details',
    {
      schema: {
        summary: 'Retrieve a log entry with transcript and timeline',
        params,
        response: { 200: CallDetails, 404: ErrorBody, ...refusals },
      },
    },
    async (request) => toCallDetails(await find(request, 'log')),
  );

  async function find(request: FastifyRequest<{ Params: Params }>, prefix: 'call' | 'log') {
    const id = internalId(prefix, request.params.id);
    const call = id === null ? null : await calls.find(request.caller.organizationId, id);
    if (call === null || (prefix === 'log' && call.endedAt === null)) throw notFound(prefix === 'log' ? 'Call log' : 'Call');
    return call;
  }
}

/** 304 when the client has this very answer already. */
function unlessKnown(request: FastifyRequest, reply: FastifyReply, body: object): object {
  const tag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 27)}"`;
  reply.header('etag', tag);
  const known = (request.headers['if-none-match'] ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  return known.includes(tag) ? reply.code(304).send() : body;
}

/** Numbers in E.164 form, or a refusal that names each field that is not one. */
export function checkedNumbers<Field extends string>(
  numbers: Readonly<Record<Field, string | undefined>>,
  callingCode?: string,
): Partial<Record<Field, string>> {
  const checked: Partial<Record<Field, string>> = {};
  const bad: string[] = [];
  for (const [field, text] of Object.entries(numbers) as [Field, string | undefined][]) {
    if (text === undefined) continue;
    const number = toE164(text, callingCode);
    if (number === null) bad.push(`${field} must be a phone number in E.164 form, such as +447700900123`);
    else checked[field] = number;
  }
  if (bad.length > 0) throw new Refusal(400, bad);
  return checked;
}
