import type { Queryable } from '@dialhook/engine';
import type { Page, Paged } from '../model.ts';

/** One page, newest first, of the rows of `table` that satisfy `where`, with how many there are in all. */
export async function paged<Row>(
  db: Queryable,
  { table, values, where }: { readonly table: string; readonly where: string; readonly values: readonly unknown[] },
  { limit, page }: Page,
): Promise<Paged<Row>> {
  const [count] = await db.query<{ total: number }>({ text: `select count(*) as total from ${table} where ${where}`, values });
  const next = values.length + 1;
  const rows = await db.query<Row>({
    text: `select * from ${table} where ${where} order by id desc limit $${next} offset $${next + 1}`,
    values: [...values, limit, (page - 1) * limit],
  });
  return { rows, total: count!.total };
}
