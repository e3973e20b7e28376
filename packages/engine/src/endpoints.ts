import type { Clock } from './core/clock.ts';
import type { Dialect, DialectRegistry } from './core/dialect.ts';
import { checkedEvents, checkedHeaders, checkedRateLimit, checkedSecret } from './core/endpoint-rules.ts';
import type { Endpoint, EndpointSecrets } from './core/endpoint.ts';
import { EngineError, type AttemptError } from './core/errors.ts';
import { uuidv7 } from './core/ids.ts';
import { isSuccess, type AttemptResult } from './core/outcome.ts';
import { LIMITS } from './core/limits.ts';
import type { Sealer } from './core/seal.ts';
import type { Database, Queryable } from './store/database.ts';
import {
  countEndpointsLocked,
  deleteEndpoint,
  findEndpoint,
  findListening,
  findSealed,
  insertEndpoint,
  listEndpoints,
  updateEndpoint,
  type EndpointScope,
} from './store/endpoints.ts';
import { endWaiting, oldestHistory, type EndReason } from './store/endings.ts';
import { BlockedTarget, UNREACHABLE_HOST, type NetworkGuard } from './worker/guard.ts';
import { buildRequest, makeSender } from './worker/request.ts';
import { openSecrets, readableSecrets, sealSecrets } from './worker/targets.ts';
import type { Transport } from './worker/transport.ts';

/** The registration ping got no 2xx. Nothing was saved. */
export class PingFailed extends Error {
  override readonly name = 'PingFailed';
  /** The receiver's status, when one came. */
  readonly status: number | null;
  /** What went wrong below HTTP, when no status came. */
  readonly reason: AttemptError | null;
  constructor(status: number | null, reason: AttemptError | null) {
    super('The endpoint gave no 2xx answer to the ping.');
    this.status = status;
    this.reason = reason;
  }
}

export interface CreateEndpoint {
  readonly organizationId: string;
  readonly dialect: string;
  readonly url: string;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  /** Event types; the dialect's defaults when absent. */
  readonly events?: readonly string[] | undefined;
  /** Only where the dialect lets the caller choose; made by us when absent. */
  readonly secret?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly isActive?: boolean | undefined;
  /** Requests a second, over all nodes; null or absent for no limit. */
  readonly rateLimit?: number | null | undefined;
  readonly createdBy?: string | null | undefined;
  readonly authorize?: Authorize | undefined;
}

export interface ChangeEndpoint {
  /** Only while the endpoint still has this version; else `version_mismatch`. */
  readonly ifVersion?: number | undefined;
  readonly url?: string | undefined;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly events?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where the dialect lets the caller choose it; the old one signs beside it as long as the dialect says. */
  readonly secret?: string | undefined;
  readonly isActive?: boolean | undefined;
  readonly rateLimit?: number | null | undefined;
  /** True: deliveries are made and wait. False: what waited is sent. */
  readonly paused?: boolean | undefined;
  readonly authorize?: Authorize | undefined;
}

export interface EndpointsOptions {
  readonly database: Database;
  readonly dialects: DialectRegistry;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly guard: NetworkGuard;
  readonly transport: Transport;
  /** Somebody changed or deleted this endpoint here: senders on this node must notice at once. */
  readonly onChange: (endpointId: string) => void;
  /** Endpoints that an organization may have. */
  readonly maxEndpoints: number;
}

/**
 * Called first in the transaction that stores something: holds the right of whoever asked, or throws. What takes long before
 * it, such as a ping, is then done in vain.
 */
export type Authorize = (tx: Queryable) => Promise<void>;

/** Registers and changes endpoints; every rule about them is here, in core/endpoint-rules.ts, or in the dialect's data. */
export class Endpoints {
  readonly #options: EndpointsOptions;

  constructor(options: EndpointsOptions) {
    this.#options = options;
  }

  /** Throws `EngineError` or `PingFailed`; then nothing is saved. The secret is shown here and never again. */
  async create(input: CreateEndpoint): Promise<{ endpoint: Endpoint; secret: string }> {
    const { database, clock, sealer, dialects, maxEndpoints } = this.#options;
    const dialect = dialects.get(input.dialect);
    if (dialect === undefined) throw new EngineError('unknown_dialect', `must be one of ${dialects.names().join(', ')}`);
    const events = checkedEvents(dialect, input.events);
    const headers = checkedHeaders(dialect, input.headers ?? {});
    const rateLimit = checkedRateLimit(input.rateLimit ?? null);
    const secret = checkedSecret(dialect, input.secret);
    const secrets: EndpointSecrets = { secrets: [{ value: secret, until: null }], headers };
    const url = await this.#checkedUrl(dialect, input.url, input.organizationId);
    if (dialect.ping !== null) await this.#ping(dialect, url, secrets, input.organizationId);

    const now = new Date(clock.now());
    const id = uuidv7(clock.now());
    const scope = { organizationId: input.organizationId, dialect: dialect.name };
    const endpoint = await database.transaction(async (tx) => {
      await input.authorize?.(tx);
      const { all, ofDialect } = await countEndpointsLocked(tx, scope);
      const limit = dialect.maxEndpoints !== null && ofDialect >= dialect.maxEndpoints ? dialect.maxEndpoints : maxEndpoints;
      if (all >= maxEndpoints || ofDialect >= limit) throw new EngineError('endpoint_limit', `at most ${limit} endpoints are allowed`);
      return insertEndpoint(tx, {
        id,
        ...scope,
        url,
        name: input.name ?? null,
        description: input.description ?? null,
        events,
        sealed: sealSecrets(sealer, secrets, id),
        headerNames: Object.keys(headers),
        isActive: input.isActive ?? true,
        verifiedAt: dialect.ping === null ? null : now,
        createdBy: input.createdBy ?? null,
        rateLimit,
        now,
      });
    });
    return { endpoint, secret };
  }

  /** All of them, newest first: as many as an organization may have. */
  list({ dialect, organizationId }: EndpointScope): Promise<Endpoint[]> {
    return listEndpoints(this.#options.database, { organizationId, dialects: dialect === undefined ? null : [dialect] });
  }

  /** A page of those of some dialects (null: every one), newest first, after the one with an id. */
  page(
    scope: { readonly organizationId: string; readonly dialects: readonly string[] | null },
    after: string | undefined,
    limit: number,
  ): Promise<Endpoint[]> {
    return listEndpoints(this.#options.database, scope, { after: after ?? null, limit });
  }

  find(scope: EndpointScope, id: string): Promise<Endpoint | null> {
    return findEndpoint(this.#options.database, scope, id);
  }

  /** Of these organizations those with an active endpoint that gets events of this type; in the caller's transaction. */
  listening(tx: Queryable, organizationIds: readonly string[], eventType: string): Promise<Set<string>> {
    return findListening(tx, organizationIds, eventType);
  }

  /** Changes what is given; null when there is no such endpoint. A new URL is pinged with the existing secret first. */
  async update(scope: EndpointScope, id: string, change: ChangeEndpoint): Promise<Endpoint | null> {
    const { database, clock, dialects, onChange, sealer } = this.#options;
    const current = await findEndpoint(database, scope, id);
    const sealed = await findSealed(database, scope, id);
    if (current === null || sealed === null) return null;
    const dialect = dialects.get(current.dialect);
    if (dialect === undefined) throw new EngineError('unknown_dialect', `must be one of ${dialects.names().join(', ')}`);
    const events = change.events === undefined ? undefined : checkedEvents(dialect, change.events);
    const headers = change.headers === undefined ? undefined : checkedHeaders(dialect, change.headers);
    const rateLimit = change.rateLimit === undefined ? undefined : checkedRateLimit(change.rateLimit);
    const secret = change.secret === undefined ? undefined : checkedSecret(dialect, change.secret);
    let url: string | undefined;
    if (change.url !== undefined && change.url !== current.url) {
      url = await this.#checkedUrl(dialect, change.url, current.organizationId);
      if (dialect.ping !== null) {
        const secrets = openSecrets(sealer, sealed, id);
        await this.#ping(dialect, url, { ...secrets, headers: headers ?? secrets.headers }, current.organizationId);
      }
    }
    const now = new Date(clock.now());
    const updated = await database.transaction(async (tx) => {
      await change.authorize?.(tx);
      // Read again under the row's lock: a rotation during the ping must not be undone by the old secrets.
      const latest = headers === undefined && secret === undefined ? null : await findSealed(tx, scope, id, true);
      const resealed = latest === null ? undefined : this.#reseal(dialect, id, latest, { headers, secret });
      const result = await updateEndpoint(
        tx,
        scope,
        id,
        {
          url,
          verifiedAt: url !== undefined && dialect.ping !== null ? now : undefined,
          name: change.name,
          description: change.description,
          events,
          isActive: change.isActive,
          rateLimit,
          pausedAt: change.paused === undefined ? undefined : change.paused ? (current.pausedAt ?? now) : null,
          ifVersion: change.ifVersion,
          sealed: resealed,
          headerNames: resealed === undefined || headers === undefined ? undefined : Object.keys(headers),
        },
        now,
      );
      // When it is switched on as well: what slipped in while it was being switched off is not sent late.
      const isSwitched = result !== null && change.isActive !== undefined && change.isActive !== current.isActive;
      if (isSwitched && dialect.whenDisabled === 'drop') await this.#endFirst(tx, id, 'endpoint_disabled');
      return result;
    });
    if (updated === null && change.ifVersion !== undefined)
      throw new EngineError('version_mismatch', 'The endpoint was changed since it was read.');
    onChange(id);
    return updated;
  }

  /** Replaces the signing secret; the old one signs beside it as long as the dialect says. Null when unknown. */
  async rotateSecret(
    scope: EndpointScope,
    id: string,
    secret?: string,
    authorize?: Authorize,
  ): Promise<{ endpoint: Endpoint; secret: string } | null> {
    const { clock, database, dialects, onChange } = this.#options;
    const result = await database.transaction(async (tx) => {
      await authorize?.(tx);
      const current = await findEndpoint(tx, scope, id);
      const sealed = await findSealed(tx, scope, id, true); // two rotations at once: one after the other
      const dialect = current && dialects.get(current.dialect);
      if (!current || sealed === null || !dialect) return null;
      const value = checkedSecret(dialect, secret);
      const resealed = this.#reseal(dialect, id, sealed, { secret: value });
      const endpoint = await updateEndpoint(tx, scope, id, { sealed: resealed }, new Date(clock.now()));
      return endpoint && { endpoint, secret: value };
    });
    onChange(id);
    return result;
  }

  /** Hard: gone from lists, unfinished deliveries end as exhausted. False when there is no such endpoint. */
  async delete(scope: EndpointScope, id: string): Promise<boolean> {
    const { database, clock, onChange } = this.#options;
    const deleted = await database.transaction(async (tx) => {
      const isDeleted = await deleteEndpoint(tx, scope, id, new Date(clock.now()));
      if (isDeleted) await this.#endFirst(tx, id, 'endpoint_deleted');
      return isDeleted;
    });
    onChange(id);
    return deleted;
  }

  /**
   * Sends one signed request of this type to the endpoint now, outside the queue and the log: nothing is retried. Null when
   * there is no such endpoint.
   */
  async probe(scope: EndpointScope, id: string, event: { readonly type: string; readonly data: string }): Promise<AttemptResult | null> {
    const { clock, database, dialects, sealer, transport } = this.#options;
    const endpoint = await findEndpoint(database, scope, id);
    const sealed = await findSealed(database, scope, id);
    const dialect = endpoint && dialects.get(endpoint.dialect);
    if (!endpoint || sealed === null || !dialect) return null;
    const now = clock.now();
    const stored = { id: uuidv7(now), organizationId: endpoint.organizationId, ...event, occurredAt: now };
    const message = { event: stored, deliveryId: uuidv7(now), attempt: 1, now, timeoutMs: dialect.timeoutMs };
    return transport.post(buildRequest(makeSender(dialect, endpoint.url, openSecrets(sealer, sealed, id)), message));
  }

  /** What waits for an endpoint ends with it: the first of it at once, however much more there is soon after. */
  async #endFirst(tx: Queryable, endpointId: string, reason: EndReason): Promise<void> {
    const floorMs = await oldestHistory(tx);
    await endWaiting(tx, { endpointId, reason, now: this.#options.clock.now(), floorMs }, LIMITS.endedBatch);
  }

  /**
   * The encrypted part with other headers or another secret; a replaced secret still signs in the dialect's overlap. One that
   * cannot be opened is replaced at once.
   */
  #reseal(
    { secret: { overlapMs } }: Dialect,
    id: string,
    sealed: Buffer,
    change: { readonly headers?: Readonly<Record<string, string>> | undefined; readonly secret?: string | undefined },
  ): Buffer {
    const { clock, sealer } = this.#options;
    const old = change.secret === undefined ? openSecrets(sealer, sealed, id) : readableSecrets(sealer, sealed, id);
    const until = clock.now() + overlapMs;
    const replaced = overlapMs === 0 ? [] : old.secrets.map((entry) => ({ ...entry, until: Math.min(entry.until ?? until, until) }));
    const secrets = change.secret === undefined ? old.secrets : [{ value: change.secret, until: null }, ...replaced];
    return sealSecrets(sealer, { secrets, headers: change.headers ?? old.headers }, id);
  }

  async #checkedUrl(dialect: Dialect, text: string, organizationId: string): Promise<string> {
    const url = this.#options.guard.parseUrl(text);
    // Dialects with a ping find out by pinging; for the others this is the only look at the name before deliveries.
    if (dialect.ping === null) await this.#options.guard.addressesOf(url.hostname, organizationId).catch(refuseTarget);
    return url.href;
  }

  async #ping(dialect: Dialect, url: string, secrets: EndpointSecrets, organizationId: string): Promise<void> {
    const ping = dialect.ping!; // callers checked
    const { clock, transport } = this.#options;
    const now = clock.now();
    const event = { id: uuidv7(now), organizationId, type: ping.eventType, data: ping.data(), occurredAt: now };
    const message = { event, deliveryId: uuidv7(now), attempt: 1, now, timeoutMs: ping.timeoutMs };
    const request = buildRequest(makeSender(dialect, url, secrets), message);
    const result: AttemptResult = await transport.post(request);
    if (!isSuccess(result)) throw new PingFailed(result.status, result.status === null ? result.error : null);
  }
}

function refuseTarget(error: unknown): never {
  if (!(error instanceof BlockedTarget)) throw error;
  throw new EngineError('invalid_url', UNREACHABLE_HOST, 'dns_error');
}
