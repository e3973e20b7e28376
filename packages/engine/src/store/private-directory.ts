import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Permission bits of everybody but the owner. */
export const OTHERS = 0o077;
const OWNER_ALONE = { directory: 0o700, file: 0o600 };

/** The data directory belongs to another user, who could read and replace everything in it. */
export class DataDirectoryNotOurs extends Error {
  override readonly name = 'DataDirectoryNotOurs';
  constructor(directory: string, owner: number, we: number) {
    super(
      `The data directory ${directory} belongs to the user with the id ${owner}, and this process runs as ${we}: ` +
        'run as its owner, change its owner, or set DIALHOOK_DATA_DIR to a directory of your own, such as one below it.',
    );
  }
}

/**
 * Makes the directory when there is none; closes it to other users when it stood open, and what lies open in it. A folder that was
 * closed is not looked into: nobody else came past it, and lists can be a million files. Throws `DataDirectoryNotOurs` where the
 * directory is another user's. On systems without user ids nothing is done.
 */
export function ensurePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: OWNER_ALONE.directory });
  const we = process.getuid?.();
  if (we === undefined) return;
  const { mode, uid } = statSync(directory);
  if (uid !== we) throw new DataDirectoryNotOurs(directory, uid, we);
  if ((mode & OTHERS) !== 0) chmodSync(directory, OWNER_ALONE.directory);
  closeEntries(directory, we);
}

function closeEntries(directory: string, we: number): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(directory, entry.name);
    const { mode, uid } = lstatSync(path, { throwIfNoEntry: false }) ?? { mode: 0, uid: we };
    // What is gone meanwhile is no matter, and what is another user's cannot be changed.
    if ((mode & OTHERS) === 0 || uid !== we) continue;
    chmodSync(path, entry.isDirectory() ? OWNER_ALONE.directory : OWNER_ALONE.file);
    if (entry.isDirectory()) closeEntries(path, we);
  }
}
