import type { Queryable } from './database.ts';

/**
 * Which of the events hold the text, in upper or lower case, in the order given, until so many bytes of data were read:
 * the events that are missing in the result were not looked at. At least one is.
 */
export async function findInEvents(
  db: Queryable,
  eventIds: readonly string[],
  text: string,
  maxBytes: number,
): Promise<Map<string, { readonly isMatch: boolean; readonly bytes: number }>> {
  // The sizes come first, from the rows alone: a large text is not fetched before it is known to fit.
  const rows = await db.query<{ id: string; is_match: boolean; bytes: number }>({
    text: `select id, bytes, coalesce(position(lower($2) in lower(data)) > 0, false) as is_match
             from (select s.id, e.data, coalesce(octet_length(e.data), 0)::float8 as bytes,
                          sum(coalesce(octet_length(e.data), 0)) over (order by s.place) - coalesce(octet_length(e.data), 0) as before
                     from unnest($1::uuid[]) with ordinality as s (id, place)
                     left join lateral (select data from events where id = s.id offset 0) e on true
                   offset 0) sized
            where before < $3`,
    values: [eventIds, text, maxBytes],
  });
  return new Map(rows.map(({ bytes, id, is_match: isMatch }) => [id, { isMatch, bytes }]));
}
