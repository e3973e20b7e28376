import { isUuid, shortHex, uuidv7 } from '@dialhook/engine';

/** Prefixes of the vendor's ids (contracts/dialnexa.md 1). A log entry is its call under another name. */
export type IdPrefix = 'call' | 'log' | 'cmp' | 'lead' | 'wf' | 'node' | 'edge' | 'wlead';

/** `call_` and the 32 hex digits of the id. */
export function publicId(prefix: IdPrefix, id: string): string {
  return `${prefix}_${id.replaceAll('-', '')}`;
}

/** The id behind a public one; null when it is not one of that kind. */
export function internalId(prefix: IdPrefix, text: string): string | null {
  const hex = text.startsWith(`${prefix}_`) ? text.slice(prefix.length + 1) : '';
  if (hex.length !== 32) return null;
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return isUuid(id) ? id.toLowerCase() : null;
}

export function organizationPublicId(id: string): string {
  return `org_${shortHex(id)}`;
}

/** Ids that sort as the rows stand: those of one millisecond are random among themselves, and leads are called in the order of their file. */
export function withOrderedIds<Row extends object>(rows: readonly Row[], nowMs: number): (Row & { readonly id: string })[] {
  const ids = rows.map(() => uuidv7(nowMs)).sort();
  return rows.map((row, index) => ({ ...row, id: ids[index]! }));
}
