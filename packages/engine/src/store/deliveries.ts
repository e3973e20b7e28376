import type { Delivery, DeliveryStatus } from '../core/delivery.ts';
import type { Queryable } from './database.ts';

export interface DeliveryFilter {
  readonly organizationId: string;
  readonly endpointId?: string | undefined;
  readonly status?: DeliveryStatus | undefined;
  readonly eventType?: string | undefined;
  /** Only deliveries older than this id. */
  readonly before?: string | undefined;
}

interface Row {
  id: string;
  organization_id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: DeliveryStatus;
  created_at: Date;
  attempt_count: number;
  scheduled_at: Date;
  last_attempt_at: Date | null;
  last_response_status: number | null;
  last_error: string | null;
  finished_at: Date | null;
}

/** The delivery log, newest first. Filters become conditions only when set, so that each shape gets its own index. */
export async function listDeliveries(db: Queryable, filter: DeliveryFilter, limit: number): Promise<Delivery[]> {
  const values: unknown[] = [filter.organizationId, limit];
  const conditions = ['organization_id = $1'];
  const where = (condition: string, value: unknown) => conditions.push(`${condition} $${values.push(value)}`);
  if (filter.endpointId !== undefined) where('endpoint_id =', filter.endpointId);
  if (filter.status !== undefined) where('status =', filter.status);
  if (filter.eventType !== undefined) where('event_type =', filter.eventType);
  if (filter.before !== undefined) where('id <', filter.before);
  const rows = await db.query<Row>({
    text: `select * from all_deliveries where ${conditions.join(' and ')} order by id desc limit $2`,
    values,
  });
  return rows.map(toDelivery);
}

export interface LoggedAttempt {
  readonly number: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly responseStatus: number | null;
  readonly responseBody: string | null;
  readonly error: string | null;
}

/** One delivery with its attempts, oldest first; null when the organization has no such delivery. */
export async function findDelivery(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<{ delivery: Delivery; attempts: LoggedAttempt[] } | null> {
  const [row] = await db.query<Row>({
    text: 'select * from all_deliveries where organization_id = $1 and id = $2',
    values: [organizationId, id],
  });
  if (!row) return null;
  const attempts = await db.query<{
    number: number;
    started_at: Date;
    duration_ms: number;
    response_status: number | null;
    response_body: string | null;
    error: string | null;
  }>({ text: 'select * from attempts where delivery_id = $1 order by number', values: [id] });
  return {
    delivery: toDelivery(row),
    attempts: attempts.map((a) => ({
      number: a.number,
      startedAt: a.started_at,
      durationMs: a.duration_ms,
      responseStatus: a.response_status,
      responseBody: a.response_body,
      error: a.error,
    })),
  };
}

function toDelivery(row: Row): Delivery {
  return {
    id: row.id,
    organizationId: row.organization_id,
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    eventType: row.event_type,
    status: row.status,
    createdAt: row.created_at,
    attemptCount: row.attempt_count,
    scheduledAt: row.scheduled_at,
    lastAttemptAt: row.last_attempt_at,
    lastResponseStatus: row.last_response_status,
    lastError: row.last_error,
    finishedAt: row.finished_at,
  };
}
