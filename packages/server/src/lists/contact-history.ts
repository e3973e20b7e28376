import type { Database, Queryable } from '@dialhook/engine';
import { normalizePhone, prefixOf } from './phone.ts';
import { addContactHistory, type ContactCount } from './store/contact-history.ts';

export interface ContactEntry {
  readonly number: string;
  readonly dials: number;
  readonly contacts: number;
}

/** Adds what a dialler saw of numbers. Returns the indices of entries whose number is not a US or Canadian one. */
export function recordContacts(database: Database, entries: readonly ContactEntry[]): Promise<number[]> {
  return database.transaction((tx) => addContacts(tx, entries));
}

/** The same in the caller's transaction. */
export async function addContacts(tx: Queryable, entries: readonly ContactEntry[]): Promise<number[]> {
  const refused: number[] = [];
  const sums = new Map<number, ContactCount>();
  for (const [index, entry] of entries.entries()) {
    const number = normalizePhone(entry.number);
    if (number <= 0) {
      refused.push(index);
      continue;
    }
    const sum = sums.get(number);
    sums.set(number, { number, dials: (sum?.dials ?? 0) + entry.dials, contacts: (sum?.contacts ?? 0) + entry.contacts });
  }
  if (sums.size > 0) await addContactHistory(tx, [...sums.values()], prefixOf);
  return refused;
}
