import type { Queryable } from './database.ts';

const DAY_MS = 86_400_000;

/**
 * The time that retention goes by, Unix milliseconds. The database's clock may leap (a promoted standby, a host whose
 * clock is set), and what was dropped does not come back: so the last look is remembered in the database, and this
 * time moves on by what really passed since. `elapsedMs` is what the caller's monotonic clock saw since its own last
 * look; null at its first, which may go on by one day at most, for the time in which nobody looked.
 */
export async function lookAtClock(db: Queryable, elapsedMs: number | null): Promise<{ time: number; heldBackMs: number }> {
  const [row] = await db.query<{ trusted: number; now: number }>({
    text: `insert into retention_clock as r (trusted_at, looked_at) values (clock_timestamp(), clock_timestamp())
           on conflict (only_row) do update
              set trusted_at = r.trusted_at + greatest(interval '0', least(clock_timestamp() - r.looked_at, $1 * interval '1 ms')),
                  looked_at = clock_timestamp()
           returning (extract(epoch from trusted_at) * 1000)::float8 as trusted, (extract(epoch from clock_timestamp()) * 1000)::float8 as now`,
    values: [elapsedMs ?? DAY_MS],
  });
  const { now, trusted } = row!;
  return { time: Math.floor(Math.min(now, trusted)), heldBackMs: Math.max(0, now - trusted) };
}
