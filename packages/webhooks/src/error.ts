/** Why a delivery was refused. Stable: receivers may branch on it. */
export type WebhookErrorCode =
  | 'missing_header' // a header that the scheme needs is absent
  | 'malformed_header' // a header is there but does not have the scheme's form
  | 'timestamp_too_old' // signed longer ago than the tolerance: a replay, or a clock that runs ahead
  | 'timestamp_too_new' // signed further in the future than the tolerance
  | 'signature_mismatch' // no signature in the header matches the body and the secret
  | 'malformed_secret' // the secret cannot be used with this scheme
  | 'invalid_json'; // the signature is right, but the body is not JSON (only from `unwrap`)

/** The one error that this package throws. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  readonly code: WebhookErrorCode;

  constructor(code: WebhookErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
