import { createHash } from 'node:crypto';
import type { Queryable, Statement } from './database.ts';

/** A kind of work that waits in the database, and how to ask when it is due next. */
export interface DueSource {
  readonly name: string;
  /**
   * A query without parameters that gives one timestamp: a time that has passed for what is due now, null when nothing waits.
   * It runs twice a second on every node, so it may only look into an index, whatever the tables hold.
   */
  readonly text: string;
}

/** A time that has passed: for work that is due whenever there is some. */
export const AT_ONCE = `'epoch'::timestamptz`;

/** Work that is due as long as there is such a row. `rows`: what follows `from`. */
export function dueWhile(name: string, rows: string): DueSource {
  return { name, text: `select ${AT_ONCE} from ${rows} limit 1` };
}

const statements = new Map<string, Statement>();

/** When each kind of work is due next, in one statement and in the order of the sources: Unix milliseconds, null when nothing waits. */
export async function findDueTimes(db: Queryable, sources: readonly DueSource[]): Promise<(number | null)[]> {
  const [row] = await db.query<{ due: (number | null)[] }>(statementFor(sources));
  return row!.due.map((time) => (time === null ? null : Math.ceil(time)));
}

/** Named by what it asks: there are as many as there are sets of sources whose turn comes together. */
function statementFor(sources: readonly DueSource[]): Statement {
  const texts = sources.map(({ text }) => `(extract(epoch from (${text})) * 1000)::float8`);
  const text = `select array[${texts.join(', ')}] as due`;
  let statement = statements.get(text);
  if (statement === undefined) {
    statement = { name: `agenda-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, text, isLook: true };
    statements.set(text, statement);
  }
  return statement;
}
