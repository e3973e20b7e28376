import type net from 'node:net';
import tls from 'node:tls';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';

/** Codes of the connection below: the receiver went away, and said nothing about TLS. */
const CONNECTION_CODE = /^E(?!PROTO)[A-Z]+$/;

/** The handshake failed. */
export class HandshakeFailed extends Error {
  override readonly name = 'HandshakeFailed';
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }

  /** What was said was no TLS, or no certificate that we accept. */
  get isTls(): boolean {
    return !CONNECTION_CODE.test(this.code);
  }
}

interface Remembered {
  readonly session: Buffer;
  readonly until: number;
}

/** TLS over connected sockets: certificates are checked, and a session that was set up before is taken up again. */
export class Secure {
  readonly #now: () => number;
  /** Least recently used first; by origin, since a session says that this very name was checked. */
  readonly #sessions = new Map<string, Remembered>();
  #context: tls.SecureContext | null = null;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Rejects with `HandshakeFailed`, or with the signal's reason. */
  over(socket: net.Socket, host: string, port: number, signal: AbortSignal): Promise<tls.TLSSocket> {
    const { promise, reject, resolve } = Promise.withResolvers<tls.TLSSocket>();
    const key = `${host}:${port}`;
    const session = this.#recall(key);
    // One context for all: making one reads every known authority. It has those of NODE_EXTRA_CA_CERTS.
    this.#context ??= tls.createSecureContext();
    const secure = tls.connect({
      socket,
      secureContext: this.#context,
      ALPNProtocols: ['http/1.1'],
      // An IP address is in no SNI, but in the certificate.
      host,
      ...(isName(host) && { servername: host }),
      ...(session && { session }),
    });
    let early: Buffer | null = null;
    let isChecked = false;
    const abort = () => {
      secure.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const end = () => signal.removeEventListener('abort', abort);
    secure.on('error', (error: NodeJS.ErrnoException) => {
      if (isChecked) return;
      end();
      this.#sessions.delete(key);
      reject(new HandshakeFailed(error.code ?? 'UNKNOWN'));
    });
    secure.on('close', () => {
      end();
      reject(new HandshakeFailed('ECONNRESET'));
    });
    // With TLS 1.2 it comes before the certificate was checked, and the name is not checked again when it is taken up.
    secure.on('session', (ticket) => {
      if (isChecked) this.#remember(key, ticket);
      else early = ticket;
    });
    secure.once('secureConnect', () => {
      end();
      isChecked = true;
      if (early !== null) this.#remember(key, early);
      resolve(secure);
    });
    return promise;
  }

  #recall(key: string): Buffer | undefined {
    const known = this.#sessions.get(key);
    if (known === undefined || known.until <= this.#now()) return undefined;
    return known.session;
  }

  #remember(key: string, session: Buffer): void {
    this.#sessions.delete(key);
    if (this.#sessions.size >= NETWORK_LIMITS.tlsSessions) this.#sessions.delete(this.#sessions.keys().next().value!);
    this.#sessions.set(key, { session, until: this.#now() + NETWORK_LIMITS.tlsSessionMs });
  }
}

function isName(host: string): boolean {
  return !host.includes(':') && !/^\d+(\.\d+){3}$/.test(host);
}
