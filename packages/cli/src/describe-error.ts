import {
  DataDirectoryInUse,
  DataDirectoryNotOurs,
  DataDirectoryOnNetwork,
  DatabaseTooNew,
  DatabaseUnavailable,
  WrongSecretKey,
} from '@dialhook/engine';
import { ConfigError, OpenKeyFile } from '@dialhook/server';
import { CliError } from './output.ts';

/** One line for what people can mend themselves; the stack for what is a defect. */
export function describeError(error: unknown): string {
  const known = [
    CliError,
    ConfigError,
    DataDirectoryInUse,
    DataDirectoryNotOurs,
    DataDirectoryOnNetwork,
    DatabaseTooNew,
    DatabaseUnavailable,
    OpenKeyFile,
    WrongSecretKey,
  ].some((kind) => error instanceof kind);
  if (known) return (error as Error).message;
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `${message}. Another process has the port; set PORT to another one.`;
  if (code === 'ECONNREFUSED') return `The server cannot be reached: ${message}`;
  return stack ?? message;
}
