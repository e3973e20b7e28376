import type { AttemptError } from '../../core/errors.ts';
import { parseRetryAfter, type AttemptResult } from '../../core/outcome.ts';
import { BlockedTarget } from '../guard.ts';
import type { OutgoingRequest } from '../transport.ts';
import type { Answer } from './answer.ts';
import type { Broken, Connection, Sending } from './connection.ts';
import { HandshakeFailed } from './secure.ts';
import { ConnectFailed } from './tcp.ts';

/** Whoever lends connections. */
export interface Lender {
  /** An idle connection, or undefined. */
  take(origin: string): Connection | undefined;
  /** A new one. */
  connect(request: OutgoingRequest, signal: AbortSignal): Promise<Connection>;
  /** The connection had an answer and may carry another request. */
  giveBack(connection: Connection, answer: Answer): void;
  /** Made room for another connection; false when there was nothing to close. */
  makeRoom(): boolean;
  ended(exchange: Exchange): void;
}

/** Codes of sockets that could not be made because too many are open. */
const NO_ROOM = new Set(['EMFILE', 'ENFILE', 'ENOBUFS']);
const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/;

/** One attempt. Ends exactly once: with the answer, an error, or the deadline. */
export class Exchange implements Sending {
  readonly head: string;
  readonly body: Buffer;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly #lender: Lender;
  readonly #request: OutgoingRequest;
  readonly #startedAt: number;
  readonly #begin: number;
  readonly #done: (result: AttemptResult) => void;
  #connection: Connection | null = null;
  #connecting: AbortController | null = null;
  #hasTriedAgain = false;
  #hasMadeRoom = false;
  #isEnded = false;

  constructor(lender: Lender, request: OutgoingRequest, head: string, startedAt: number, done: (result: AttemptResult) => void) {
    this.head = head;
    this.body = request.body;
    this.#lender = lender;
    this.#request = request;
    this.#startedAt = startedAt;
    this.#begin = performance.now();
    this.deadline = this.#begin + request.timeoutMs;
    this.#done = done;
  }

  start(): void {
    const kept = this.#lender.take(this.#request.origin);
    if (kept === undefined) this.#connect();
    else this.#send(kept);
  }

  answered(connection: Connection, answer: Answer): void {
    this.#connection = null;
    if (connection.isUsable) this.#lender.giveBack(connection, answer);
    const { body, retryAfter, status } = answer;
    const error = status < 200 || status > 299 ? (`HTTP ${status}` as const) : null;
    this.#end({ status, error, ours: false, responseBody: body, retryAfterMs: parseRetryAfter(retryAfter, this.#startedAt) });
  }

  broke(connection: Connection, { before, code }: Broken): void {
    this.#connection = null;
    // A kept connection that the receiver closed while the request was on its way to it: the request is sent once more,
    // on a new one. The receiver may have seen it; so it is with every attempt that breaks, and delivery is at least once.
    if (before && connection.answers > 0 && !this.#hasTriedAgain) {
      this.#hasTriedAgain = true;
      this.#connect();
      return;
    }
    const error = code === 'response_too_large' ? code : TLS_CODE.test(code) ? 'tls_error' : 'connection_error';
    this.fail(error);
  }

  /** Ends it before the receiver did. */
  fail(error: AttemptError, ours = false): void {
    this.#connection?.destroy();
    this.#connecting?.abort();
    this.#end({ status: null, error, ours, responseBody: '', retryAfterMs: null });
  }

  #send(connection: Connection): void {
    this.#connection = connection;
    connection.send(this);
  }

  #connect(): void {
    this.#connecting = new AbortController();
    this.#lender.connect(this.#request, this.#connecting.signal).then(
      (connection) => {
        this.#connecting = null;
        if (this.#isEnded) connection.destroy();
        else if (connection.isUsable) this.#send(connection);
        else this.fail('connection_error'); // closed, or spoken on, before it was asked
      },
      (error: unknown) => {
        this.#connecting = null;
        if (!this.#isEnded) this.#connectFailed(error);
      },
    );
  }

  #connectFailed(error: unknown): void {
    if (error instanceof ConnectFailed && NO_ROOM.has(error.code) && !this.#hasMadeRoom && this.#lender.makeRoom()) {
      this.#hasMadeRoom = true;
      setImmediate(() => {
        if (!this.#isEnded) this.#connect(); // by now the others are closed
      });
    } else if (error instanceof BlockedTarget) this.fail('dns_error', error.ours);
    else if (error instanceof HandshakeFailed) this.fail(error.isTls ? 'tls_error' : 'connection_error');
    else this.fail('connection_error', error instanceof ConnectFailed && error.ours);
  }

  #end(result: Omit<AttemptResult, 'startedAt' | 'durationMs'>): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#lender.ended(this);
    this.#done({ ...result, startedAt: this.#startedAt, durationMs: Math.round(performance.now() - this.#begin) });
  }
}
