import type { Queryable, Transaction } from '@dialhook/engine';

/** Something that guesses are counted for, hashed: an e-mail address or a network address. */
export interface GuessedAt {
  readonly subject: string;
  /** Guesses that are allowed for it in the window. */
  readonly most: number;
}

/**
 * Counts one guess for each subject, or for none when one of them has had all of its own. The locks make guesses at one
 * subject wait for each other over all nodes, so that a burst is counted like a queue; they end with the transaction.
 */
export async function countGuess(
  tx: Transaction,
  attempt: string,
  subjects: readonly GuessedAt[],
  since: Date,
  now: Date,
): Promise<boolean> {
  const names = subjects.map(({ subject }) => subject).sort();
  for (const name of names) await tx.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 2))', values: [name] });
  const rows = await tx.query<{ subject: string; count: number }>({
    text: 'select subject, count(*) as count from sign_in_failures where subject = any ($1::text[]) and at > $2 group by subject',
    values: [names, since],
  });
  const counts = new Map(rows.map(({ count, subject }) => [subject, count]));
  if (subjects.some(({ most, subject }) => (counts.get(subject) ?? 0) >= most)) return false;
  await tx.query({
    text: 'insert into sign_in_failures (subject, at, attempt) select unnest($1::text[]), $2, $3',
    values: [names, now, attempt],
  });
  return true;
}

/** The guess was right: it does not count. */
export async function takeBackGuess(db: Queryable, attempt: string, subjects: readonly GuessedAt[]): Promise<void> {
  await db.query({
    text: 'delete from sign_in_failures where subject = any ($1::text[]) and attempt = $2',
    values: [subjects.map(({ subject }) => subject), attempt],
  });
}
