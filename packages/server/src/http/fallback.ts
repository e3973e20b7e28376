import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendError as sendDialnexa } from './dialnexa/errors.ts';
import { UnfitInput } from './input.ts';
import { otherMethod } from './methods.ts';
import { sendProblem } from './operator/problems.ts';
import { sendError as sendOptimaldial } from './optimaldial/errors.ts';
import { sendError as sendOutboundiq } from './outboundiq/errors.ts';
import { sendPanelProblem } from './panel/problems.ts';

type Send = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** In whose words a request is answered that never comes into a surface's own scope. */
const SENDERS: readonly (readonly [prefix: string, send: Send])[] = [
  ['/api/v1', sendOptimaldial],
  ['/v1/', sendDialnexa],
  ['/operator/', sendProblem],
  ['/panel/', sendPanelProblem],
  ['/dials', sendOutboundiq],
  ['/custom/', sendOutboundiq],
];

/** For an address that cannot be decoded: it fits no route. */
export function sendBadAddress(request: FastifyRequest, reply: FastifyReply): void {
  senderOf(request)(new UnfitInput({ path: ['path'], message: 'is not UTF-8 in percent encoding' }), request, reply);
}

/** For an address outside of the prefixes that have a handler of their own. */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const error = otherMethod(request, reply);
  if (error === null) void reply.code(404).send({ detail: 'Not found' });
  else senderOf(request)(error, request, reply);
}

function senderOf({ url }: FastifyRequest): Send {
  return SENDERS.find(([prefix]) => url.startsWith(prefix))?.[1] ?? sendPlain;
}

function sendPlain(error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  const { message, statusCode } = error as { readonly message: string; readonly statusCode: number };
  void reply.code(statusCode).send({ detail: message });
}
