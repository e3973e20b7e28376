/**
 * Every reason an attempt can fail with, as it is stored, shown and documented (docs/errors.md lists the same codes,
 * and a test compares the two).
 */
export const ATTEMPT_ERRORS = {
  timeout: 'No complete answer within the dialect’s timeout.',
  dns_error: 'The host name does not resolve to public addresses.',
  connection_error: 'The connection was refused, reset or closed before the answer was complete.',
  tls_error: 'The TLS handshake failed: expired, self-signed or wrong host.',
  url_not_https: 'The URL is not https, or holds a user name or password.',
  response_too_large: 'The answer’s headers are larger than the limit.',
  secret_unreadable: 'The endpoint’s secret cannot be opened with this server’s key. The delivery waits and uses up no attempt.',
  internal_error: 'The request could not be made because of a fault of this server, which is in its log.',
  endpoint_deleted: 'The endpoint was deleted while the delivery was unfinished.',
  endpoint_disabled: 'The endpoint was switched off while the delivery was unfinished, and its dialect keeps nothing for later.',
  event_expired: 'The event is older than the retention time and was removed before it could be delivered.',
  result_unstorable: 'The result of the last attempt could not be stored as it was, and the delivery was ended with it.',
} as const;

/** A code of `ATTEMPT_ERRORS`, or `HTTP <status>` for a complete answer that is not 2xx. */
export type AttemptError = keyof typeof ATTEMPT_ERRORS | `HTTP ${number}`;

/** What the engine refuses its caller, with a code that callers branch on. */
export type EngineErrorCode =
  | 'inbox_full' // more is waiting to be written than the limit: try again shortly
  | 'unknown_dialect'
  | 'unknown_endpoint'
  | 'invalid_url'
  | 'invalid_events'
  | 'invalid_secret'
  | 'invalid_headers'
  | 'invalid_rate_limit'
  | 'invalid_retention'
  | 'invalid_time_range'
  | 'unknown_delivery'
  | 'not_resendable' // its endpoint or event is gone, or it is being sent just now
  | 'replay_limit'
  | 'search_busy' // another search goes on: try again when it is over
  | 'endpoint_limit'
  | 'version_mismatch'; // the endpoint was changed by somebody else meanwhile

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  /** A finer reason, such as the attempt error of a refused URL. */
  readonly detail: string | null;

  constructor(code: EngineErrorCode, message: string, detail: string | null = null) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}
