import { EngineError, PingFailed } from '@dialhook/engine';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { LimitHit } from '../../accounts/write-limits.ts';
import { UploadRefused } from '../../lists/model.ts';
import { describeError } from '../../schema.ts';
import { asUnavailable } from '../unavailable.ts';

/** The vendor's one envelope: a text, or an object with a code (contracts/optimaldial.md 3). */
export type Detail = string | { readonly error: string; readonly [key: string]: unknown };

/** An answer that a handler wants to give instead of going on. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly detail: Detail;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, detail: Detail, headers: Readonly<Record<string, string>> = {}) {
    super(typeof detail === 'string' ? detail : detail.error);
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}

export const unauthorized = () => new Refusal(401, 'Invalid or missing API key', { 'www-authenticate': 'Bearer' });
export const notFound = (what: string) => new Refusal(404, `${what} not found`);

export function rateLimited(hit: LimitHit): Refusal {
  const detail = { error: 'rate_limit_exceeded', limit: hit.limit, observed: hit.observed, retry_after_seconds: hit.retryAfterSeconds };
  return new Refusal(429, detail, { 'retry-after': String(hit.retryAfterSeconds) });
}

/** Everything that can go wrong on this surface, in its own words. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof UploadRefused) return new Refusal(error.status, error.message, error.status === 503 ? { 'retry-after': '5' } : {});
  if (error instanceof PingFailed) return pingFailed('The endpoint gave no 2xx answer to the ping.', error.status, error.reason);
  if (error instanceof EngineError) {
    if (error.code === 'invalid_url') return pingFailed(`url ${error.message}`, null, error.detail);
    if (error.code === 'invalid_events') return new Refusal(400, `events: ${error.message}`);
    if (error.code === 'inbox_full') return new Refusal(503, error.message, { 'retry-after': '1' });
    return new Refusal(400, error.message);
  }
  const unavailable = asUnavailable(error);
  if (unavailable !== null) return new Refusal(503, unavailable.message, { 'retry-after': unavailable.retryAfter });
  const { code, statusCode, validation } = error as Partial<FastifyError>;
  if (validation !== undefined) return new Refusal(400, describeError(validation[0] as never).message);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Refusal(415, 'Content-Type is not supported');
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
  void reply.code(refusal.status).headers(refusal.headers).send({ detail: refusal.detail });
}

function pingFailed(message: string, statusCode: number | null, underlying: string | null): Refusal {
  return new Refusal(400, { error: 'ping_failed', message, status_code: statusCode, underlying_error: underlying });
}
