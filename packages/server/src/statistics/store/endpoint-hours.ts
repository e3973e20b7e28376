import { plainArray, timeArray, uuidFloor, uuidTime, type Queryable } from '@dialhook/engine';

export interface EndpointHour {
  readonly organizationId: string;
  readonly endpointId: string;
  readonly hour: Date;
  readonly delivered: number;
  readonly failed: number;
  readonly exhausted: number;
  readonly latencies: readonly number[];
}

/** Adds to what is there, whichever node counted it. */
export async function addHours(db: Queryable, hours: readonly EndpointHour[]): Promise<void> {
  await db.query({
    name: 'add-hours',
    text: `
      insert into endpoint_hours as h (organization_id, endpoint_id, hour, delivered, failed, exhausted, latencies)
      select organization_id, endpoint_id, hour, delivered, failed, exhausted, latencies::int[]
        from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[], $5::int[], $6::int[], $7::text[])
          as i (organization_id, endpoint_id, hour, delivered, failed, exhausted, latencies)
       order by organization_id, endpoint_id, hour
      on conflict (organization_id, endpoint_id, hour) do update
        set delivered = h.delivered + excluded.delivered, failed = h.failed + excluded.failed, exhausted = h.exhausted + excluded.exhausted,
            latencies = (select array_agg(a + b order by place) from unnest(h.latencies, excluded.latencies) with ordinality as pair (a, b, place))`,
    values: [
      plainArray(hours.map((h) => h.organizationId)),
      plainArray(hours.map((h) => h.endpointId)),
      timeArray(hours.map((h) => h.hour.getTime())),
      plainArray(hours.map((h) => h.delivered)),
      plainArray(hours.map((h) => h.failed)),
      plainArray(hours.map((h) => h.exhausted)),
      hours.map((h) => plainArray(h.latencies)),
    ],
  });
}

/** Rows in one statement: some ten milliseconds of the embedded database's one session, and others come between the statements. */
const STEP_ROWS = 4_000;

export async function loadHours(db: Queryable, organizationId: string, since: Date): Promise<EndpointHour[]> {
  const found: EndpointHour[] = [];
  for (let after: [Date, string] = [since, uuidFloor(0)]; ;) {
    const step = await db.query<EndpointHour>({
      name: 'load-hours',
      text: `select organization_id as "organizationId", endpoint_id as "endpointId", hour, delivered, failed, exhausted, latencies
               from endpoint_hours where organization_id = $1 and (hour, endpoint_id) > ($2, $3) order by hour, endpoint_id limit ${STEP_ROWS}`,
      values: [organizationId, ...after],
    });
    found.push(...step);
    if (step.length < STEP_ROWS) return found;
    const { endpointId, hour } = step.at(-1)!;
    after = [hour, endpointId];
  }
}

export async function sweepHours(db: Queryable, before: Date): Promise<void> {
  await db.query({ text: 'delete from endpoint_hours where hour < $1', values: [before] });
}

/** Lists by the hour, in Unix milliseconds, in which they came. */
export async function countUploads(db: Queryable, organizationId: string, since: Date): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (let [comparison, after] = ['>=', uuidFloor(since.getTime())]; ; comparison = '>') {
    const step = await db.query<{ id: string }>({
      text: `select id from uploads where organization_id = $1 and id ${comparison} $2 order by id limit ${STEP_ROWS}`,
      values: [organizationId, after],
    });
    for (const { id } of step) {
      const hour = Math.floor(uuidTime(id) / 3_600_000) * 3_600_000;
      counts.set(hour, (counts.get(hour) ?? 0) + 1);
    }
    if (step.length < STEP_ROWS) return counts;
    after = step.at(-1)!.id;
  }
}
