import type net from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import type { AttemptError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { parseRetryAfter, type AttemptResult } from '../core/outcome.ts';
import { BlockedTarget, type NetworkGuard } from './guard.ts';
import { Reach } from './outbound/reach.ts';
import { ConnectFailed, connectTcp } from './outbound/tcp.ts';

export interface OutgoingRequest {
  readonly origin: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** For everything: name resolution, connection, TLS, request and answer. */
  readonly timeoutMs: number;
  /** Whose share of the name look-ups it uses. */
  readonly organizationId?: string | undefined;
}

/** The only place that opens connections to endpoints. */
export class Transport {
  readonly #guard: NetworkGuard;
  readonly #agent: Agent;
  readonly #now: () => number;

  constructor(guard: NetworkGuard, now: () => number) {
    this.#guard = guard;
    this.#now = now;
    this.#agent = new Agent({
      allowH2: false,
      pipelining: 1,
      connections: LIMITS.nodeInFlight,
      maxOrigins: LIMITS.origins,
      keepAliveTimeout: LIMITS.keepAliveMs,
      keepAliveMaxTimeout: LIMITS.keepAliveMs,
      maxHeaderSize: LIMITS.responseHeaderBytes,
      // The deadline below bounds the whole attempt; these would only add timers.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: guardedConnector(guard),
    });
  }

  /** POSTs and waits for the complete answer. Never throws: every way to fail is a result. */
  post(request: OutgoingRequest): Promise<AttemptResult> {
    const startedAt = this.#now();
    const begin = performance.now();
    return new Promise((resolve) => {
      const exchange = new Exchange(({ status, error, ours, body, retryAfter }) => {
        resolve({
          status,
          error,
          ours,
          responseBody: body,
          retryAfterMs: parseRetryAfter(retryAfter, startedAt),
          startedAt,
          durationMs: Math.round(performance.now() - begin),
        });
      }, request.timeoutMs);
      this.#send(request, exchange).catch((error: unknown) => exchange.onResponseError(null, error as Error));
    });
  }

  /** The name is looked up here, where it is known for whom; the connector finds it in memory. */
  async #send({ body, headers, organizationId, origin, path }: OutgoingRequest, exchange: Exchange): Promise<void> {
    await this.#guard.addressesOf(new URL(origin).hostname, organizationId);
    this.#agent.dispatch({ origin, path, method: 'POST', headers, body }, exchange);
  }

  /** Closes idle connections and breaks the others. */
  async close(): Promise<void> {
    await this.#agent.destroy();
    this.#guard.close();
  }
}

interface Ended {
  readonly status: number | null;
  readonly error: AttemptError | null;
  readonly ours: boolean;
  readonly body: string;
  readonly retryAfter: string | undefined;
}
type Done = (ended: Ended) => void;

/** One request's life. Ends exactly once: with the answer, an error, or the deadline. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #done: Done;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | null = null;
  #ended = false;
  #status: number | null = null;
  #retryAfter: string | undefined;
  #received = 0;
  #stored: Buffer[] = [];
  #storedBytes = 0;

  constructor(done: Done, timeoutMs: number) {
    this.#done = done;
    this.#timer = setTimeout(() => this.#end('timeout'), timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The deadline passed while the connection was being made: nothing is sent any more.
    if (this.#ended) controller.abort(new Error('timeout'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return; // 1xx: the real answer follows
    this.#status = status;
    const retryAfter = headers['retry-after'];
    this.#retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#storedBytes < LIMITS.storedResponseBytes) {
      const part = Buffer.from(chunk.subarray(0, LIMITS.storedResponseBytes - this.#storedBytes));
      this.#stored.push(part);
      this.#storedBytes += part.length;
    }
    // The status is known and counts; a receiver that goes on talking costs us its connection, not our memory.
    if (this.#received > LIMITS.responseBytes) this.#end(null);
  }

  onResponseEnd(): void {
    this.#end(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#end(classify(error), isOurs(error));
  }

  #end(error: AttemptError | null, ours = false): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const complete = error === null && this.#status !== null;
    const failure =
      complete && this.#status !== null && (this.#status < 200 || this.#status > 299) ? (`HTTP ${this.#status}` as const) : error;
    const body = printable(Buffer.concat(this.#stored));
    this.#done({ status: complete ? this.#status : null, error: failure, ours, body, retryAfter: this.#retryAfter });
    if (error === 'timeout' || this.#received > LIMITS.responseBytes) this.#controller?.abort(new Error(error ?? 'response body'));
  }
}

/** Text that PostgreSQL can store: valid UTF-8 without NUL. */
function printable(bytes: Buffer): string {
  return bytes.toString('utf8').replaceAll('\0', '\ufffd');
}

/** Turns whatever the network threw into one stable code. */
function classify(error: Error): AttemptError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BlockedTarget) return 'dns_error';
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW') return 'response_too_large';
    if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code)) return 'tls_error';
  }
  return 'connection_error';
}

function isOurs(error: Error): boolean {
  return (error instanceof BlockedTarget || error instanceof ConnectFailed) && error.ours;
}

/**
 * Connects by hand and gives undici the connected socket: a block list handed to undici or to `tls.connect` is
 * ignored, and a name checked earlier may resolve differently now. The socket that is checked is the socket used.
 */
function guardedConnector(guard: NetworkGuard): buildConnector.connector {
  const reach = new Reach();
  const connectTls = buildConnector({ allowH2: false, timeout: LIMITS.maxTimeoutMs });
  return (options, callback) => {
    connectChecked(guard, reach, options).then(
      (socket) => (options.protocol === 'https:' ? connectTls({ ...options, httpSocket: socket }, callback) : callback(null, socket)),
      (error: Error) => callback(error, null),
    );
  };
}

async function connectChecked(guard: NetworkGuard, reach: Reach, options: buildConnector.Options): Promise<net.Socket> {
  const hostname = options.hostname.replace(/^\[|\]$/g, '');
  const addresses = await guard.addressesOf(hostname);
  const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
  const blockList = (family: 4 | 6) => guard.blockList(family);
  return connectTcp({ addresses, port, blockList }, reach, AbortSignal.timeout(LIMITS.maxTimeoutMs)).catch((error: unknown) => {
    if (error instanceof BlockedTarget) guard.refused(hostname, error.reason);
    throw error;
  });
}
