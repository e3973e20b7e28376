import type { FastifyReply, FastifyRequest } from 'fastify';
import { CallError } from '../../calls/model.ts';
import { UploadRefused } from '../../lists/model.ts';
import { Refusal as DialnexaRefusal } from '../dialnexa/errors.ts';
import { Problem, sendProblem, type ProblemCode } from '../operator/problems.ts';
import { Refusal as OptimaldialRefusal } from '../optimaldial/errors.ts';
import { Refusal as OutboundiqRefusal } from '../outboundiq/errors.ts';

/** What a status of a vendor's surface is called here. */
const BY_STATUS: Record<number, ProblemCode | undefined> = {
  400: 'invalid_request',
  402: 'insufficient_credits',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  408: 'body_too_slow',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  422: 'invalid_request',
  429: 'too_many_requests',
  503: 'inbox_full',
};

/** The panel uses the vendors' routes too; here everything that goes wrong is a problem. */
export function sendPanelProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(translate(error), request, reply);
}

function translate(error: unknown): unknown {
  if (error instanceof CallError) {
    const code = ({ not_found: 'not_found', invalid: 'invalid_request', conflict: 'conflict' } as const)[error.code];
    return new Problem(code, error.message);
  }
  if (
    error instanceof UploadRefused ||
    error instanceof DialnexaRefusal ||
    error instanceof OptimaldialRefusal ||
    error instanceof OutboundiqRefusal
  ) {
    const isFull = error instanceof UploadRefused && error.status === 503;
    const code = isFull ? 'uploads_full' : BY_STATUS[error.status];
    if (code !== undefined) return new Problem(code, error.message);
  }
  return error;
}
