import type { Database } from '@dialhook/engine';

/** History is spread over this many days, as retention leaves it. */
const DAYS = 30;
const FILL_STEP = 500_000;

/** Finished deliveries with their events, as they would be after `DAYS` days: ids of those days, in partitions of those days. */
export async function fillHistory(database: Database, count: number): Promise<void> {
  if (count === 0) return;
  await database.query({
    text: `do $$ declare d date; t text; begin
      for d in select generate_series(current_date - ${DAYS}, current_date - 1, interval '1 day')::date loop
        foreach t in array array['events', 'finished_deliveries', 'attempts'] loop
          execute format('create table if not exists %I partition of %I for values from (%L) to (%L)', t || '_' || to_char(d, 'YYYYMMDD'), t,
            rpad(lpad(to_hex((extract(epoch from d) * 1000)::bigint), 12, '0'), 32, '0')::uuid,
            rpad(lpad(to_hex((extract(epoch from d + 1) * 1000)::bigint), 12, '0'), 32, '0')::uuid);
        end loop;
      end loop; end $$`,
  });
  for (let done = 0; done < count; done += FILL_STEP) {
    await database.query({
      text: `
        with made as materialized (
          select (lpad(to_hex((extract(epoch from current_date) * 1000)::bigint - 1 - (n * 86400000.0 * ${DAYS} / ${FILL_STEP})::bigint), 12, '0')
                  || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid as id, n,
                 e.organization_id, e.id as endpoint_id
            from generate_series(0, ${FILL_STEP - 1}) n
            join (select *, row_number() over (order by id) - 1 as k, count(*) over () as total from endpoints) e on e.k = n % e.total
        ), stored as (
          insert into events (id, organization_id, type, data, occurred_at)
          select id, organization_id, 'call.ended', '{"call_id":"call_' || n || '","agent":"agent_42","disposition":"CALLBACK","duration_seconds":187}', now() from made
        )
        insert into finished_deliveries (id, organization_id, endpoint_id, event_id, event_type, status, created_at, attempt_count, scheduled_at,
          last_attempt_at, last_duration_ms, last_response_status, last_response_body, finished_at)
        select id, organization_id, endpoint_id, id, 'call.ended', 'delivered', now(), 1, now(), now(), 12, 200, 'ok', now() from made`,
    });
  }
}
