import { pino, type Logger } from 'pino';

/** JSON lines on standard output. `level` as in the configuration. */
export function openLog(level: string): Logger {
  return pino({ level, serializers: { err: describeError } });
}

/** Errors without their extra fields: PostgreSQL puts the values of a row, and so phone numbers, into one of them. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as NodeJS.ErrnoException;
  return { type: error.name, message: error.message, ...(code !== undefined && { code }), stack: error.stack };
}
