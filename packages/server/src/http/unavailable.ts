import { DATABASE_TROUBLE, DatabaseUnavailable, isUnavailable } from '@dialhook/engine';

/** Long enough for a failover to get on, short enough that nobody waits for nothing. */
const RETRY_AFTER_S = 5;

export interface Unavailable {
  readonly code: keyof typeof DATABASE_TROUBLE;
  readonly message: string;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter: string;
}

/** What a surface says with 503, in its own form, when the database could not do its work; null for every other error. */
export function asUnavailable(error: unknown): Unavailable | null {
  if (!isUnavailable(error)) return null;
  const code = error instanceof DatabaseUnavailable ? error.code : 'database_unavailable';
  const message =
    code === 'read_timeout'
      ? 'The read took longer than 5 seconds and was ended; ask for less, or try again later'
      : 'The database does not answer just now; try again in a few seconds';
  return { code, message, retryAfter: String(RETRY_AFTER_S) };
}
