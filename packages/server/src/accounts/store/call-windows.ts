import type { Queryable } from '@dialhook/engine';

export interface CallWindow {
  /** Calls in the window, this one included. */
  readonly calls: number;
  readonly endsAt: Date;
}

/** Counts one call in the key's window, or in a new one that ends at `newEnd` when there is none or it has ended. */
export async function countCall(db: Queryable, keyId: string, now: Date, newEnd: Date): Promise<CallWindow> {
  const [row] = await db.query<CallWindow>({
    name: 'count-call',
    text: `insert into call_windows as known (api_key_id, ends_at, calls) values ($1, $3, 1)
           on conflict (api_key_id) do update
             set calls = case when known.ends_at <= $2 then 1 else known.calls + 1 end,
                 ends_at = case when known.ends_at <= $2 then excluded.ends_at else known.ends_at end
           returning calls, ends_at as "endsAt"`,
    values: [keyId, now, newEnd],
  });
  return row!;
}

export async function sweepCallWindows(db: Queryable, now: Date): Promise<void> {
  await db.query({ text: 'delete from call_windows where ends_at <= $1', values: [now] });
}
