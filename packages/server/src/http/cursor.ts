import { isUuid } from '@dialhook/engine';
import { isFitText } from '../text.ts';
import { UnfitInput } from './input.ts';

/** Opaque to clients, so that it may change: the id of the last row of the page before. */
export function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** The id inside a cursor; undefined for none and for an empty one, which both mean the first page. Throws `UnfitInput` for one that is not ours. */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (!cursor) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!isUuid(id)) throw notOurs();
  return id;
}

/** The same for pages in the order of a text: empty for the first page. */
export function decodeTextCursor(cursor: string | undefined): string {
  const text = Buffer.from(cursor ?? '', 'base64url').toString('utf8');
  if (!isFitText(text)) throw notOurs();
  return text;
}

function notOurs(): UnfitInput {
  return new UnfitInput({ path: ['cursor'], message: 'is not one of ours' });
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
