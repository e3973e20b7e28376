import { AT_ONCE, dueWhile, plainArray, type DueSource, type Queryable } from '@dialhook/engine';
import type { UncleanedDial } from '../model.ts';

export interface NewDial {
  readonly id: string;
  readonly organizationId: string;
  /** The dialler's own id. */
  readonly dialId: string | null;
  readonly raw: string;
}

/** Stores dials in one statement; one whose dial id the company has sent before is left out. */
export async function insertDials(db: Queryable, dials: readonly NewDial[]): Promise<void> {
  await db.query({
    name: 'insert-dials',
    text: `
      with input as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as i (id, organization_id, dial_id, raw)
      ), fresh as (
        insert into dial_ids (organization_id, dial_id, dial)
        select organization_id, dial_id, id from input where dial_id is not null order by organization_id, dial_id
        on conflict do nothing returning dial
      )
      insert into dial_inbox (id, organization_id, raw)
      select id, organization_id, raw from input where dial_id is null or id in (select dial from fresh)`,
    values: [
      plainArray(dials.map((d) => d.id)),
      plainArray(dials.map((d) => d.organizationId)),
      dials.map((d) => d.dialId),
      dials.map((d) => d.raw),
    ],
  });
}

export interface InboxDial {
  readonly id: string;
  readonly organizationId: string;
  readonly raw: string;
}

/** Dials that wait to be cleaned. In the order of ids, as they are taken: an inbox that was just emptied is not read through. */
export const UNCLEANED_DUE: DueSource = {
  name: 'uncleaned dials',
  text: `select ${AT_ONCE} from dial_inbox where failed_at is null order by id limit 1`,
};

/** The oldest uncleaned dials, held until the caller's transaction ends. */
export async function takeUncleaned(tx: Queryable, limit: number): Promise<InboxDial[]> {
  return tx.query<InboxDial>({
    name: 'take-uncleaned',
    text: `select id, organization_id as "organizationId", raw from dial_inbox where failed_at is null order by id limit $1 for update skip locked`,
    values: [limit],
  });
}

export interface CleanedDial {
  readonly id: string;
  readonly organizationId: string;
  readonly event: string;
  /** Whether it waits for a batch now. */
  readonly gathered: boolean;
}

/** Moves dials from the inbox to the cleaned ones, and those for webhooks into the gathering too. */
export async function storeCleaned(tx: Queryable, dials: readonly CleanedDial[], now: Date): Promise<void> {
  await tx.query({
    name: 'store-cleaned',
    text: `
      with input as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::boolean[]) as i (id, organization_id, event, gathered)
      ), gone as (
        delete from dial_inbox b using input i where b.id = i.id
      ), gathering as (
        insert into dial_gathered (organization_id, dial, gathered_at) select organization_id, id, $5 from input where gathered
      )
      insert into dials (id, organization_id, event) select id, organization_id, event from input`,
    values: [dials.map((d) => d.id), dials.map((d) => d.organizationId), dials.map((d) => d.event), dials.map((d) => d.gathered), now],
  });
}

/** Keeps dials that could not be cleaned, with the reason. */
export async function storeFailures(tx: Queryable, failures: readonly { id: string; error: string }[], now: Date): Promise<void> {
  await tx.query({
    text: `update dial_inbox b set failed_at = $3, error = f.error from unnest($1::uuid[], $2::text[]) as f (id, error) where b.id = f.id`,
    values: [failures.map(({ id }) => id), failures.map(({ error }) => error), now],
  });
}

/** Those that could not be cleaned, newest first. */
export async function listFailures(
  db: Queryable,
  organizationId: string,
  before: string | undefined,
  limit: number,
): Promise<UncleanedDial[]> {
  return db.query<UncleanedDial>({
    text: `select id, raw, error, failed_at as "failedAt" from dial_inbox
            where organization_id = $1 and failed_at is not null and ($2::uuid is null or id < $2) order by id desc limit $3`,
    values: [organizationId, before ?? null, limit],
  });
}

/** Lets failed dials be cleaned again. Returns how many. */
export async function retryFailures(db: Queryable, organizationId: string): Promise<number> {
  const rows = await db.query({
    text: `update dial_inbox set failed_at = null, error = null where organization_id = $1 and failed_at is not null returning 1`,
    values: [organizationId],
  });
  return rows.length;
}

export interface DialPage {
  readonly since: string;
  readonly until: string;
  readonly newestFirst: boolean;
  /** The last id of the page before. */
  readonly after: string | undefined;
}

export async function listDials(
  db: Queryable,
  organizationId: string,
  page: DialPage,
  limit: number,
): Promise<{ id: string; event: string }[]> {
  const [comparison, order] = page.newestFirst ? ['<', 'desc'] : ['>', 'asc'];
  return db.query<{ id: string; event: string }>({
    text: `select id, event from dials where organization_id = $1 and id >= $2 and id < $3 and ($4::uuid is null or id ${comparison} $4)
            order by id ${order} limit $5`,
    values: [organizationId, page.since, page.until, page.after ?? null, limit],
  });
}

/** Rows in one statement of a count: some ten milliseconds, and others come between the statements. */
const COUNTED_ROWS = 20_000;

/** How many dials of a company lie between each of these ids and the next; `end` follows the last one. */
export async function countDials(db: Queryable, organizationId: string, floors: readonly string[], end: string): Promise<number[]> {
  const counts = floors.map(() => 0);
  for (let [comparison, after] = ['>=', floors[0]]; ; comparison = '>') {
    const rows = await db.query<{ place: number; count: number; last: string }>({
      text: `select width_bucket(id, $2::uuid[]) as place, count(*) as count, max(id::text) as last
               from (select id from dials where organization_id = $1 and id ${comparison} $3 and id < $4 order by id limit ${COUNTED_ROWS}) d
              group by 1 order by 1`,
      values: [organizationId, plainArray(floors), after, end],
    });
    let looked = 0;
    for (const { count, place } of rows) {
      counts[place - 1]! += count;
      looked += count;
    }
    if (looked < COUNTED_ROWS) return counts;
    after = rows.at(-1)!.last;
  }
}

/** Dials that wait for a batch. */
export const GATHERED_DUE = dueWhile('gathered dials', 'dial_gathered');

export interface Gathering {
  readonly organizationId: string;
  readonly count: number;
  readonly oldest: Date;
}

/** What waits for a batch, by company. The table holds about a second of dials. */
export async function listGatherings(db: Queryable): Promise<Gathering[]> {
  return db.query<Gathering>({
    name: 'list-gatherings',
    text: `select organization_id as "organizationId", count(*) as count, min(gathered_at) as oldest from dial_gathered group by organization_id`,
  });
}

/** Takes the oldest gathered dials of a company out of the gathering; gives their events, oldest first. */
export async function takeGathered(tx: Queryable, organizationId: string, limit: number): Promise<string[]> {
  const taken = await tx.query<{ dial: string }>({
    name: 'take-gathered',
    text: `delete from dial_gathered g using (
             select dial from dial_gathered where organization_id = $1 order by dial limit $2 for update skip locked
           ) t where g.organization_id = $1 and g.dial = t.dial returning g.dial`,
    values: [organizationId, limit],
  });
  const ids = taken.map(({ dial }) => dial).sort();
  if (ids.length === 0) return [];
  const rows = await tx.query<{ event: string }>({
    name: 'load-dials',
    text: 'select event from dials where id = any ($1::uuid[]) and id between $2 and $3 order by id',
    values: [ids, ids[0], ids.at(-1)],
  });
  return rows.map(({ event }) => event);
}

/**
 * Forgets the dialler's ids of dials that retention has removed, in so many pages of the table from the given one on. An index for it would
 * cost every dial something; a part of the table that is read now and then costs none. Gives how many pages the table has.
 */
export async function sweepDialIds(db: Queryable, oldest: string, fromPage: number, pages: number): Promise<number> {
  await db.query({
    name: 'sweep-dial-ids',
    text: 'delete from dial_ids where ctid >= $2::tid and ctid < $3::tid and dial < $1',
    values: [oldest, `(${fromPage},0)`, `(${fromPage + pages},0)`],
  });
  const [row] = await db.query<{ pages: number }>({
    text: `select pg_relation_size('dial_ids') / current_setting('block_size')::int as pages`,
  });
  return row!.pages;
}
