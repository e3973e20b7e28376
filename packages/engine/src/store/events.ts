import type { StoredEvent } from '../core/dialect.ts';
import { eventBytes } from '../core/event-memory.ts';
import { plainArray } from './arrays.ts';
import type { Queryable } from './database.ts';

interface Row {
  id: string;
  organization_id: string;
  type: string;
  data: string | null;
  occurred_at: Date;
}

/**
 * Events by id, as many as `bytes` have room for, and at least the first. Null stands for those that do not fit; an id that
 * is missing belongs to an event that retention dropped. One look-up for each, which finds its day's partition by itself:
 * `id = any (…)` would look for every id in every partition. `offset 0` keeps the planner from turning it into a join over
 * all of them. The length of a long text is known without reading it.
 */
export async function loadEventsWithin(db: Queryable, ids: readonly string[], bytes: number): Promise<Map<string, StoredEvent | null>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<Row>({
    name: 'load-events-within',
    text: `select s.id, s.organization_id, s.type, s.occurred_at, case when s.n = 1 or s.needed <= $2::float8 then s.data end as data
             from (select e.*, w.n, sum(${eventBytes(0)} + 2.0::float8 * octet_length(e.data)) over (order by w.n) as needed
                     from unnest($1::uuid[]) with ordinality as w (id, n)
                    cross join lateral (select id, organization_id, type, data, occurred_at from events where id = w.id offset 0) e) s`,
    values: [plainArray(ids), bytes],
  });
  return new Map(
    rows.map(({ data, id, occurred_at: occurredAt, organization_id: organizationId, type }) => [
      id,
      data === null ? null : { id, organizationId, type, data, occurredAt: occurredAt.getTime(), encoded: undefined },
    ]),
  );
}
