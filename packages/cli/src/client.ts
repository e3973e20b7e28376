import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CliError } from './output.ts';

/** Longer than any call should take; a command must not hang for ever on a server that does. */
const TIMEOUT_MS = 30_000;

/** The operator API of the running server. */
export class OperatorClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** From the command's options, then the environment, then what the server left in the data directory. */
  static from(command: Command): OperatorClient {
    const options = command.optsWithGlobals<{ url?: string; token?: string }>();
    const { env } = process;
    const url = options.url ?? env.DIALHOOK_URL ?? `http://${env.HOST || '127.0.0.1'}:${env.PORT || '8400'}`;
    return new OperatorClient(url.replace(/\/+$/, ''), options.token ?? env.DIALHOOK_OPERATOR_TOKEN ?? savedToken());
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`${this.#url}/operator/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new CliError(`No server answers at ${this.#url} (${reason(error)}). Start one with \`dialhook serve\`, or name it with --url.`);
    }
    const text = await response.text();
    if (!response.ok) throw new CliError(problemText(response.status, text));
    return JSON.parse(text) as T;
  }
}

function savedToken(): string {
  const path = join(process.env.DIALHOOK_DATA_DIR || './.dialhook', 'operator-token');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new CliError(`There is no operator token: set DIALHOOK_OPERATOR_TOKEN, or run where ${path} can be read.`);
  }
}

function reason(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
}

function problemText(status: number, text: string): string {
  try {
    const { code, detail } = JSON.parse(text) as { code?: string; detail?: string };
    if (detail !== undefined) return `${detail} (${code ?? status})`;
  } catch {
    // not a problem document: whatever answered is not Dialhook
  }
  return `The server answered ${status}.`;
}
