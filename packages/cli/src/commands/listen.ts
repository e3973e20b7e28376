import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { InvalidArgumentError, type Command } from 'commander';
import { LISTEN_PORT } from '@dialhook/server';
import { headerValue, schemes, verify, WebhookError, type SignatureScheme } from '@dialhook/webhooks';
import { CliError, printable } from '../output.ts';

/** No webhook is larger. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Secrets that are tried; a receiver for trying things out has a few endpoints. */
const MAX_SECRETS = 20;

export function addListen(program: Command): void {
  program
    .command('listen')
    .description('a small receiver on this machine: verifies what arrives and prints it')
    .option('--port <port>', 'where to listen on 127.0.0.1', portNumber, LISTEN_PORT)
    .option('--secret <secret...>', 'signing secrets; a registration reply that is posted to /secret from a terminal adds one')
    .option('--status <code>', 'what to answer, to see retries', statusCode, 200)
    .action(async (options: { port: number; secret?: string[]; status: number }, command: Command) => {
      const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
      await listen({ port: options.port, secrets: [...(options.secret ?? [])], status: options.status, json });
    });
}

async function listen(options: {
  readonly port: number;
  readonly secrets: string[];
  readonly status: number;
  readonly json: boolean;
}): Promise<void> {
  const { json, port, secrets, status } = options;
  const server = createServer((request, response) => {
    readBody(request).then(
      async (body) => {
        if (request.url === '/secret') {
          if (!isOwn(request)) {
            response.writeHead(403).end('Secrets are taken from this machine’s terminal, and not from pages of others.\n');
            return;
          }
          const secret = secretOf(body);
          if (secret !== null) secrets.unshift(secret);
          secrets.length = Math.min(secrets.length, MAX_SECRETS);
          response
            .writeHead(secret === null ? 400 : 200)
            .end(secret === null ? `There is no secret in: ${printable(body.toString('utf8'))}\n` : 'The receiver knows the secret now.\n');
          return;
        }
        response.writeHead(status).end();
        const line = await describe(request, body, secrets, status);
        process.stdout.write(printable(json ? `${JSON.stringify(line)}\n` : pretty(line)));
      },
      () => response.writeHead(413).end(),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error: Error) => {
    throw new CliError(`Port ${port} cannot be used: ${error.message}. Name another one with --port.`);
  });
  process.stdout.write(
    `Listening on http://127.0.0.1:${(server.address() as { port: number }).port}/ and answering ${status}. Stop with Ctrl-C.\n`,
  );
}

/**
 * Whether a request comes from a program on this machine or a page of this receiver. A browser names the page (`Origin`); a
 * foreign host name that was made to lead here stands in `Host`.
 */
function isOwn({ headers, method, socket }: IncomingMessage): boolean {
  const hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort}`);
  const { host = '', origin } = headers;
  const isFromPage = !['same-origin', 'none', undefined].includes(headers['sec-fetch-site'] as string | undefined);
  return method === 'POST' && hosts.includes(host) && (origin === undefined || origin === `http://${host}`) && !isFromPage;
}

interface Line {
  readonly at: string;
  readonly scheme: string | null;
  readonly event: string | null;
  readonly attempt: string | null;
  /** `verified`, `unverified` (no secret is known), or why it failed. */
  readonly signature: string;
  readonly answered: number;
  readonly body: unknown;
}

async function describe(request: IncomingMessage, body: Buffer, secrets: readonly string[], answered: number): Promise<Line> {
  const scheme = Object.values(schemes).find(({ signatureHeader }) => headerValue(request.headers, signatureHeader) !== null) ?? null;
  const parsed = parse(body);
  const { event, type } = (parsed ?? {}) as { event?: unknown; type?: unknown };
  const name = type ?? event;
  return {
    at: new Date().toISOString(),
    scheme: scheme?.name ?? null,
    event: typeof name === 'string' ? name : null,
    attempt: headerValue(request.headers, 'x-optimaldial-attempt'),
    signature: scheme === null ? 'unsigned' : await check(scheme, request, body, secrets),
    answered,
    body: parsed,
  };
}

async function check(scheme: SignatureScheme, request: IncomingMessage, body: Buffer, secrets: readonly string[]): Promise<string> {
  if (secrets.length === 0) return 'unverified: no secret is known yet';
  let failure = '';
  for (const secret of secrets) {
    try {
      await verify(scheme, { secret, body, headers: request.headers });
      return 'verified';
    } catch (error) {
      failure = error instanceof WebhookError ? error.code : String(error);
    }
  }
  return failure;
}

function pretty(line: Line): string {
  const attempt = line.attempt === null ? '' : `, attempt ${oneLine(line.attempt)}`;
  const body = JSON.stringify(line.body, null, 2); // text too: its line breaks must not look like lines of ours
  return `\n${line.at}  ${line.event === null ? 'request' : oneLine(line.event)} (${line.scheme ?? 'no known scheme'}${attempt})  signature: ${line.signature}  answered ${line.answered}\n${body}\n`;
}

function oneLine(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function secretOf(body: Buffer): string | null {
  const { secret } = (parse(body) ?? {}) as { secret?: unknown };
  return typeof secret === 'string' ? secret : null;
}

function parse(body: Buffer): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('It must be a port number.');
  return Number(text);
}

function statusCode(text: string): number {
  if (!/^[2-5]\d\d$/.test(text)) throw new InvalidArgumentError('It must be a status code from 200 to 599.');
  return Number(text);
}
