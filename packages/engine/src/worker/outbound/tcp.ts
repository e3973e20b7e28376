import net from 'node:net';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import { BlockedTarget, type Address } from '../guard.ts';
import type { Reach } from './reach.ts';

/** No connection came about. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed';
  readonly code: string;
  /** The trouble is ours: no way out, no free file descriptor or port. */
  readonly ours: boolean;
  constructor(code: string, ours: boolean) {
    super(code);
    this.code = code;
    this.ours = ours;
  }
}

/** How to reach one of several addresses of a host. */
export interface Dial {
  readonly addresses: readonly Address[];
  readonly port: number;
  /** What the socket itself refuses. */
  readonly blockList: (family: 4 | 6) => net.BlockList | undefined;
  /** Where the bytes that come are put and who is told; the stream's own buffers when absent. */
  readonly onread?: net.OnReadOpts | undefined;
}

/**
 * Connects to the first address that answers: each gets a head start of `nextAddressMs`, and goes on while the next is
 * tried (RFC 8305; the one in `net` gives each up when the next begins). Addresses are used as they are: no name is
 * looked up again. Rejects with `ConnectFailed`, `BlockedTarget`, or the signal's reason.
 */
export function connectTcp({ addresses, blockList, onread, port }: Dial, reach: Reach, signal: AbortSignal): Promise<net.Socket> {
  const { promise, reject, resolve } = Promise.withResolvers<net.Socket>();
  const waiting = interleaved(addresses).slice(0, NETWORK_LIMITS.addresses);
  const open = new Set<net.Socket>();
  let timer: NodeJS.Timeout | undefined;
  let failure: Error | null = null;

  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    for (const socket of open) socket.destroy();
  };
  const abort = () => {
    end();
    reject(signal.reason as Error);
  };
  const next = () => {
    clearTimeout(timer);
    const address = waiting.shift();
    if (address === undefined) {
      if (open.size > 0) return;
      end();
      reject(failure ?? new ConnectFailed('no address', false));
      return;
    }
    if (waiting.length > 0) timer = setTimeout(next, NETWORK_LIMITS.nextAddressMs);
    attempt(address);
  };
  const attempt = ({ address, family }: Address) => {
    const blocked = blockList(family === 6 ? 6 : 4);
    const socket = net.connect({ host: address, port, noDelay: true, ...(blocked && { blockList: blocked }), ...(onread && { onread }) });
    open.add(socket);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!open.delete(socket) || signal.aborted) return;
      failure = worse(failure, failureOf(error, reach, address, family));
      next();
    });
    socket.once('connect', () => {
      reach.reached(family);
      open.delete(socket);
      end();
      resolve(socket);
    });
  };

  if (signal.aborted) return Promise.reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  next();
  return promise;
}

function failureOf(error: NodeJS.ErrnoException, reach: Reach, address: string, family: number): Error {
  const { code = 'UNKNOWN' } = error;
  return code === 'ERR_IP_BLOCKED' ? new BlockedTarget('private_address') : new ConnectFailed(code, reach.failed(address, family, code));
}

/** Of two failures the one that says more about the target: what is ours was not the target's. */
function worse(one: Error | null, other: Error): Error {
  return one === null || (one instanceof ConnectFailed && one.ours) ? other : one;
}

/** Families in turn, beginning with the first address's: one that leads nowhere costs one wait and not several. */
function interleaved(addresses: readonly Address[]): Address[] {
  const first = addresses.filter(({ family }) => family === addresses[0]!.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]!.family);
  return Array.from({ length: Math.max(first.length, second.length) }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((address) => address !== undefined);
}
