import { NETWORK_LIMITS } from '../core/network-limits.ts';
import type { AttemptResult } from '../core/outcome.ts';
import type { NetworkGuard } from './guard.ts';
import type { Answer } from './outbound/answer.ts';
import { Connection } from './outbound/connection.ts';
import { Connector } from './outbound/connector.ts';
import { Exchange, type Lender } from './outbound/exchange.ts';
import { parseOrigin } from './outbound/origin.ts';
import { Pool, type PoolLimits } from './outbound/pool.ts';
import type { ProxyOptions } from './outbound/proxy.ts';
import { requestHead, requestStart } from './outbound/request-head.ts';

export interface OutgoingRequest {
  /** `https://host` or `https://host:port`. */
  readonly origin: string;
  readonly path: string;
  /** What `requestStart` made of origin, path and the endpoint's own headers; made anew when absent, without such headers. */
  readonly start?: string | null | undefined;
  /** Without `Host`, `Connection` and `Content-Length`, which the transport adds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** For everything: name resolution, connection, TLS, request and answer. */
  readonly timeoutMs: number;
  /** Whose share of the name look-ups it uses. */
  readonly organizationId?: string | undefined;
}

export interface TransportOptions extends ProxyOptions {
  /** How many idle connections are kept; `NETWORK_LIMITS` when absent. */
  readonly limits?: PoolLimits | undefined;
}

/** The only place that sends requests to endpoints: an HTTP/1.1 client that can POST, keeps connections, and no more. */
export class Transport implements Lender {
  readonly #guard: NetworkGuard;
  readonly #now: () => number;
  readonly #connector: Connector;
  readonly #pool: Pool;
  readonly #inFlight = new Set<Exchange>();
  /** One timer for all deadlines: quick while requests are in flight, slow while connections are idle. */
  #timer: NodeJS.Timeout | null = null;
  #isQuick = false;
  #expiredAt = 0;
  #isClosed = false;

  /** `now`: unix milliseconds. */
  constructor(guard: NetworkGuard, now: () => number, { limits, ...proxy }: TransportOptions = {}) {
    this.#guard = guard;
    this.#now = now;
    this.#connector = new Connector(guard, proxy, () => performance.now());
    this.#pool = new Pool(limits);
  }

  /** POSTs and waits for the complete answer. Never throws: every way to fail is a result. */
  post(request: OutgoingRequest): Promise<AttemptResult> {
    return new Promise((resolve) => {
      const { body, headers, origin, path, start = requestStart(origin, path, {}) } = request;
      const head = start === null ? null : requestHead(start, headers, body.length);
      const exchange = new Exchange(this, request, head ?? '', this.#now(), resolve);
      if (head === null || this.#isClosed) {
        exchange.fail('connection_error');
        return;
      }
      this.#inFlight.add(exchange);
      if (!this.#isQuick) this.#tickIn(NETWORK_LIMITS.sweepMs, true);
      exchange.start();
    });
  }

  /** Closes idle connections and breaks the others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const exchange of this.#inFlight) exchange.fail('connection_error');
    this.#pool.close();
    this.#guard.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  take(origin: string): Connection | undefined {
    return this.#pool.take(origin, performance.now());
  }

  async connect({ organizationId, origin }: OutgoingRequest, signal: AbortSignal): Promise<Connection> {
    const wire = await this.#connector.open(parseOrigin(origin), organizationId, signal);
    const connection = new Connection(wire.socket, origin, performance.now(), (gone) => this.#pool.forget(gone));
    wire.receive = (bytes) => connection.receive(bytes);
    return connection;
  }

  giveBack(connection: Connection, { keepAliveSeconds = Number.POSITIVE_INFINITY }: Answer): void {
    const now = performance.now();
    const { connectionAgeMs, keepAliveMarginMs, keepAliveMs } = NETWORK_LIMITS;
    const idleMs = Math.min(keepAliveMs, keepAliveSeconds * 1_000 - keepAliveMarginMs);
    if (this.#isClosed || idleMs <= 0 || now - connection.openedAt > connectionAgeMs) connection.destroy();
    else this.#pool.put(connection, now + idleMs);
  }

  makeRoom(): boolean {
    return this.#pool.shrink();
  }

  ended(exchange: Exchange): void {
    this.#inFlight.delete(exchange);
  }

  #tickIn(ms: number, isQuick: boolean): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isQuick = isQuick;
    this.#timer = setTimeout(() => this.#tick(), ms);
    if (!isQuick) this.#timer.unref(); // idle connections keep no process alive
  }

  #tick(): void {
    this.#timer = null;
    const now = performance.now();
    for (const exchange of this.#inFlight) if (exchange.deadline <= now) exchange.fail('timeout');
    if (now - this.#expiredAt >= NETWORK_LIMITS.idleSweepMs) {
      this.#expiredAt = now;
      this.#pool.expire(now);
    }
    if (this.#isClosed) return;
    if (this.#inFlight.size > 0) this.#tickIn(NETWORK_LIMITS.sweepMs, true);
    else if (this.#pool.size > 0) this.#tickIn(NETWORK_LIMITS.idleSweepMs, false);
    else this.#isQuick = false;
  }
}
