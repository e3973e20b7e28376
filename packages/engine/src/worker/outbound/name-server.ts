import { Resolver } from 'node:dns/promises';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import type { Address } from '../guard.ts';

/** Whether this is the address of a name server, with or without a port. */
export function isNameServer(text: string): boolean {
  try {
    new Resolver().setServers([text]);
    return true;
  } catch {
    return false;
  }
}

/** What a name server said about a name. */
export interface Found {
  readonly addresses: readonly Address[];
  /** The shortest time to live of the addresses. */
  readonly ttlMs: number;
}

/** A look-up that gave no address. */
export class LookupFailed extends Error {
  override readonly name = 'LookupFailed';
  /** A code of `node:dns`, or one of ours; for the log. */
  readonly code: string;
  /** The name server said that there is no such name, or no address for it. False: it said nothing, or nothing of use. */
  readonly isAnswer: boolean;
  /** The trouble is with our own name server: it answers nothing for any name. */
  readonly ours: boolean;

  constructor(code: string, isAnswer: boolean, ours: boolean) {
    super(code);
    this.code = code;
    this.isAnswer = isAnswer;
    this.ours = ours;
  }
}

/** The server spoke and the name has no address; asking again gives the same. */
const ANSWERS = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EFORMERR']);
/** Answers to a question that every name server knows: it lives, even if it does not serve that question. */
const SIGNS_OF_LIFE = new Set([...ANSWERS, 'EREFUSED', 'ENOTIMP']);
/** Nobody was asked: the port of the name server is closed, or we have no socket to ask with. */
const NOT_ASKED = new Set(['ECONNREFUSED', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENETUNREACH', 'EHOSTUNREACH']);

/**
 * Asks the system's name servers, or the given ones, without the thread pool of `getaddrinfo`.
 *
 * Each look-up has a channel of its own (30 µs): it can be cancelled alone, has a source port of its own, which makes
 * forged answers harder, and reads the system's configuration as it is now.
 */
export class NameServer {
  readonly #servers: readonly string[] | undefined;
  readonly #now: () => number;
  readonly #underWay = new Set<Resolver>();
  #wellAt = Number.NEGATIVE_INFINITY;
  #probe: Promise<boolean> | null = null;
  #closed = false;

  /** `servers`: addresses, with `:port` where it is not 53; the system's when absent. `now`: monotonic milliseconds. */
  constructor(servers: readonly string[] | undefined, now: () => number) {
    this.#servers = servers;
    this.#now = now;
  }

  /** Both address families. Rejects with `LookupFailed`. */
  async ask(name: string): Promise<Found> {
    const resolver = this.#channel();
    const deadline = setTimeout(() => resolver.cancel(), NETWORK_LIMITS.lookupMs);
    // When a name is slow it is the name or the server: what the server says to another question is known in time.
    const doubt = setTimeout(() => void this.#isWell(), NETWORK_LIMITS.nameServerTimeoutMs);
    try {
      const families = await bothFamilies(resolver, name);
      const addresses = families.flatMap((family) => family.addresses);
      const codes = families.map(({ code }) => code).filter((code) => code !== null);
      if (addresses.length > 0 || codes.some((code) => ANSWERS.has(code))) this.#wellAt = this.#now();
      if (addresses.length > 0) return { addresses, ttlMs: Math.min(...families.map(({ ttlMs }) => ttlMs)) };
      // A name that does not exist has no other family; an empty answer says nothing about one that failed.
      const code = codes.find((each) => each === 'ENOTFOUND') ?? codes.find((each) => !ANSWERS.has(each)) ?? codes[0] ?? 'ENODATA';
      if (ANSWERS.has(code)) throw new LookupFailed(code, true, false);
      throw new LookupFailed(code, false, !this.#closed && (NOT_ASKED.has(code) || !(await this.#isWell())));
    } finally {
      clearTimeout(deadline);
      clearTimeout(doubt);
      this.#underWay.delete(resolver);
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed = true;
    for (const resolver of this.#underWay) resolver.cancel();
  }

  /** Whether the name server answers at all: it did lately, or it says something about the root of all names. */
  #isWell(): Promise<boolean> {
    if (this.#closed || this.#now() - this.#wellAt < NETWORK_LIMITS.nameServerWellMs) return Promise.resolve(true);
    this.#probe ??= this.#askRoot().finally(() => (this.#probe = null));
    return this.#probe;
  }

  async #askRoot(): Promise<boolean> {
    const resolver = this.#channel();
    const deadline = setTimeout(() => resolver.cancel(), NETWORK_LIMITS.lookupMs - NETWORK_LIMITS.nameServerTimeoutMs);
    try {
      const code = await resolver.resolveNs('.').then(() => null, codeOf);
      const isWell = code === null || SIGNS_OF_LIFE.has(code);
      if (isWell) this.#wellAt = this.#now();
      return isWell;
    } finally {
      clearTimeout(deadline);
      this.#underWay.delete(resolver);
    }
  }

  #channel(): Resolver {
    const { lookupMs, nameServerTimeoutMs, nameServerTries } = NETWORK_LIMITS;
    const resolver = new Resolver({ timeout: nameServerTimeoutMs, tries: nameServerTries, maxTimeout: lookupMs });
    if (this.#servers !== undefined) resolver.setServers(this.#servers);
    this.#underWay.add(resolver);
    return resolver;
  }
}

interface FamilyAnswer extends Found {
  readonly code: string | null;
}

/** Waits for both, but not long for the second once the first has given addresses. IPv4 comes first. */
async function bothFamilies(resolver: Resolver, name: string): Promise<FamilyAnswer[]> {
  const answers = [resolver.resolve4(name, { ttl: true }), resolver.resolve6(name, { ttl: true })].map((records, i) =>
    records.then(
      (found): FamilyAnswer => ({
        addresses: found.map(({ address }) => ({ address, family: i === 0 ? 4 : 6 })),
        ttlMs: Math.min(...found.map(({ ttl }) => ttl * 1_000)),
        code: null,
      }),
      (error: unknown): FamilyAnswer => ({ addresses: [], ttlMs: Number.POSITIVE_INFINITY, code: codeOf(error) }),
    ),
  );
  let patience: NodeJS.Timeout | undefined;
  for (const answer of answers) {
    void answer.then(({ addresses }) => {
      if (addresses.length > 0) patience ??= setTimeout(() => resolver.cancel(), NETWORK_LIMITS.otherFamilyMs);
    });
  }
  const families = await Promise.all(answers);
  clearTimeout(patience);
  return families;
}

function codeOf(error: unknown): string {
  const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
  return code === 'ECANCELLED' ? 'ETIMEOUT' : code; // only our own deadlines cancel
}
