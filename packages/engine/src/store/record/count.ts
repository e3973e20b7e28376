import { booleanArray, intArray, uuidArray } from '../binary-arrays.ts';
import type { Recorded, RecordedRow, Result } from './result.ts';

/** How fresh an endpoint's last success must be: while all succeed, its row is written this often at most. */
export const FRESH = `interval '1 second'`;
const FAILURES = '(case when t.success_at is not null then t.failures else e.consecutive_failures + t.failures end)';
const TURNS_OFF = `(e.is_active and (coalesce(t.gone and r.gone_disables, false) or coalesce(${FAILURES} >= r.threshold, false)))`;

/**
 * The end of a recording statement: counts what was really recorded, each attempt once, and nothing that was not sent.
 * Follows a CTE `sent` (endpoint_id, delivered, ended_at, gone). `rules` are three parameters, see `ruleValues`; `now` is
 * the parameter of the time. Endpoints are locked in the order of their ids, so that two nodes do not wait for each other.
 */
export function countSent(rules: readonly [string, string, string], now: string): string {
  return `
  rule as materialized (
    select * from unnest(${rules[0]}::uuid[], ${rules[1]}::int[], ${rules[2]}::boolean[]) as r (endpoint_id, threshold, gone_disables)
  ), marked as (
    select *, max(ended_at) filter (where delivered) over (partition by endpoint_id) as success_at from sent
  ), touched as materialized (
    select endpoint_id as id, success_at, max(ended_at) filter (where not delivered) as failure_at, bool_or(gone) as gone,
           (count(*) filter (where not delivered and (success_at is null or ended_at > success_at)))::int as failures
      from marked group by endpoint_id, success_at
  ), due as materialized (
    select e.id from endpoints e join touched t on t.id = e.id
     where t.failure_at is not null or e.consecutive_failures > 0 or e.last_success_at is null
        or e.last_success_at < t.success_at - ${FRESH} or e.last_failure_at >= e.last_success_at
     order by e.id for no key update of e
  ), counted as (
    update endpoints e
       set last_success_at = greatest(e.last_success_at, t.success_at),
           last_failure_at = greatest(e.last_failure_at, t.failure_at),
           consecutive_failures = ${FAILURES},
           is_active = e.is_active and not ${TURNS_OFF},
           disabled_at = case when ${TURNS_OFF} then ${now} else e.disabled_at end,
           disabled_reason = case when not ${TURNS_OFF} then e.disabled_reason
                                  when t.gone and r.gone_disables then 'gone' else 'consecutive_failures' end,
           updated_at = case when ${TURNS_OFF} then ${now} else e.updated_at end
      from due join touched t on t.id = due.id left join rule r on r.endpoint_id = t.id
     where e.id = due.id
    returning e.id, e.is_active
  )`;
}

export const COUNTED_ROWS = `
  select id, 'disabled' as what from counted where not is_active
  union all
  select id, 'missing' from touched t where failure_at is not null and not exists (select from endpoints e where e.id = t.id)`;

/** The rules of the endpoints that failed; the others need none. */
export function ruleValues(results: readonly Result[]): unknown[] {
  const rules = new Map<string, Result>();
  for (const result of results) if (result.outcome !== 'delivered') rules.set(result.delivery.endpointId, result);
  return [
    uuidArray([...rules.keys()]),
    intArray(Array.from(rules.values(), (r) => r.disableAfterFailures)),
    booleanArray(Array.from(rules.values(), (r) => r.goneDisables)),
  ];
}

export function toRecorded(rows: readonly RecordedRow[], batchIds: readonly string[]): Recorded {
  const held = new Set(idsOf('held'));
  return { lostBatches: batchIds.filter((id) => !held.has(id)), disabled: idsOf('disabled'), missing: idsOf('missing') };

  function idsOf(what: RecordedRow['what']): string[] {
    return rows.filter((row) => row.what === what).map((row) => row.id);
  }
}
