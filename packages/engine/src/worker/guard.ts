import net from 'node:net';
import { EngineError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { silentLog, type Log } from '../core/log.ts';
import { LookupFailed } from './outbound/name-server.ts';
import { Names } from './outbound/names.ts';
import { blockListOf, parseNetwork, without, type Network } from './outbound/networks.ts';
import { SPECIAL_V4, SPECIAL_V6 } from './outbound/special-ranges.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Gives the addresses of a host name; `organizationId` says whose share of the look-ups it is. */
export type Resolve = (hostname: string, organizationId?: string) => Promise<readonly Address[]>;

/**
 * What callers and customers are told of every host that may not be reached. A name that does not exist and one that
 * leads into our network sound the same, or registering endpoints would tell which internal names there are.
 */
export const UNREACHABLE_HOST = 'must have a host name that resolves to public addresses';

/** A target that may not be reached. Outside it is always `dns_error`; `reason` is for the operator's log. */
export class BlockedTarget extends Error {
  override readonly name = 'BlockedTarget';
  readonly reason: 'dns_error' | 'private_address';
  /** The trouble is ours: our name server answers nothing for any name. */
  readonly ours: boolean;
  constructor(reason: 'dns_error' | 'private_address', ours = false) {
    super(reason);
    this.reason = reason;
    this.ours = ours;
  }
}

/** Which targets webhooks may have, and how they are found. */
export interface TargetOptions {
  /** Development only: http and private addresses are allowed. */
  readonly allowPrivateTargets?: boolean | undefined;
  /** Networks that are not public and may be reached all the same, as `10.1.0.0/16`. */
  readonly privateTargets?: readonly string[] | undefined;
  /** Name servers, as `address` or `address:port`; the system's when absent. */
  readonly nameServers?: readonly string[] | undefined;
  /** Name resolution, instead of hosts file and name servers. */
  readonly resolve?: Resolve | undefined;
}

/** Decides which URLs and addresses a webhook may reach. A URL is an attack on our network until proven otherwise. */
export class NetworkGuard {
  readonly allowPrivateTargets: boolean;
  readonly #names: Names | null;
  readonly #resolve: Resolve;
  readonly #log: Log;
  readonly #blocked: { readonly 4: net.BlockList; readonly 6: net.BlockList };

  constructor({ allowPrivateTargets = false, nameServers, privateTargets = [], resolve }: TargetOptions, log: Log = silentLog) {
    this.allowPrivateTargets = allowPrivateTargets;
    this.#names = resolve === undefined ? new Names({ servers: nameServers }) : null;
    this.#resolve = resolve ?? ((hostname, organizationId) => this.#names!.resolve(hostname, organizationId));
    this.#log = log;
    const allowed = privateTargets.map(network);
    this.#blocked = {
      4: blockListOf(without(SPECIAL_V4.map(network), allowed)),
      6: blockListOf(without(SPECIAL_V6.map(network), allowed)),
    };
  }

  /** For `net.connect` to an address of this family: the socket itself refuses what is on it, whatever was checked before. */
  blockList(family: 4 | 6): net.BlockList | undefined {
    return this.allowPrivateTargets ? undefined : this.#blocked[family];
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
    if (literal !== null && !this.isAllowed(literal)) {
      this.refused(url.hostname, 'private_address');
      throw new EngineError('invalid_url', UNREACHABLE_HOST, 'dns_error');
    }
    return url;
  }

  /** The addresses of a host, all of them allowed. Throws `BlockedTarget`; one non-public answer refuses the name. */
  async addressesOf(hostname: string, organizationId?: string): Promise<readonly Address[]> {
    const addresses = await this.anyAddressesOf(hostname, organizationId);
    if (!addresses.every(({ address }) => this.isAllowed(address))) {
      this.refused(hostname, 'private_address');
      throw new BlockedTarget('private_address');
    }
    return addresses;
  }

  /** The addresses of a host that may be anywhere: of the operator's own proxy, and of targets before they are checked. */
  async anyAddressesOf(hostname: string, organizationId?: string): Promise<readonly Address[]> {
    const literal = literalAddress(hostname);
    return literal === null ? await this.#lookup(hostname, organizationId) : [{ address: literal, family: net.isIP(literal) }];
  }

  isAllowed(address: string): boolean {
    if (this.allowPrivateTargets) return true;
    const family = net.isIP(address);
    if ((family !== 4 && family !== 6) || address.includes('%')) return false; // with a zone id, or nothing we know: not public
    return !this.#blocked[family].check(address, `ipv${family}`);
  }

  /** Ends look-ups that are under way. */
  close(): void {
    this.#names?.close();
  }

  async #lookup(hostname: string, organizationId: string | undefined): Promise<readonly Address[]> {
    let addresses: readonly Address[];
    try {
      addresses = await this.#resolve(hostname, organizationId);
    } catch (error) {
      const failure = error instanceof LookupFailed ? error : null;
      this.refused(hostname, failure?.code ?? String(error));
      throw new BlockedTarget('dns_error', failure?.ours);
    }
    if (addresses.length > 0) return addresses;
    this.refused(hostname, 'ENODATA');
    throw new BlockedTarget('dns_error');
  }

  /** Logs why a host may not be reached: the operator sees which it was, customers do not. */
  refused(host: string, reason: string): void {
    this.#log.info({ host, reason }, 'target.refused');
  }
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new TypeError(`${text} is not a network`);
  return parsed;
}

/** The IP address that a URL's host name is, or null for a name. URL parsing already folded odd IPv4 spellings. */
function literalAddress(hostname: string): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return net.isIP(bare) === 0 ? null : bare;
}
