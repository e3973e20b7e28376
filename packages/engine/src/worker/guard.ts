import { lookup as dnsLookup } from 'node:dns/promises';
import net from 'node:net';
import { EngineError, type AttemptError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';

/** Everything that is not a public unicast address (IANA special-purpose registries). */
const BLOCKED_V4 = [
  ['0.0.0.0', 8], // "this" network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, cloud metadata
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const;
const BLOCKED_V6 = [
  ['::', 96], // unspecified, loopback, IPv4-compatible
  ['64:ff9b::', 96], // NAT64
  ['64:ff9b:1::', 48], // local NAT64
  ['100::', 64], // discard
  ['2001::', 23], // protocol assignments, Teredo
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
  ['5f00::', 16], // segment routing
  ['fc00::', 7], // unique local
  ['fe80::', 10], // link-local
  ['fec0::', 10], // site-local, deprecated
  ['ff00::', 8], // multicast
] as const;

/**
 * IPv4-mapped addresses, which a list of its own blocks: in one list with IPv4 rules, `net.BlockList` applies this
 * subnet to every plain IPv4 address too.
 */
const MAPPED_V4 = ['::ffff:0:0', 96] as const;

export interface Address {
  readonly address: string;
  readonly family: number;
}

export type Resolve = (hostname: string) => Promise<readonly Address[]>;

/** A target that may not be reached. `reason` is the attempt error that is stored and shown. */
export class BlockedTarget extends Error {
  override readonly name = 'BlockedTarget';
  readonly reason: AttemptError;
  constructor(reason: AttemptError) {
    super(reason);
    this.reason = reason;
  }
}

export interface GuardOptions {
  /** Development only: http and private addresses are allowed. */
  readonly allowPrivateTargets: boolean;
  /** Name resolution; the system's when absent. */
  readonly resolve?: Resolve | undefined;
}

/** Decides which URLs and addresses a webhook may reach. A URL is an attack on our network until proven otherwise. */
export class NetworkGuard {
  readonly allowPrivateTargets: boolean;
  readonly #resolve: Resolve;
  readonly #blocked = new net.BlockList();
  readonly #mapped = new net.BlockList();

  constructor(options: GuardOptions) {
    this.allowPrivateTargets = options.allowPrivateTargets;
    this.#resolve = options.resolve ?? ((hostname) => dnsLookup(hostname, { all: true, verbatim: true }));
    for (const [address, prefix] of BLOCKED_V4) this.#blocked.addSubnet(address, prefix, 'ipv4');
    for (const [address, prefix] of BLOCKED_V6) this.#blocked.addSubnet(address, prefix, 'ipv6');
    this.#mapped.addSubnet(...MAPPED_V4, 'ipv6');
  }

  /** For `net.connect`: the socket itself refuses what is on it, whatever was checked before. */
  get blockList(): net.BlockList | undefined {
    return this.allowPrivateTargets ? undefined : this.#blocked;
  }

  /** Parses a webhook URL by the rules that need no network. Throws `EngineError` `invalid_url`. */
  parseUrl(text: string): URL {
    const url = text.length <= LIMITS.urlLength ? URL.parse(text) : null;
    if (url === null)
      throw new EngineError('invalid_url', `must be an absolute URL of at most ${LIMITS.urlLength} characters`, 'url_not_https');
    const allowed = this.allowPrivateTargets ? ['https:', 'http:'] : ['https:'];
    if (!allowed.includes(url.protocol)) throw new EngineError('invalid_url', 'must be an https:// URL', 'url_not_https');
    if (url.username !== '' || url.password !== '')
      throw new EngineError('invalid_url', 'must not hold a user name or password', 'url_not_https');
    const literal = literalAddress(url.hostname);
    if (literal !== null && !this.isAllowed(literal))
      throw new EngineError('invalid_url', 'must lead to a public address', 'private_address');
    return url;
  }

  /** The addresses of a host, all of them allowed. Throws `BlockedTarget`; one non-public answer refuses the name. */
  async addressesOf(hostname: string): Promise<readonly Address[]> {
    const literal = literalAddress(hostname);
    const addresses = literal === null ? await this.#lookup(hostname) : [{ address: literal, family: net.isIP(literal) }];
    if (!addresses.every(({ address }) => this.isAllowed(address))) throw new BlockedTarget('private_address');
    return addresses;
  }

  isAllowed(address: string): boolean {
    if (this.allowPrivateTargets) return true;
    const family = net.isIP(address);
    if (family === 0) return false; // with a zone id, or nothing we know: not public
    if (family === 4) return !this.#blocked.check(address, 'ipv4');
    return !this.#blocked.check(address, 'ipv6') && !this.#mapped.check(address, 'ipv6');
  }

  async #lookup(hostname: string): Promise<readonly Address[]> {
    let addresses: readonly Address[];
    try {
      addresses = await this.#resolve(hostname);
    } catch {
      throw new BlockedTarget('dns_error');
    }
    if (addresses.length === 0) throw new BlockedTarget('dns_error');
    return addresses;
  }
}

/** The IP address that a URL's host name is, or null for a name. URL parsing already folded odd IPv4 spellings. */
function literalAddress(hostname: string): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return net.isIP(bare) === 0 ? null : bare;
}
