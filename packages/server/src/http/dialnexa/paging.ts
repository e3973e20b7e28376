import Type, { type TSchema } from 'typebox';
import type { Page, Paged } from '../../calls/model.ts';

/** contracts/dialnexa.md 1, pagination; beyond a million pages nobody is reading any more. */
export const pageQuery = {
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
};

const Meta = Type.Object({ page: Type.Integer(), limit: Type.Integer(), total: Type.Integer(), totalPages: Type.Integer() });

export function pageOf<T extends TSchema>(row: T) {
  const example = (row as { examples?: unknown[] }).examples?.[0];
  return Type.Object(
    { data: Type.Array(row), meta: Meta },
    { examples: [{ data: [example], meta: { page: 1, limit: 20, total: 1, totalPages: 1 } }] },
  );
}

export function toPage<Row, Shown>({ rows, total }: Paged<Row>, { limit, page }: Page, show: (row: Row) => Shown) {
  return { data: rows.map(show), meta: { page, limit, total, totalPages: Math.ceil(total / limit) } };
}
