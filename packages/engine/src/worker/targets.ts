import type { DialectRegistry } from '../core/dialect.ts';
import type { EndpointSecrets } from '../core/endpoint.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Sealer } from '../core/seal.ts';
import type { Queryable } from '../store/database.ts';
import { loadTargets, type TargetRow } from '../store/endpoints.ts';
import { makeSender, type Sender } from './request.ts';

/** Why a node cannot send to an endpoint: a dialect of a newer version, or a secret that its key does not open. */
export type TargetProblem = 'unknown_dialect' | 'secret_unreadable';

/** What the dispatcher needs of an endpoint. */
export interface Target {
  readonly id: string;
  readonly organizationId: string;
  readonly version: number;
  /** Requests a second, over all nodes; null for no limit. */
  readonly rateLimit: number | null;
  readonly sender: Sender | TargetProblem;
  /** As the database had it when the endpoint was loaded. */
  readonly past: { readonly failures: number; readonly msSinceSuccess: number | null };
}

/**
 * The senders' memory of endpoints. Whoever asks says which version is current, so an entry can be stale only as long
 * as nobody has seen a newer one. A null entry is an endpoint that is gone.
 */
export class TargetCache {
  readonly #db: Queryable;
  readonly #dialects: DialectRegistry;
  readonly #sealer: Sealer;
  readonly #log: Log;
  readonly #entries = new Map<string, Target>();
  /** What was logged already: dialects, and endpoints whose secret could not be opened. */
  readonly #told = new Set<string>();

  constructor(db: Queryable, dialects: DialectRegistry, sealer: Sealer, log: Log) {
    this.#db = db;
    this.#dialects = dialects;
    this.#sealer = sealer;
    this.#log = log;
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
    for (const row of await loadTargets(this.#db, ids)) {
      const { consecutiveFailures: failures, id, msSinceSuccess, organizationId, rateLimit, version } = row;
      const target = { id, organizationId, version, rateLimit, sender: this.#sender(row), past: { failures, msSinceSuccess } };
      loaded.set(id, target);
      this.#remember(target);
    }
    return loaded;
  }

  /** One endpoint that cannot be sent to is its own trouble: those that were loaded with it are not touched. */
  #sender({ dialect: name, id, organizationId, sealed, url }: TargetRow): Sender | TargetProblem {
    const dialect = this.#dialects.get(name);
    if (dialect === undefined) {
      this.#tell(name, { dialect: name, endpoint: id }, 'endpoints of a dialect that this version does not know wait for a node that does');
      return 'unknown_dialect';
    }
    try {
      return makeSender(dialect, url, openSecrets(this.#sealer, sealed, id));
    } catch (error) {
      const fields = { err: error, endpoint: id, organization: organizationId };
      this.#tell(id, fields, 'an endpoint’s secret could not be opened with this key; its deliveries wait');
      return 'secret_unreadable';
    }
  }

  #tell(what: string, fields: object, message: string): void {
    if (this.#told.has(what) || this.#told.size >= LIMITS.cachedEndpoints) return;
    this.#told.add(what);
    this.#log.error(fields, message);
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

/** The same; nothing where they cannot be opened with this key. */
export function readableSecrets(sealer: Sealer, sealed: Buffer, endpointId: string): EndpointSecrets {
  try {
    return openSecrets(sealer, sealed, endpointId);
  } catch {
    return { secrets: [], headers: {} };
  }
}
