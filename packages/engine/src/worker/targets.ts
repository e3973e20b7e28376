import type { EndpointSecrets, Target } from '../core/endpoint.ts';
import { LIMITS } from '../core/limits.ts';
import type { Sealer } from '../core/seal.ts';
import type { Queryable } from '../store/database.ts';
import { loadTargets } from '../store/endpoints.ts';

/**
 * The senders' memory of endpoints. Whoever asks says which version is current, so an entry can be stale only as long
 * as nobody has seen a newer one. A null entry is an endpoint that is gone.
 */
export class TargetCache {
  readonly #db: Queryable;
  readonly #sealer: Sealer;
  readonly #entries = new Map<string, Target>();

  constructor(db: Queryable, sealer: Sealer) {
    this.#db = db;
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
    for (const { sealed, ...row } of await loadTargets(this.#db, ids)) {
      const target = { ...row, secrets: openSecrets(this.#sealer, sealed, row.id) };
      loaded.set(row.id, target);
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

/** The secrets that sign now: the current one, and replaced ones in their overlap. */
export function signingSecrets(secrets: EndpointSecrets, now: number): string[] {
  return secrets.secrets.filter(({ until }) => until === null || until > now).map(({ value }) => value);
}
