/** Codes of `connect` that say something about this machine and nothing about the target. */
const LOCAL = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'ENETDOWN', 'EPERM', 'EACCES']);
const UNREACHABLE = new Set(['ENETUNREACH', 'EHOSTUNREACH']);

/**
 * Tells a network of ours that is down from a host that is gone. A router on the way may call one dead host
 * unreachable, and a machine without IPv6 every IPv6 address. So it is ours when two different hosts in a row were
 * unreachable over an address family that has worked before, and none was reached between them.
 */
export class Reach {
  readonly #worked = new Set<number>();
  readonly #unreachable = new Map<number, Set<string>>();

  reached(family: number): void {
    this.#worked.add(family);
    this.#unreachable.delete(family);
  }

  /** Whether this failure is our own trouble. */
  failed(address: string, family: number, code: string): boolean {
    if (LOCAL.has(code)) return true;
    if (!UNREACHABLE.has(code) || !this.#worked.has(family)) return false;
    const hosts = this.#unreachable.get(family) ?? new Set<string>();
    if (hosts.size < 2) hosts.add(address);
    this.#unreachable.set(family, hosts);
    return hosts.size > 1;
  }
}
