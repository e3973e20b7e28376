import type { DisabledReason, Endpoint } from '../core/endpoint.ts';
import type { Queryable } from './database.ts';

interface Row {
  id: string;
  organization_id: string;
  dialect: string;
  url: string;
  name: string | null;
  description: string | null;
  events: string[] | null;
  is_active: boolean;
  disabled_at: Date | null;
  disabled_reason: DisabledReason | null;
  verified_at: Date | null;
  last_success_at: Date | null;
  last_failure_at: Date | null;
  consecutive_failures: number;
  created_by: string | null;
  paused_at: Date | null;
  rate_limit: number | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = `id, organization_id, dialect, url, name, description, events, is_active, disabled_at, disabled_reason,
  verified_at, last_success_at, last_failure_at, consecutive_failures, created_by, paused_at, rate_limit,
  version, created_at, updated_at`;

export interface EndpointScope {
  readonly organizationId: string;
  /** Only endpoints of this dialect; every dialect when absent. */
  readonly dialect?: string | undefined;
}

export interface NewEndpoint {
  readonly id: string;
  readonly organizationId: string;
  readonly dialect: string;
  readonly url: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly events: readonly string[] | null;
  readonly sealed: Buffer;
  readonly isActive: boolean;
  readonly verifiedAt: Date | null;
  readonly createdBy: string | null;
  readonly rateLimit: number | null;
  readonly now: Date;
}

export async function insertEndpoint(db: Queryable, endpoint: NewEndpoint): Promise<Endpoint> {
  const [row] = await db.query<Row>({
    text: `insert into endpoints (id, organization_id, dialect, url, name, description, events, sealed, is_active,
             verified_at, created_by, created_at, updated_at, rate_limit)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13) returning ${COLUMNS}`,
    values: [
      endpoint.id,
      endpoint.organizationId,
      endpoint.dialect,
      endpoint.url,
      endpoint.name,
      endpoint.description,
      endpoint.events,
      endpoint.sealed,
      endpoint.isActive,
      endpoint.verifiedAt,
      endpoint.createdBy,
      endpoint.now,
      endpoint.rateLimit,
    ],
  });
  return toEndpoint(row!);
}

/**
 * Counts an organization's endpoints of a dialect. The advisory lock makes two creations wait for each other, so that
 * the limit also holds under a race; it ends with the transaction.
 */
export async function countEndpointsLocked(tx: Queryable, scope: Required<EndpointScope>): Promise<number> {
  await tx.query({
    text: `select pg_advisory_xact_lock(hashtextextended($1, 0))`,
    values: [`endpoints:${scope.organizationId}:${scope.dialect}`],
  });
  const [row] = await tx.query<{ count: number }>({
    text: 'select count(*) as count from endpoints where organization_id = $1 and dialect = $2',
    values: [scope.organizationId, scope.dialect],
  });
  return row!.count;
}

/** Newest first. */
export async function listEndpoints(db: Queryable, scope: EndpointScope, limit: number): Promise<Endpoint[]> {
  const rows = await db.query<Row>({
    text: `select ${COLUMNS} from endpoints where organization_id = $1 and ($2::text is null or dialect = $2) order by id desc limit $3`,
    values: [scope.organizationId, scope.dialect ?? null, limit],
  });
  return rows.map(toEndpoint);
}

export async function findEndpoint(db: Queryable, scope: EndpointScope, id: string): Promise<Endpoint | null> {
  const [row] = await db.query<Row>({
    text: `select ${COLUMNS} from endpoints where organization_id = $1 and id = $2 and ($3::text is null or dialect = $3)`,
    values: [scope.organizationId, id, scope.dialect ?? null],
  });
  return row ? toEndpoint(row) : null;
}

/** The encrypted part; with `lock`, nobody else changes the endpoint before the caller's transaction ends. */
export async function findSealed(db: Queryable, scope: EndpointScope, id: string, lock = false): Promise<Buffer | null> {
  const [row] = await db.query<{ sealed: Buffer }>({
    text: `select sealed from endpoints where organization_id = $1 and id = $2 and ($3::text is null or dialect = $3) ${lock ? 'for update' : ''}`,
    values: [scope.organizationId, id, scope.dialect ?? null],
  });
  return row?.sealed ?? null;
}

export interface EndpointChange {
  readonly ifVersion?: number | undefined;
  readonly url?: string | undefined;
  readonly verifiedAt?: Date | undefined;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly events?: readonly string[] | null | undefined;
  readonly isActive?: boolean | undefined;
  readonly pausedAt?: Date | null | undefined;
  readonly rateLimit?: number | null | undefined;
  readonly sealed?: Buffer | undefined;
}

/** Changes what is given. Setting `isActive` to true also clears what the engine's disabling left. */
export async function updateEndpoint(
  db: Queryable,
  scope: EndpointScope,
  id: string,
  change: EndpointChange,
  now: Date,
): Promise<Endpoint | null> {
  const values: unknown[] = [scope.organizationId, id, scope.dialect ?? null, now];
  const sets = ['updated_at = $4', 'version = version + 1'];
  const set = (column: string, value: unknown) => sets.push(`${column} = $${values.push(value)}`);
  if (change.url !== undefined) set('url', change.url);
  if (change.verifiedAt !== undefined) set('verified_at', change.verifiedAt);
  if (change.name !== undefined) set('name', change.name);
  if (change.description !== undefined) set('description', change.description);
  if (change.events !== undefined) set('events', change.events);
  if (change.sealed !== undefined) set('sealed', change.sealed);
  if (change.isActive !== undefined) set('is_active', change.isActive);
  if (change.rateLimit !== undefined) set('rate_limit', change.rateLimit);
  if (change.pausedAt !== undefined) set('paused_at', change.pausedAt);
  if (change.isActive === true) sets.push('consecutive_failures = 0', 'disabled_at = null', 'disabled_reason = null');
  const condition = change.ifVersion === undefined ? '' : ` and version = $${values.push(change.ifVersion)}`;
  const [row] = await db.query<Row>({
    text: `update endpoints set ${sets.join(', ')}
            where organization_id = $1 and id = $2 and ($3::text is null or dialect = $3)${condition} returning ${COLUMNS}`,
    values,
  });
  return row ? toEndpoint(row) : null;
}

/** Deletes an endpoint and ends its unfinished deliveries as exhausted. False when there is no such endpoint. */
export async function deleteEndpoint(tx: Queryable, scope: EndpointScope, id: string, now: Date): Promise<boolean> {
  const rows = await tx.query({
    text: 'delete from endpoints where organization_id = $1 and id = $2 and ($3::text is null or dialect = $3) returning id',
    values: [scope.organizationId, id, scope.dialect ?? null],
  });
  if (rows.length === 0) return false;
  await exhaustDeliveriesOf(tx, [id], 'endpoint_deleted', now);
  return true;
}

/** Moves every unfinished delivery of endpoints to the history, as given up for this reason. */
export async function exhaustDeliveriesOf(
  db: Queryable,
  endpointIds: readonly string[],
  reason: 'endpoint_deleted' | 'endpoint_disabled',
  now: Date,
): Promise<void> {
  await db.query({
    text: `with ended as (delete from deliveries where endpoint_id = any ($1::uuid[]) returning *)
           insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at,
             attempt_count, scheduled_at, last_attempt_at, last_response_status, last_error, finished_at)
           select id, organization_id, endpoint_id, event_id, event_type, 'exhausted', created_at,
             attempt_count, scheduled_at, last_attempt_at, last_response_status, $3, $2 from ended`,
    values: [endpointIds, now, reason],
  });
}

/** Of these organizations those with an active endpoint that gets this event type. */
export async function findListening(db: Queryable, organizationIds: readonly string[], eventType: string): Promise<Set<string>> {
  const rows = await db.query<{ organization_id: string }>({
    name: 'find-listening',
    text: `select distinct organization_id from endpoints
            where organization_id = any ($1::uuid[]) and is_active and (events is null or $2 = any (events))`,
    values: [organizationIds, eventType],
  });
  return new Set(rows.map((row) => row.organization_id));
}

export interface TargetRow {
  readonly id: string;
  readonly organizationId: string;
  readonly dialect: string;
  readonly url: string;
  readonly version: number;
  readonly rateLimit: number | null;
  readonly sealed: Buffer;
}

/** What senders need of endpoints, in one query. */
export async function loadTargets(db: Queryable, ids: readonly string[]): Promise<TargetRow[]> {
  const rows = await db.query<Pick<Row, 'id' | 'organization_id' | 'dialect' | 'url' | 'version' | 'rate_limit'> & { sealed: Buffer }>({
    name: 'load-targets',
    text: 'select id, organization_id, dialect, url, version, rate_limit, sealed from endpoints where id = any ($1::uuid[])',
    values: [ids],
  });
  return rows.map(({ organization_id: organizationId, rate_limit: rateLimit, ...rest }) => ({ organizationId, rateLimit, ...rest }));
}

/** Of these endpoints those that have another version now, may not be sent to any more, or are gone. */
export async function findChangedEndpoints(
  db: Queryable,
  known: readonly { readonly id: string; readonly version: number }[],
): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'find-changed-endpoints',
    text: `select k.id from unnest($1::uuid[], $2::int[]) as k (id, version) left join endpoints e on e.id = k.id
            where e.id is null or e.version <> k.version or not e.is_active or e.paused_at is not null`,
    values: [known.map(({ id }) => id), known.map(({ version }) => version)],
  });
  return rows.map(({ id }) => id);
}

function toEndpoint(row: Row): Endpoint {
  return {
    id: row.id,
    organizationId: row.organization_id,
    dialect: row.dialect,
    url: row.url,
    name: row.name,
    description: row.description,
    events: row.events,
    isActive: row.is_active,
    disabledAt: row.disabled_at,
    disabledReason: row.disabled_reason,
    verifiedAt: row.verified_at,
    lastSuccessAt: row.last_success_at,
    lastFailureAt: row.last_failure_at,
    consecutiveFailures: row.consecutive_failures,
    createdBy: row.created_by,
    pausedAt: row.paused_at,
    rateLimit: row.rate_limit,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
