import pg from 'pg';

/** What a caller is told when the database is at fault. Each is answered with 503 and `Retry-After`. */
export const DATABASE_TROUBLE = {
  database_unavailable: 'The database does not answer',
  read_timeout: 'The read took longer than it may',
} as const;

/** The database gave no answer: it is away, unreachable, or too slow. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  readonly code: keyof typeof DATABASE_TROUBLE;
  constructor(code: keyof typeof DATABASE_TROUBLE, detail: string, cause?: unknown) {
    super(`${DATABASE_TROUBLE[code]}: ${detail}`, { cause });
    this.code = code;
  }
}

/**
 * SQLSTATEs that say that the server cannot do its work now, whatever the statement was: the same call may succeed in
 * a moment, perhaps on another server. Source: PostgreSQL's errcodes, appendix A of its manual.
 */
const TRANSIENT: readonly (readonly [RegExp, why: string])[] = [
  [/^08/, 'the connection broke'],
  [/^25006$/, 'read only: a standby, or a primary that became one'],
  [/^25P0[34]$/, 'the transaction was idle or open for too long'],
  [/^40001$/, 'cancelled by the recovery of a standby'],
  [/^40P01$/, 'a deadlock, also one with the recovery of a standby'],
  [/^53/, 'out of connections, memory or disk'],
  [/^55P03$/, 'a lock was not free in time'],
  [/^57014$/, 'took longer than the statement timeout, or was cancelled'],
  [/^57P0[1-5]$/, 'shut down, crashed, or not yet started'],
  [/^58/, 'the host of the database is in trouble, such as an unreadable file'],
];

/** Of these, the ones after which this connection is of no use, although it is still open. */
const LEAVE = /^(08|25006|25P0[34]|57P0)/;

/**
 * Whether the database could not do its work now, and not the statement was wrong. The caller may try again later; a
 * commit whose answer was lost may have happened.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  const state = sqlState(error);
  return state !== undefined && TRANSIENT.some(([pattern]) => pattern.test(state));
}

/** Whether the connection that gave this error must be closed, so that the next one may find the new primary. */
export function isLeavable(error: unknown): boolean {
  return LEAVE.test(sqlState(error) ?? '');
}

/** Whether the statement was ended by the server's time limit. */
export function isTimeLimit(error: unknown): boolean {
  return sqlState(error) === '57014';
}

export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return sqlState(error) === '23505' && (constraint === undefined || (error as { constraint?: string }).constraint === constraint);
}

/** Whether the values were at fault (SQLSTATE classes 22 and 23), and not the connection or the server: trying again does not help. */
export function isDataError(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
