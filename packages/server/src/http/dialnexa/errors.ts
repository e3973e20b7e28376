import { STATUS_CODES } from 'node:http';
import { EngineError } from '@dialhook/engine';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { CallError } from '../../calls/model.ts';
import { UploadRefused } from '../../lists/model.ts';
import { describeError } from '../../schema.ts';
import { asUnavailable } from '../unavailable.ts';

/** An answer that a handler wants to give instead of going on; one line, or one for each bad field. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly lines: string | readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, lines: string | readonly string[], headers: Readonly<Record<string, string>> = {}) {
    super(String(lines));
    this.status = status;
    this.lines = lines;
    this.headers = headers;
  }
}

export const unauthorized = () => new Refusal(401, 'Unauthorized');
export const notFound = (what: string) => new Refusal(404, `${what} not found`);

/** What of the engine's refusals is which field's fault. */
const FIELDS: Partial<Record<EngineError['code'], string>> = {
  invalid_url: 'url',
  invalid_events: 'events',
  invalid_secret: 'secret',
};

const CALL_STATUSES: Record<CallError['code'], number> = { not_found: 404, invalid: 400, conflict: 409 };

/** Everything that can go wrong on this surface, in its own words (contracts/dialnexa.md 1, errors). */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof EngineError) {
    const field = FIELDS[error.code];
    if (field !== undefined) return new Refusal(400, [`${field} ${error.message}`]);
    return error.code === 'inbox_full' ? new Refusal(503, error.message, { 'retry-after': '1' }) : new Refusal(409, error.message);
  }
  if (error instanceof CallError) return new Refusal(CALL_STATUSES[error.code], error.code === 'invalid' ? error.lines : error.message);
  if (error instanceof UploadRefused)
    return new Refusal(
      error.status,
      error.status === 400 ? [error.message] : error.message,
      error.status === 503 ? { 'retry-after': '5' } : {},
    );
  const unavailable = asUnavailable(error);
  if (unavailable !== null) return new Refusal(503, unavailable.message, { 'retry-after': unavailable.retryAfter });
  const { code, statusCode, validation } = error as Partial<FastifyError>;
  if (validation !== undefined) return new Refusal(400, [...new Set(validation.map((one) => describeError(one as never).message))]);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Refusal(415, 'Content-Type must be application/json');
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refusal(413, 'The body is too large');
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return new Refusal(400, ['the body must be a JSON object']);
  if (statusCode === 405) return new Refusal(405, 'Method Not Allowed');
  if (statusCode === 408) return new Refusal(408, 'The body did not arrive in time');
  if (statusCode === 400) return new Refusal(400, ['the body is not valid JSON']);
  return new Refusal(500, 'Internal server error');
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { headers, lines, status } = toRefusal(error);
  if (status >= 500) request.log.error({ err: error }, 'request failed');
  void reply
    .code(status)
    .headers(headers)
    .send({ statusCode: status, message: lines, error: STATUS_CODES[status] ?? 'Error' });
}
