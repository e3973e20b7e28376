import { isUuid } from '@dialhook/engine';

/** Opaque to clients, so that it may change: the id of the last row of the page before. */
export function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** The id inside a cursor; null when it is not one of ours. */
export function decodeCursor(cursor: string): string | null {
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  return isUuid(id) ? id : null;
}

/** One page out of one row more than asked for: whether there is a next page is known without counting. */
export function page<Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
): { rows: readonly Row[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown, next_cursor: rows.length > limit && last ? encodeCursor(last.id) : null };
}
