import { PGlite } from '@electric-sql/pglite';
import { DurableNodeFS } from './durable-fs.ts';

/** `-F` switches fsync off, and the default sync method bypasses the file system's fsync: both must go. */
const SETTINGS = [
  'fsync=on',
  'wal_sync_method=fsync',
  'shared_buffers=16MB', // 200 MB of process memory instead of 490 MB
  'plan_cache_mode=force_generic_plan',
  // Nobody counts what the tables hold, so the planner takes ranges for short: a bitmap would be made of all of one, where a few rows are wanted.
  'enable_bitmapscan=off',
];
const START_PARAMS = PGlite.defaultStartParams.filter((param) => param !== '-F').concat(SETTINGS.flatMap((setting) => ['-c', setting]));

/** Opens PGlite on a directory, durably; creates the database when there is none. */
export function openDirectory(directory: string): Promise<PGlite> {
  return PGlite.create({ fs: new DurableNodeFS(directory), startParams: START_PARAMS });
}
