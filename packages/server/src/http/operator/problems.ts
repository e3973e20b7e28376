import { EngineError, PingFailed } from '@dialhook/engine';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { AccountError } from '../../accounts/model.ts';
import { describeError } from '../../schema.ts';
import { asUnavailable } from '../unavailable.ts';

/** Every problem of the operator API: status and title by code. docs/errors.md lists the same; a test compares them. */
export const PROBLEMS = {
  unauthorized: [401, 'The operator token is missing or wrong'],
  unauthenticated: [401, 'Nobody is signed in, or the session is over'],
  wrong_credentials: [401, 'E-mail or password is wrong'],
  forbidden: [403, 'This is not allowed to you'],
  owners_only: [403, 'Only an owner of the organization may do this'],
  forged_origin: [403, 'The request does not come from a page of this server'],
  not_found: [404, 'There is no such thing here'],
  method_not_allowed: [405, 'The address does not have this method'],
  malformed_json: [400, 'The body is not valid JSON'],
  invalid_request: [400, 'A field is missing or not valid'],
  body_too_slow: [408, 'The body did not arrive in time'],
  body_too_large: [413, 'The body is larger than the limit'],
  unsupported_media_type: [415, 'The body must be application/json'],
  ping_failed: [400, 'The endpoint gave no 2xx answer to the ping'],
  slug_taken: [409, 'An organization with this slug exists already'],
  email_taken: [409, 'A user with this e-mail exists already'],
  not_an_owner: [409, 'Only an owner can hold an API key'],
  weak_password: [400, 'The password is one that is guessed first'],
  invitation_for_another: [403, 'The invitation is for another e-mail address'],
  other_session: [409, 'Somebody else is signed in in this browser'],
  no_new_email: [409, 'The member has asked for no new e-mail address'],
  too_many_keys: [409, 'As many API keys are in use as may be'],
  already_member: [409, 'The user is a member already'],
  too_many_invitations: [409, 'As many invitations are open as may be'],
  link_needs_user: [400, 'The link is an invitation and does not say who joins'],
  link_expired: [410, 'The link was used already, or it is too old'],
  email_needed: [400, 'A password needs an e-mail address to sign in with'],
  too_many_attempts: [429, 'Too many failed attempts to sign in'],
  proof_needed: [429, 'Many sign in at once: a proof of work is needed'],
  too_many_requests: [429, 'Too many requests'],
  conflict: [409, 'The state of the thing does not allow this'],
  last_owner: [409, 'The last owner cannot be removed'],
  endpoint_limit: [409, 'The organization has as many endpoints as the dialect allows'],
  not_resendable: [409, 'The delivery cannot be sent again'],
  replay_limit: [409, 'As many replays of the organization run as may at once'],
  calls_simulated: [409, 'Calls are simulated here: there are none to take'],
  version_mismatch: [412, 'The endpoint was changed since it was read'],
  idempotency_mismatch: [422, 'The Idempotency-Key was used for another call'],
  idempotency_in_progress: [409, 'The first call with this Idempotency-Key is still being done'],
  insufficient_credits: [402, 'The organization has too few credits'],
  inbox_full: [503, 'Too many events are waiting to be stored'],
  streams_full: [503, 'Too many pages follow their deliveries'],
  uploads_full: [503, 'Too many uploads are under way'],
  database_unavailable: [503, 'The database does not answer'],
  read_timeout: [503, 'The read took longer than it may'],
  search_busy: [429, 'A search is still going on'],
  internal: [500, 'Something failed on our side'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457, with a stable code to branch on. */
export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    field: Type.Optional(Type.String()),
  },
  {
    examples: [
      {
        type: 'about:blank#invalid_request',
        title: PROBLEMS.invalid_request[1],
        status: 400,
        code: 'invalid_request',
        detail: 'slug is required',
        field: 'slug',
      },
    ],
  },
);

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  /** The field that is wrong, as a path into the body. */
  readonly field: string | undefined;
  /** Seconds; every 503 has it. */
  readonly retryAfter: string;
  constructor(code: ProblemCode, detail: string = PROBLEMS[code][1], field?: string, retryAfter = '1') {
    super(detail);
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}

/** Everything that can go wrong on this surface, as a problem. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PingFailed)
    return new Problem('ping_failed', `The endpoint answered ${error.status ?? error.reason ?? 'nothing'} to the ping.`, 'url');
  if (error instanceof AccountError) {
    if (error.code.startsWith('unknown_')) return new Problem('not_found', error.message);
    return new Problem(error.code as ProblemCode, error.message);
  }
  if (error instanceof EngineError) return fromEngine(error);
  const unavailable = asUnavailable(error);
  if (unavailable !== null) return new Problem(unavailable.code, unavailable.message, undefined, unavailable.retryAfter);
  const { code, statusCode, validation } = error as Partial<FastifyError>;
  if (validation !== undefined) {
    const { field, message } = describeError(validation[0] as never);
    return new Problem('invalid_request', message, field);
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Problem('unsupported_media_type');
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('body_too_large');
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return new Problem('malformed_json', 'The body is empty');
  if (statusCode === 405) return new Problem('method_not_allowed');
  if (statusCode === 408) return new Problem('body_too_slow');
  if (statusCode === 400) return new Problem('malformed_json');
  return new Problem('internal');
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error);
  const [status, title] = PROBLEMS[problem.code];
  if (status >= 500) request.log.error({ err: error }, 'request failed');
  if (problem.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer');
  if (status === 503 || problem.code === 'search_busy') void reply.header('retry-after', problem.retryAfter);
  void reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `about:blank#${problem.code}`,
      title,
      status,
      code: problem.code,
      detail: problem.message,
      ...(problem.field && { field: problem.field }),
    });
}

function fromEngine(error: EngineError): Problem {
  switch (error.code) {
    case 'inbox_full':
    case 'search_busy':
    case 'endpoint_limit':
    case 'version_mismatch':
    case 'not_resendable':
    case 'replay_limit':
      return new Problem(error.code, error.message);
    case 'unknown_endpoint':
    case 'unknown_delivery':
      return new Problem('not_found', error.message);
    case 'unknown_dialect':
      return new Problem('invalid_request', `dialect ${error.message}`, 'dialect');
    case 'invalid_time_range':
      return new Problem('invalid_request', error.message, 'since');
    case 'invalid_retention':
      return new Problem('invalid_request', `days ${error.message}`, 'days');
    case 'invalid_rate_limit':
      return new Problem('invalid_request', `rate_limit ${error.message}`, 'rate_limit');
    case 'invalid_url':
      return new Problem('invalid_request', `url ${error.message}`, 'url');
    case 'invalid_events':
      return new Problem('invalid_request', `events ${error.message}`, 'events');
    case 'invalid_secret':
      return new Problem('invalid_request', `secret ${error.message}`, 'secret');
    case 'invalid_headers':
      return new Problem('invalid_request', `headers: ${error.message}`, 'headers');
    default:
      return error.code satisfies never;
  }
}
