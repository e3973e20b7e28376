import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import type { Address } from '../guard.ts';
import { HOSTS_FILE, HostsFile } from './hosts-file.ts';
import { LookupFailed, NameServer } from './name-server.ts';

export interface NamesOptions {
  /** Addresses of name servers, with `:port` where it is not 53; the system's when absent. */
  readonly servers?: readonly string[] | undefined;
  readonly hostsFile?: string | undefined;
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined;
}

const LOOPBACK: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
/** What a host's name is made of; URL parsing has made other alphabets into this one. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
/** Names that no name server may know (RFC 6761, RFC 7686). */
const NEVER = /(?:^|\.)(?:invalid|onion)$/;

/** An answer, or why there is none, and until when it holds. */
interface Known {
  addresses: readonly Address[];
  failure: LookupFailed | null;
  until: number;
  /** Until when the addresses may be used while the name server gives no answer. */
  staleUntil: number;
}

/** A name that is being looked up, or waits for that. */
interface Lookup {
  readonly name: string;
  readonly since: number;
  /** In whose queues it is. */
  readonly organizations: Set<string>;
  readonly promise: Promise<readonly Address[]>;
  readonly resolve: (addresses: readonly Address[]) => void;
  readonly reject: (error: Error) => void;
  started: boolean;
}

/**
 * The addresses of host names: from the hosts file, from memory, or from a name server.
 *
 * A name is looked up once at a time, whoever asks. Each organization has a few look-ups under way and a queue of its
 * own, so that a name server that never answers costs its own customer's attempts and nobody else's. Names are taken
 * as they are written: search domains (`search`, `ndots`) are not applied, and neither are mDNS, NIS or LLMNR.
 */
export class Names {
  readonly #now: () => number;
  readonly #hosts: HostsFile;
  readonly #server: NameServer;
  /** Least recently used first. */
  readonly #known = new Map<string, Known>();
  readonly #lookups = new Map<string, Lookup>();
  readonly #underWay = new Map<string, number>();
  /** By organization; the first key is whose turn it is. */
  readonly #waiting = new Map<string, Set<Lookup>>();
  #started = 0;
  #closed = false;

  constructor(options: NamesOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#hosts = new HostsFile(options.hostsFile ?? HOSTS_FILE, this.#now);
    this.#server = new NameServer(options.servers, this.#now);
  }

  /** At least one address. Rejects with `LookupFailed`. `organizationId`: whose share of the look-ups it is. */
  resolve(hostname: string, organizationId = ''): Promise<readonly Address[]> {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    const local = this.#hosts.find(name) ?? (name === 'localhost' || name.endsWith('.localhost') ? LOOPBACK : undefined);
    if (local !== undefined) return Promise.resolve(local);
    if (this.#closed || !HOST_NAME.test(name) || NEVER.test(name)) return Promise.reject(new LookupFailed('ENOTFOUND', true, false));
    const known = this.#recall(name);
    if (known !== undefined && known.until > this.#now())
      return known.failure === null ? Promise.resolve(known.addresses) : Promise.reject(known.failure);
    return this.#lookup(name, organizationId);
  }

  /** Ends what is under way and what waits. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const lookup of this.#lookups.values()) if (!lookup.started) lookup.reject(new LookupFailed('CLOSED', false, false));
    this.#waiting.clear();
  }

  #lookup(name: string, organizationId: string): Promise<readonly Address[]> {
    let lookup = this.#lookups.get(name);
    if (lookup === undefined) {
      if ((this.#waiting.get(organizationId)?.size ?? 0) >= NETWORK_LIMITS.organizationLookupsWaiting)
        return Promise.reject(new LookupFailed('TOO_MANY_LOOKUPS', false, false));
      lookup = { name, since: this.#now(), organizations: new Set(), started: false, ...Promise.withResolvers<readonly Address[]>() };
      this.#lookups.set(name, lookup);
    }
    if (lookup.started || lookup.organizations.has(organizationId)) return lookup.promise;
    // Not started: it may wait in somebody else's queue, and this organization's may be shorter.
    lookup.organizations.add(organizationId);
    const queue = this.#waiting.get(organizationId);
    if (queue === undefined) this.#waiting.set(organizationId, new Set([lookup]));
    else queue.add(lookup);
    this.#next(organizationId);
    return lookup.promise;
  }

  /** Starts what this organization may start. */
  #next(organizationId: string): void {
    const queue = this.#waiting.get(organizationId);
    if (queue === undefined) return;
    for (const lookup of queue) {
      const underWay = this.#underWay.get(organizationId) ?? 0;
      if (this.#started >= NETWORK_LIMITS.nodeLookups || underWay >= NETWORK_LIMITS.organizationLookups) return;
      this.#leaveQueues(lookup);
      if (this.#now() - lookup.since > NETWORK_LIMITS.lookupWaitMs) {
        this.#lookups.delete(lookup.name);
        lookup.reject(new LookupFailed('TOO_MANY_LOOKUPS', false, false));
        continue;
      }
      lookup.started = true;
      this.#started += 1;
      this.#underWay.set(organizationId, underWay + 1);
      void this.#run(lookup, organizationId);
    }
  }

  async #run(lookup: Lookup, organizationId: string): Promise<void> {
    const { name } = lookup;
    try {
      const { addresses, ttlMs } = await this.#server.ask(name);
      const now = this.#now();
      const until = now + Math.min(Math.max(ttlMs, NETWORK_LIMITS.minNameMs), NETWORK_LIMITS.maxNameMs);
      this.#remember(name, { addresses, failure: null, until, staleUntil: until + NETWORK_LIMITS.staleNameMs });
      lookup.resolve(addresses);
    } catch (error) {
      this.#failed(lookup, error instanceof LookupFailed ? error : new LookupFailed(String(error), false, true));
    }
    this.#lookups.delete(name);
    this.#started -= 1;
    const underWay = this.#underWay.get(organizationId)! - 1;
    if (underWay === 0) this.#underWay.delete(organizationId);
    else this.#underWay.set(organizationId, underWay);
    this.#next(organizationId);
    if (this.#started === NETWORK_LIMITS.nodeLookups - 1) this.#passOn();
  }

  /** No answer at all: the last one is better than none. "There is no such name" is an answer. */
  #failed({ name, reject, resolve }: Lookup, failure: LookupFailed): void {
    const now = this.#now();
    const until = now + NETWORK_LIMITS.failedNameMs;
    const old = this.#known.get(name);
    if (!failure.isAnswer && old !== undefined && old.staleUntil > now) {
      this.#remember(name, { ...old, until });
      resolve(old.addresses);
      return;
    }
    this.#remember(name, { addresses: [], failure, until, staleUntil: 0 });
    reject(failure);
  }

  /** The node was full: whoever waits takes the free place, in turn. */
  #passOn(): void {
    for (const organizationId of Array.from(this.#waiting.keys())) {
      const queue = this.#waiting.get(organizationId)!;
      this.#waiting.delete(organizationId);
      this.#waiting.set(organizationId, queue);
      this.#next(organizationId);
      if (this.#started >= NETWORK_LIMITS.nodeLookups) return;
    }
  }

  #leaveQueues(lookup: Lookup): void {
    for (const organizationId of lookup.organizations) {
      const queue = this.#waiting.get(organizationId);
      queue?.delete(lookup);
      if (queue?.size === 0) this.#waiting.delete(organizationId);
    }
  }

  #recall(name: string): Known | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    this.#known.delete(name);
    this.#known.set(name, known);
    return known;
  }

  #remember(name: string, known: Known): void {
    this.#known.delete(name);
    if (this.#known.size >= NETWORK_LIMITS.names) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(name, known);
  }
}
