import { FIRST_UUID } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { dueWhile } from './agenda.ts';
import { loadEvents } from './claim.ts';
import type { Queryable } from './database.ts';
import { DELIVERIES_OF_MATCH, MATCH_COLUMNS, placementValues, toPublished, type Published, type PublishOptions } from './publish.ts';

interface FanOut {
  organization_id: string;
  event_id: string;
  event_type: string;
  created_at: Date;
  after_endpoint: string;
}

const STEP = `
  with input as (select $8::uuid as id, 1 as event, $9::uuid as organization_id, $10::text as type),
  looked as materialized (
    select * from endpoints where organization_id = $9 and id > $11 order by id limit ${LIMITS.fanOutStep}
  ), match as (
    select ${MATCH_COLUMNS} from input i
      join looked e on e.is_active and e.created_at <= $12 and (e.events is null or i.type = any (e.events))
  ), ${DELIVERIES_OF_MATCH}
  select id, event, endpoint_id, version, batch from target where batch >= 0`;

export interface FanOutStep extends Published {
  /** Whose turn it was: the next step is for the organization after this one. Null: nothing is left for anybody. */
  readonly organizationId: string | null;
}

/**
 * One step of one organization's oldest event that is fanned out, in the caller's transaction: the next few hundred
 * endpoints get their deliveries, and the row remembers how far it got. Organizations take turns, in the order of their
 * ids from the one after `after`. Endpoints that were registered after the event get nothing.
 */
export async function stepFanOut(tx: Queryable, after: string, options: PublishOptions): Promise<FanOutStep> {
  const row = (await next(tx, after)) ?? (after === FIRST_UUID ? undefined : await next(tx, FIRST_UUID));
  if (row === undefined) return { deliveries: [], isFanningOut: false, organizationId: null };
  const { event_id: eventId, organization_id: organizationId } = row;
  const [last] = await tx.query<{ id: string }>({
    name: 'fan-out-last',
    text: `select id from (select id from endpoints where organization_id = $1 and id > $2 order by id limit ${LIMITS.fanOutStep}) e
            order by id desc limit 1`,
    values: [organizationId, row.after_endpoint],
  });
  const event = (await loadEvents(tx, [eventId])).get(eventId);
  if (last === undefined || event === undefined) {
    await tx.query({ text: 'delete from fan_outs where organization_id = $1 and event_id = $2', values: [organizationId, eventId] });
    return { deliveries: [], isFanningOut: true, organizationId };
  }
  const rows = await tx.query<Parameters<typeof toPublished>[0][number]>({
    name: 'fan-out-step',
    text: STEP,
    values: [...placementValues(options, null), eventId, organizationId, row.event_type, row.after_endpoint, row.created_at],
  });
  await tx.query({
    text: 'update fan_outs set after_endpoint = $3 where organization_id = $1 and event_id = $2',
    values: [organizationId, eventId, last.id],
  });
  return { deliveries: toPublished(rows, () => event, options).deliveries, isFanningOut: true, organizationId };
}

/** An event is to be fanned out further. */
export const FAN_OUTS_DUE = dueWhile('fan-outs', 'fan_outs');

/** The oldest of the first organization after this one. Another node's is passed over. */
async function next(tx: Queryable, after: string): Promise<FanOut | undefined> {
  const [row] = await tx.query<FanOut>({
    name: 'next-fan-out',
    text: `select organization_id, event_id, event_type, created_at, after_endpoint from fan_outs
            where organization_id > $1 order by organization_id, event_id limit 1 for update skip locked`,
    values: [after],
  });
  return row;
}
