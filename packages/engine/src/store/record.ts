import { plainArray, timeArray } from './arrays.ts';
import type { Queryable } from './database.ts';

/** What came of one attempt. Times are Unix milliseconds. */
export interface DeliveryResult {
  readonly outcome: 'delivered' | 'retry' | 'exhausted';
  readonly startedAt: number;
  /** Null when nothing was sent. */
  readonly durationMs: number | null;
  readonly status: number | null;
  readonly error: string | null;
  readonly responseBody: string;
  /** When the next attempt is due; null when there is none. */
  readonly retryAt: number | null;
  /** Disables the endpoint after so many failures in a row. */
  readonly disableAfterFailures: number | null;
  /** The answer says that the endpoint is gone for good. */
  readonly gone: boolean;
}

/** A result with the delivery that it belongs to, ready to be written. */
export interface RecordedAttempt extends DeliveryResult {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly lease: number;
  readonly attempt: number;
}

interface EndpointTally {
  succeeded: boolean;
  failuresSinceSuccess: number;
  lastSuccessAt: number | null;
  lastFailureAt: number | null;
  threshold: number | null;
  gone: boolean;
}

/**
 * Writes a batch of results in one statement: finished deliveries move from the queue to the history, the others get
 * their next due time, attempts are logged, and each endpoint that was touched is updated once. Rows whose lease is
 * no longer the writer's do not match and are left alone. Returns the endpoints that are now disabled.
 */
export async function recordAttempts(db: Queryable, attempts: readonly RecordedAttempt[], now: number): Promise<string[]> {
  const tallies = [...tally(attempts)].sort(([a], [b]) => (a < b ? -1 : 1)); // one order for all nodes: no deadlock
  const rows = await db.query<{ id: string }>({
    name: 'record-attempts',
    text: `
      with result as materialized (
        select * from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::timestamptz[], $6::int[], $7::int[], $8::text[], $9::text[], $10::timestamptz[])
          as r (id, lease, attempt, outcome, started_at, duration_ms, status, error, body, retry_at)
      ), ended as (
        delete from deliveries d using result r
         where d.id = r.id and d.lease = r.lease and d.leased_by is not null and r.outcome <> 'retry'
        returning d.id, d.organization_id, d.endpoint_id, d.event_id, d.event_type, r.outcome, d.created_at, r.attempt,
                  d.scheduled_at, r.started_at, r.duration_ms, r.status, r.error, r.body
      ), postponed as (
        update deliveries d
           set attempt_count = r.attempt, scheduled_at = r.retry_at, due_at = r.retry_at, leased_by = null,
               last_attempt_at = r.started_at, last_response_status = r.status, last_error = r.error
          from result r
         where d.id = r.id and d.lease = r.lease and d.leased_by is not null and r.outcome = 'retry'
        returning d.id, r.attempt, r.started_at, r.duration_ms, r.status, r.error, r.body
      ), archived as (
        insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count,
          scheduled_at, last_attempt_at, last_duration_ms, last_response_status, last_response_body, last_error, finished_at)
        select id, organization_id, endpoint_id, event_id, event_type, outcome, created_at, attempt,
               scheduled_at, started_at, duration_ms, status, body, error, $11 from ended
      ), logged as (
        insert into attempts (delivery_id, number, started_at, duration_ms, response_status, response_body, error)
        select id, attempt, started_at, duration_ms, status, body, error from postponed
      ), touched as (
        select * from unnest($12::uuid[], $13::boolean[], $14::int[], $15::timestamptz[], $16::timestamptz[], $17::int[], $18::boolean[])
          as t (id, succeeded, failures, last_success_at, last_failure_at, threshold, gone)
      ), counted as (
        update endpoints e
           set last_success_at = greatest(e.last_success_at, t.last_success_at),
               last_failure_at = greatest(e.last_failure_at, t.last_failure_at),
               consecutive_failures = case when t.succeeded then t.failures else e.consecutive_failures + t.failures end,
               is_active = e.is_active and not (t.gone or t.reached),
               disabled_at = case when e.is_active and (t.gone or t.reached) then $11 else e.disabled_at end,
               disabled_reason = case when e.is_active and t.gone then 'gone'
                                      when e.is_active and t.reached then 'consecutive_failures'
                                      else e.disabled_reason end,
               updated_at = case when e.is_active and (t.gone or t.reached) then $11 else e.updated_at end
          from (
            select t.*, coalesce(case when t.succeeded then t.failures else p.consecutive_failures + t.failures end >= t.threshold, false) as reached
              from touched t join endpoints p on p.id = t.id
          ) t
         where e.id = t.id
        returning e.id, e.is_active
      )
      select id from counted where not is_active`,
    values: [
      plainArray(attempts.map((a) => a.deliveryId)),
      plainArray(attempts.map((a) => a.lease)),
      plainArray(attempts.map((a) => a.attempt)),
      plainArray(attempts.map((a) => a.outcome)),
      timeArray(attempts.map((a) => a.startedAt)),
      plainArray(attempts.map((a) => a.durationMs)),
      plainArray(attempts.map((a) => a.status)),
      attempts.map((a) => a.error),
      attempts.map((a) => a.responseBody),
      timeArray(attempts.map((a) => a.retryAt)),
      new Date(now),
      plainArray(tallies.map(([id]) => id)),
      tallies.map(([, t]) => t.succeeded),
      plainArray(tallies.map(([, t]) => t.failuresSinceSuccess)),
      timeArray(tallies.map(([, t]) => t.lastSuccessAt)),
      timeArray(tallies.map(([, t]) => t.lastFailureAt)),
      plainArray(tallies.map(([, t]) => t.threshold)),
      tallies.map(([, t]) => t.gone),
    ],
  });
  return rows.map((row) => row.id);
}

/** Folds results into one update per endpoint, in the order in which the attempts ended. */
function tally(attempts: readonly RecordedAttempt[]): Map<string, EndpointTally> {
  const byEndpoint = new Map<string, EndpointTally>();
  for (const attempt of attempts) {
    let entry = byEndpoint.get(attempt.endpointId);
    if (entry === undefined) {
      entry = { succeeded: false, failuresSinceSuccess: 0, lastSuccessAt: null, lastFailureAt: null, threshold: null, gone: false };
      byEndpoint.set(attempt.endpointId, entry);
    }
    const endedAt = attempt.startedAt + (attempt.durationMs ?? 0);
    if (attempt.outcome === 'delivered') {
      entry.succeeded = true;
      entry.failuresSinceSuccess = 0;
      entry.lastSuccessAt = endedAt;
    } else {
      entry.failuresSinceSuccess += 1;
      entry.lastFailureAt = endedAt;
      entry.gone ||= attempt.gone;
    }
    entry.threshold = attempt.disableAfterFailures;
  }
  return byEndpoint;
}
