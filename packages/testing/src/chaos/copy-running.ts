import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** What a copy must not have: the log comes from the primary, and the rest belongs to its process. */
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot', 'pg_stat_tmp', 'pg_subtrans']);

/** Copies the data directory of a running server between `pg_backup_start` and `pg_backup_stop`, as a base for a standby. */
export async function copyRunning(url: string, from: string, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`select pg_backup_start('chaos', true)`);
    await copyFolder(from, to, true);
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    writeFileSync(join(to, 'backup_label'), rows[0]!.labelfile);
    for (const path of ['pg_wal', 'pg_wal/archive_status', 'pg_wal/summaries', 'pg_replslot', 'pg_stat_tmp', 'pg_subtrans'])
      mkdirSync(join(to, path), { recursive: true, mode: 0o700 });
  } finally {
    await client.end().catch(() => {});
  }
}

async function copyFolder(from: string, to: string, isRoot = false): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (isRoot && LEFT_OUT.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    try {
      if (entry.isDirectory()) {
        await mkdir(target, { mode: 0o700 });
        await copyFolder(source, target);
      } else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
      else if (entry.isFile()) {
        await copyFile(source, target);
        await chmod(target, 0o600);
      }
    } catch (error) {
      // Dropped while it was being copied: the log, which is replayed, says the same.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
