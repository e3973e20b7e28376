import { unknownEvents, type Dialect } from './dialect.ts';
import { EngineError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** What an endpoint may be set to. Each throws an `EngineError` that says what is allowed. */

/** Headers that belong to HTTP or to us, in every dialect. `*` at the end means any name that begins so. */
const RESERVED_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'user-agent',
  'host',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-*',
];
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The event types without duplicates, in the order given; null for "every event". */
export function checkedEvents(dialect: Dialect, events: readonly string[] | undefined): readonly string[] | null {
  if (events === undefined) return dialect.defaultEvents;
  if (events.length === 0) throw new EngineError('invalid_events', 'must not be empty');
  const unknown = unknownEvents(dialect, events);
  if (unknown.length > 0) {
    const allowed = dialect.eventTypes instanceof RegExp ? `types that match ${dialect.eventTypes.source}` : dialect.eventTypes.join(', ');
    throw new EngineError('invalid_events', `unknown event type ${JSON.stringify(unknown[0])}; allowed are ${allowed}`);
  }
  return [...new Set(events)];
}

/** The caller's secret, or a new one. */
export function checkedSecret(dialect: Dialect, secret: string | undefined): string {
  if (secret === undefined) {
    if (dialect.secret.ownership === 'caller-supplied') throw new EngineError('invalid_secret', 'must be given');
    return dialect.secret.generate();
  }
  const refusal = dialect.secret.refuse(secret);
  if (refusal !== null) throw new EngineError('invalid_secret', refusal);
  return secret;
}

/** Requests a second; null for no limit. */
export function checkedRateLimit(rate: number | null): number | null {
  if (rate === null || (rate >= LIMITS.minRateLimit && rate <= LIMITS.maxRateLimit)) return rate;
  throw new EngineError('invalid_rate_limit', `must be null or from ${LIMITS.minRateLimit} to ${LIMITS.maxRateLimit} requests a second`);
}

/** Custom headers that break neither HTTP nor the dialect. */
export function checkedHeaders(dialect: Dialect, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = Object.keys(headers);
  if (names.length > LIMITS.customHeaders) throw new EngineError('invalid_headers', `at most ${LIMITS.customHeaders} headers are allowed`);
  for (const name of names) {
    if (!HEADER_NAME.test(name)) throw new EngineError('invalid_headers', `${JSON.stringify(name)} is not a header name`);
    if (isReserved(name.toLowerCase(), dialect)) throw new EngineError('invalid_headers', `${name} is reserved`);
    const value = headers[name]!;
    if (value.length > LIMITS.customHeaderLength || !HEADER_VALUE.test(value)) {
      throw new EngineError(
        'invalid_headers',
        `the value of ${name} must be printable and at most ${LIMITS.customHeaderLength} characters`,
      );
    }
  }
  return headers;
}

function isReserved(name: string, dialect: Dialect): boolean {
  return [...RESERVED_HEADERS, ...dialect.reservedHeaders].some((reserved) =>
    reserved.endsWith('*') ? name.startsWith(reserved.slice(0, -1)) : name === reserved,
  );
}
