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
  /** Of the custom headers that are sealed. */
  readonly headerNames: readonly string[];
  readonly isActive: boolean;
  readonly verifiedAt: Date | null;
  readonly createdBy: string | null;
  readonly rateLimit: number | null;
  readonly now: Date;
}

export async function insertEndpoint(db: Queryable, endpoint: NewEndpoint): Promise<Endpoint> {
  const [row] = await db.query<Row>({
    text: `with made as (
             insert into endpoints (id, organization_id, dialect, url, name, description, events, sealed, is_active,
               verified_at, created_by, created_at, updated_at, rate_limit)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13) returning *
           ), kept as (
             insert into endpoint_versions (endpoint_id, version, organization_id, dialect, url, header_names, created_at)
             select id, version, organization_id, dialect, url, $14::text[], $12 from made
           )
           select ${COLUMNS} from made`,
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
      endpoint.headerNames,
    ],
  });
  return toEndpoint(row!);
}

/**
 * Counts an organization's endpoints, and those of a dialect. The advisory lock makes two creations wait for each other, so
 * that limits also hold under a race; it ends with the transaction.
 */
export async function countEndpointsLocked(
  tx: Queryable,
  { dialect, organizationId }: Required<EndpointScope>,
): Promise<{ all: number; ofDialect: number }> {
  await tx.query({ text: `select pg_advisory_xact_lock(hashtextextended($1, 0))`, values: [`endpoints:${organizationId}`] });
  const [row] = await tx.query<{ all: number; of_dialect: number }>({
    text: 'select count(*) as all, count(*) filter (where dialect = $2) as of_dialect from endpoints where organization_id = $1',
    values: [organizationId, dialect],
  });
  return { all: row!.all, ofDialect: row!.of_dialect };
}

/** Newest first: all, or a page of those of some dialects after an id. */
export async function listEndpoints(
  db: Queryable,
  { dialects, organizationId }: { readonly organizationId: string; readonly dialects: readonly string[] | null },
  page: { readonly after: string | null; readonly limit: number } | null = null,
): Promise<Endpoint[]> {
  const rows = await db.query<Row>({
    text: `select ${COLUMNS} from endpoints
            where organization_id = $1 and ($2::text[] is null or dialect = any ($2)) and ($3::uuid is null or id < $3)
            order by id desc limit $4`,
    values: [organizationId, dialects, page?.after ?? null, page?.limit ?? null],
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
  /** With `sealed`: the names of the custom headers in it. */
  readonly headerNames?: readonly string[] | undefined;
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
  const headerNames = `$${values.push(change.headerNames ?? null)}::text[]`;
  const [row] = await db.query<Row>({
    text: `with changed as (
             update endpoints set ${sets.join(', ')}
              where organization_id = $1 and id = $2 and ($3::text is null or dialect = $3)${condition} returning *
           ), retired as (
             update endpoint_versions v set superseded_at = $4 from changed c where v.endpoint_id = c.id and v.superseded_at is null
             returning v.header_names
           ), kept as (
             insert into endpoint_versions (endpoint_id, version, organization_id, dialect, url, header_names, created_at)
             select id, version, organization_id, dialect, url, coalesce(${headerNames}, (select header_names from retired limit 1)), $4 from changed
           )
           select ${COLUMNS} from changed`,
    values,
  });
  return row ? toEndpoint(row) : null;
}

/** Deletes an endpoint; its versions stay as long as the history. False when there is no such endpoint. */
export async function deleteEndpoint(tx: Queryable, scope: EndpointScope, id: string, now: Date): Promise<boolean> {
  const rows = await tx.query({
    text: `with gone as (
             delete from endpoints where organization_id = $1 and id = $2 and ($3::text is null or dialect = $3) returning id
           ), retired as (
             update endpoint_versions v set superseded_at = $4 from gone where v.endpoint_id = gone.id and v.superseded_at is null
           )
           select id from gone`,
    values: [scope.organizationId, id, scope.dialect ?? null, now],
  });
  return rows.length > 0;
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
  readonly consecutiveFailures: number;
  /** By the database's clock; null when no delivery ever succeeded. */
  readonly msSinceSuccess: number | null;
}

/** What senders need of endpoints, in one query. */
export async function loadTargets(db: Queryable, ids: readonly string[]): Promise<TargetRow[]> {
  const rows = await db.query<TargetRow>({
    name: 'load-targets',
    text: `select id, organization_id as "organizationId", dialect, url, version, rate_limit as "rateLimit", sealed,
                  consecutive_failures as "consecutiveFailures",
                  (extract(epoch from now() - last_success_at) * 1000)::float8 as "msSinceSuccess"
             from endpoints where id = any ($1::uuid[])`,
    values: [ids],
  });
  return rows;
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
