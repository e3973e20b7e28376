import type net from 'node:net';
import { BlockedTarget, type NetworkGuard } from '../guard.ts';
import type { Origin } from './origin.ts';
import { Reach } from './reach.ts';
import { Secure } from './secure.ts';
import { EgressProxy, type ProxyOptions } from './proxy.ts';
import { ConnectFailed, connectTcp } from './tcp.ts';

/** Bytes that plain sockets read into: one buffer for all, since each piece is handled before the next is read. */
const PIECE = 64 * 1024;
/** Windows reads ahead into the buffer that it was given: there, each socket has one of its own. */
const OWN_PIECE = 8 * 1024;
const shared = Buffer.allocUnsafeSlow(PIECE);

/** Gets the bytes of a socket once somebody wants them. */
export interface Wire {
  readonly socket: net.Socket;
  receive: (bytes: Buffer) => void;
}

/** Opens connections to checked addresses. */
export class Connector {
  readonly #guard: NetworkGuard;
  readonly #proxy: EgressProxy | null;
  readonly #reach = new Reach();
  readonly #secure: Secure;

  /** `now`: monotonic milliseconds. */
  constructor(guard: NetworkGuard, { egressProxy, noProxy = [] }: ProxyOptions, now: () => number) {
    this.#guard = guard;
    this.#proxy = egressProxy === undefined ? null : new EgressProxy(egressProxy, noProxy);
    this.#secure = new Secure(now);
  }

  /**
   * A connection on which HTTP may be spoken. The name is looked up and every answer checked; the socket goes to one of
   * those addresses and refuses others by itself, so that a second look-up cannot lead it elsewhere. Rejects with
   * `BlockedTarget`, `ConnectFailed`, `HandshakeFailed`, or the signal's reason.
   */
  async open({ host, isSecure, port }: Origin, organizationId: string | undefined, signal: AbortSignal): Promise<Wire> {
    const addresses = await this.#guard.addressesOf(host, organizationId);
    signal.throwIfAborted();
    const told = (error: unknown): never => {
      if (error instanceof BlockedTarget) this.#guard.refused(host, error.reason);
      else if (error instanceof ConnectFailed && error.ours) this.#guard.refused(host, error.code);
      throw error;
    };
    if (this.#proxy !== null && this.#proxy.serves(host, addresses)) {
      const tunnel = await this.#proxy.tunnel(addresses, port, this.#guard, this.#reach, signal).catch(told);
      return streamWire(isSecure ? await this.#secure.over(tunnel, host, port, signal) : tunnel);
    }
    const blockList = (family: 4 | 6) => this.#guard.blockList(family);
    const wire = isSecure ? null : new DirectWire();
    const socket = await connectTcp({ addresses, port, blockList, onread: wire?.onread }, this.#reach, signal).catch(told);
    if (wire === null) return streamWire(await this.#secure.over(socket, host, port, signal));
    wire.socket = socket;
    return wire;
  }
}

/** A wire whose bytes come as events of a stream. */
function streamWire(socket: net.Socket): Wire {
  const wire: Wire = { socket, receive: () => socket.destroy() };
  socket.on('data', (bytes: Buffer) => wire.receive(bytes));
  return wire;
}

/** A wire whose bytes come without a stream's buffers between. */
class DirectWire {
  #socket: net.Socket | null = null;
  #spokeFirst = false;
  /** Whoever speaks before it was asked does not speak HTTP. */
  receive: (bytes: Buffer) => void = () => {
    this.#spokeFirst = true;
    this.#socket?.destroy();
  };
  readonly onread: net.OnReadOpts = {
    buffer: process.platform === 'win32' ? Buffer.allocUnsafeSlow(OWN_PIECE) : shared,
    callback: (length, buffer) => {
      this.receive((buffer as Buffer).subarray(0, length));
      return true;
    },
  };

  get socket(): net.Socket {
    return this.#socket!;
  }

  set socket(socket: net.Socket) {
    this.#socket = socket;
    if (this.#spokeFirst) socket.destroy();
  }
}
