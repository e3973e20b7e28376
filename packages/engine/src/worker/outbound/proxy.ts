import type net from 'node:net';
import { LIMITS } from '../../core/limits.ts';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import type { Address, NetworkGuard } from '../guard.ts';
import { contains, parseNetwork, type Network } from './networks.ts';
import type { Reach } from './reach.ts';
import { ConnectFailed, connectTcp } from './tcp.ts';

export interface ProxyOptions {
  /** `http://[user:password@]host:port`; direct connections when absent. */
  readonly egressProxy?: string | undefined;
  /** What is reached without it: `example.com` (and names below it), addresses, networks, `*`. */
  readonly noProxy?: readonly string[] | undefined;
}

/** Whether this is the URL of a proxy that can be used. */
export function isProxyUrl(text: string): boolean {
  try {
    return new EgressProxy(text, []) instanceof EgressProxy;
  } catch {
    return false;
  }
}

/** Whether this says what is reached without the proxy: a name, `.name` or `*.name`, an address, a network, or `*`. */
export function isProxyException(text: string): boolean {
  return text === '*' || parseNetwork(text) !== null || /^(?:\*?\.)?[\w-]+(?:\.[\w-]+)*\.?$/.test(text);
}

/** An HTTP proxy that every connection goes out through, by `CONNECT` to an address that was checked before. */
export class EgressProxy {
  readonly #host: string;
  readonly #port: number;
  readonly #authorization: string;
  readonly #exceptNames: readonly string[];
  readonly #exceptNetworks: readonly Network[];

  /** Throws a `TypeError` for anything but `http://[user:password@]host[:port]`. */
  constructor(url: string, except: readonly string[]) {
    const { hash, hostname, password, pathname, port, protocol, search, username } = new URL(url);
    if (protocol !== 'http:' || pathname !== '/' || search !== '' || hash !== '') throw new TypeError('not the URL of an HTTP proxy');
    this.#host = hostname.replace(/^\[|\]$/g, '');
    this.#port = port === '' ? 80 : Number(port);
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#authorization = credentials === ':' ? '' : `proxy-authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
    this.#exceptNetworks = except.map(parseNetwork).filter((network) => network !== null);
    this.#exceptNames = except.filter((entry) => parseNetwork(entry) === null).map((entry) => entry.toLowerCase().replace(/^\*?\./, ''));
  }

  /** Whether this target is reached through it. */
  serves(host: string, addresses: readonly Address[]): boolean {
    const name = host.toLowerCase().replace(/\.$/, '');
    const isExcepted = (entry: string) => entry === '*' || name === entry || name.endsWith(`.${entry}`);
    if (this.#exceptNames.some(isExcepted)) return false;
    return !addresses.every(({ address }) => this.#exceptNetworks.some((network) => contains(network, address)));
  }

  /**
   * A socket that leads to one of the addresses, tried in their order. Rejects with `ConnectFailed`: it is ours when the proxy
   * is away or does not want us, and not when it says that it cannot reach the target.
   */
  async tunnel(addresses: readonly Address[], port: number, guard: NetworkGuard, reach: Reach, signal: AbortSignal): Promise<net.Socket> {
    let failure: unknown;
    for (const { address, family } of addresses.slice(0, NETWORK_LIMITS.addresses)) {
      const target = `${family === 6 ? `[${address}]` : address}:${port}`;
      const socket = await this.#connect(guard, reach, signal);
      try {
        await this.#ask(socket, target, signal);
        return socket;
      } catch (error) {
        socket.destroy();
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }

  async #connect(guard: NetworkGuard, reach: Reach, signal: AbortSignal): Promise<net.Socket> {
    try {
      const addresses = await guard.anyAddressesOf(this.#host);
      return await connectTcp({ addresses, port: this.#port, blockList: () => undefined }, reach, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new ConnectFailed(`PROXY ${(error as NodeJS.ErrnoException).code ?? String(error)}`, true);
    }
  }

  #ask(socket: net.Socket, target: string, signal: AbortSignal): Promise<void> {
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    let head = '';
    const onData = (bytes: Buffer) => {
      head += bytes.toString('latin1');
      const verdict = judge(head);
      if (verdict === null) resolve();
      else if (verdict !== undefined) reject(verdict);
    };
    const onClose = () => reject(new ConnectFailed('PROXY closed', true));
    const onAbort = () => reject(signal.reason as Error);
    socket.on('data', onData);
    socket.on('close', onClose);
    signal.addEventListener('abort', onAbort);
    socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${this.#authorization}\r\n`);
    return promise.finally(() => {
      socket.off('data', onData);
      socket.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    });
  }
}

/** Null: the tunnel stands. Undefined: more of the answer must come. */
function judge(head: string): ConnectFailed | null | undefined {
  const end = head.indexOf('\r\n\r\n');
  if (end === -1) return head.length > LIMITS.responseHeaderBytes ? new ConnectFailed('PROXY answers without end', true) : undefined;
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |\r\n)/.exec(head)?.[1] ?? 0);
  // Nobody was asked anything behind the proxy yet: what follows its answer would be taken for the target's.
  if (status >= 200 && status < 300) return end + 4 === head.length ? null : new ConnectFailed('PROXY said too much', true);
  return new ConnectFailed(`PROXY ${status}`, status < 500 && status !== 403);
}
