import type { Queryable } from '@dialhook/engine';

export interface ContactCount {
  /** E.164 digits as a number. */
  readonly number: number;
  readonly dials: number;
  /** Dials that somebody answered; at most `dials`. */
  readonly contacts: number;
}

export interface PrefixCount {
  readonly prefix: number;
  readonly dials: number;
  readonly contacts: number;
}

/** Adds to what is known of numbers and of their prefixes. Numbers must not repeat within one call. */
export async function addContactHistory(
  tx: Queryable,
  counts: readonly ContactCount[],
  prefixOf: (number: number) => number,
): Promise<void> {
  const sorted = [...counts].sort((a, b) => a.number - b.number); // one order for all writers: no deadlock
  await tx.query({
    name: 'add-contact-history',
    text: `insert into contact_history as h (number, dials, contacts)
           select * from unnest($1::bigint[], $2::int[], $3::int[])
           on conflict (number) do update set dials = h.dials + excluded.dials, contacts = h.contacts + excluded.contacts`,
    values: [sorted.map((c) => c.number), sorted.map((c) => c.dials), sorted.map((c) => c.contacts)],
  });
  const prefixes = new Map<number, { dials: number; contacts: number }>();
  for (const { number, dials, contacts } of sorted) {
    const sum = prefixes.get(prefixOf(number)) ?? { dials: 0, contacts: 0 };
    prefixes.set(prefixOf(number), { dials: sum.dials + dials, contacts: sum.contacts + contacts });
  }
  const sums = [...prefixes].sort(([a], [b]) => a - b);
  await tx.query({
    name: 'add-contact-prefixes',
    text: `insert into contact_prefixes as p (prefix, dials, contacts)
           select * from unnest($1::int[], $2::bigint[], $3::bigint[])
           on conflict (prefix) do update set dials = p.dials + excluded.dials, contacts = p.contacts + excluded.contacts`,
    values: [sums.map(([prefix]) => prefix), sums.map(([, s]) => s.dials), sums.map(([, s]) => s.contacts)],
  });
}

export async function findContactHistory(db: Queryable, numbers: readonly number[]): Promise<ContactCount[]> {
  return db.query<ContactCount>({
    name: 'find-contact-history',
    text: 'select number, dials, contacts from contact_history where number = any ($1::bigint[])',
    values: [numbers],
  });
}

export async function findContactPrefixes(db: Queryable, prefixes: readonly number[]): Promise<PrefixCount[]> {
  return db.query<PrefixCount>({
    name: 'find-contact-prefixes',
    text: 'select prefix, dials, contacts from contact_prefixes where prefix = any ($1::int[])',
    values: [prefixes],
  });
}
