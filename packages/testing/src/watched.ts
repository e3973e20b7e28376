import pg from 'pg';
import type { Lane, Queryable, Statement } from '@dialhook/engine';

/** The text of a parameter as the driver sends it; its types do not know this part of it. */
const { prepareValue } = (pg as unknown as { utils: { prepareValue(value: unknown): string | Buffer | null } }).utils;

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

export interface WatchedStatement {
  readonly name: string;
  /** Rows of tables and indexes that it read, whether they were wanted or not: its work, on whatever machine. */
  readonly rows: number;
}

/**
 * Runs statements twice: explained, to know how many rows they read, and for their result. Plans are those of prepared
 * statements, as in production.
 */
export class Watched implements Queryable {
  readonly statements: WatchedStatement[] = [];
  readonly #lane: Lane;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  get mostRows(): number {
    return Math.max(0, ...this.statements.map(({ rows }) => rows));
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    this.statements.push({ name: statement.name ?? statement.text.trim().slice(0, 60), rows: await this.#rows(statement) });
    return this.#lane.query<Row>(statement);
  }

  #rows({ text, values = [] }: Statement): Promise<number> {
    return this.#lane.transaction(async (tx) => {
      await tx.query({ text: `prepare watched as ${text}` });
      const args = values.length === 0 ? '' : `(${values.map(literal).join(', ')})`;
      const [explained] = await tx.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({
        text: `explain (analyze, timing off, format json) execute watched${args}`,
      });
      await tx.query({ text: 'deallocate watched' });
      return rowsOf(explained!['QUERY PLAN'][0].Plan);
    });
  }
}

function rowsOf(plan: Plan): number {
  const isTable = plan['Relation Name'] !== undefined || plan['Index Name'] !== undefined;
  const own = isTable ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'] : 0;
  return (plan.Plans ?? []).reduce((sum, inner) => sum + rowsOf(inner), own);
}

function literal(value: unknown): string {
  const text = prepareValue(value) ?? null;
  return text === null ? 'null' : `'${text.toString().replaceAll("'", "''")}'`;
}
