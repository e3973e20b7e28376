import type { Database } from '@dialhook/engine';
import { snapshot } from './changes.ts';

/**
 * Every row that names one of these ids, by table. For bystanders of something that takes several steps: what must be
 * exactly as it was.
 */
export async function rowsNaming(database: Database, ...ids: readonly string[]): Promise<Record<string, unknown[]>> {
  const rows = [...(await snapshot(database)).values()].filter(({ row }) => ids.some((id) => JSON.stringify(row).includes(id)));
  const sorted = rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return Object.fromEntries([...Map.groupBy(sorted, ({ table }) => table)].map(([table, all]) => [table, all.map(({ row }) => row)]));
}
