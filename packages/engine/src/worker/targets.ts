import type { DialectRegistry } from '../core/dialect.ts';
import type { EndpointSecrets } from '../core/endpoint.ts';
import { LIMITS } from '../core/limits.ts';
import type { Sealer } from '../core/seal.ts';
import type { Queryable } from '../store/database.ts';
import { loadTargets } from '../store/endpoints.ts';
import { makeSender, type Sender } from './request.ts';

/** What the dispatcher needs of an endpoint. */
export interface Target {
  readonly id: string;
  readonly organizationId: string;
  readonly version: number;
  /** Requests a second, over all nodes; null for no limit. */
  readonly rateLimit: number | null;
  /** Null: a dialect that this version does not know, of a newer node. */
  readonly sender: Sender | null;
}

/**
 * The senders' memory of endpoints. Whoever asks says which version is current, so an entry can be stale only as long
 * as nobody has seen a newer one. A null entry is an endpoint that is gone.
 */
export class TargetCache {
  readonly #db: Queryable;
  readonly #dialects: DialectRegistry;
  readonly #sealer: Sealer;
  readonly #entries = new Map<string, Target>();

  constructor(db: Queryable, dialects: DialectRegistry, sealer: Sealer) {
    this.#db = db;
    this.#dialects = dialects;
    this.#sealer = sealer;
  }

  /** The remembered target when it is at least of this version. */
  get(id: string, version: number): Target | undefined {
    const target = this.#entries.get(id);
    return target !== undefined && target.version >= version ? target : undefined;
  }

  forget(id: string): void {
    this.#entries.delete(id);
  }

  /** Loads targets in one query. An id that is missing in the result belongs to a deleted endpoint. */
  async load(ids: readonly string[]): Promise<Map<string, Target>> {
    const loaded = new Map<string, Target>();
    for (const { dialect: name, id, organizationId, rateLimit, sealed, url, version } of await loadTargets(this.#db, ids)) {
      const dialect = this.#dialects.get(name);
      const sender = dialect === undefined ? null : makeSender(dialect, url, openSecrets(this.#sealer, sealed, id));
      const target = { id, organizationId, version, rateLimit, sender };
      loaded.set(id, target);
      this.#remember(target);
    }
    return loaded;
  }

  #remember(target: Target): void {
    // Map keeps insertion order: the first key is the oldest.
    if (this.#entries.size >= LIMITS.cachedEndpoints) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(target.id, target);
  }
}

export function sealSecrets(sealer: Sealer, secrets: EndpointSecrets, endpointId: string): Buffer {
  return sealer.seal(JSON.stringify(secrets), endpointId);
}

export function openSecrets(sealer: Sealer, sealed: Buffer, endpointId: string): EndpointSecrets {
  return JSON.parse(sealer.open(sealed, endpointId)) as EndpointSecrets;
}
