import { EngineError } from '@dialhook/engine';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { IntakeFull } from '../../dials/intake.ts';
import { describeError } from '../../schema.ts';
import { asUnavailable } from '../unavailable.ts';

/** An answer that a handler wants to give instead of going on. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export const unauthorized = () => new Refusal(401, 'Invalid or missing API key', { 'www-authenticate': 'Bearer' });
export const wrongKind = () => new Refusal(403, 'The API key is of the wrong type: a universal key is needed');
/** The vendor's clients read the numeric form alone (contracts/outboundiq.md 2). */
const busy = () => new Refusal(429, 'Too many requests, try again in a second', { 'retry-after': '1' });

/** Everything that can go wrong on this surface, in its own words (contracts/outboundiq.md 2: errors). */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof IntakeFull || (error instanceof EngineError && error.code === 'inbox_full')) return busy();
  const unavailable = asUnavailable(error);
  if (unavailable !== null) return new Refusal(503, unavailable.message, { 'retry-after': unavailable.retryAfter });
  const { code, statusCode, validation } = error as Partial<FastifyError>;
  if (validation !== undefined) return new Refusal(400, describeError(validation[0] as never).message);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Refusal(415, 'Content-Type must be application/json');
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refusal(413, 'The body is too large');
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return new Refusal(400, 'the body must be a JSON object');
  if (statusCode === 405) return new Refusal(405, 'Method Not Allowed');
  if (statusCode === 408) return new Refusal(408, 'The body did not arrive in time');
  if (statusCode === 400) return new Refusal(400, 'the body is not valid JSON');
  return new Refusal(500, 'Internal server error');
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = toRefusal(error);
  if (refusal.status >= 500) request.log.error({ err: error }, 'request failed');
  void reply.code(refusal.status).headers(refusal.headers).send({ success: false, message: refusal.message });
}
