import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OTHERS } from '@dialhook/engine';

/** Keys that are made at the first start, each in a file of the data directory. */
export const KEY_FILES = { secretKey: 'secret-key', operatorToken: 'operator-token' } as const;
type KeyFile = (typeof KEY_FILES)[keyof typeof KEY_FILES];

/** A key that other users of the machine could read may be known to them, so it is not closed in silence. */
export class OpenKeyFile extends Error {
  override readonly name = 'OpenKeyFile';
  constructor(path: string, mode: number) {
    super(
      `The key file ${path} can be read by other users of this machine (mode ${mode.toString(8).padStart(4, '0')}): ` +
        `if nobody has read it, run \`chmod 600 ${path}\`; else put a new key in its place.`,
    );
  }
}

/** Throws `OpenKeyFile` for the first key file that is not its owner's alone. Systems without user ids have no such modes. */
export function refuseOpenKeys(dataDir: string): void {
  if (process.getuid === undefined) return;
  for (const name of Object.values(KEY_FILES)) {
    const path = join(dataDir, name);
    const mode = (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
    if ((mode & OTHERS) !== 0) throw new OpenKeyFile(path, mode);
  }
}

/** The key in its file; a random one is made at the first start. Of two processes that make it at once, one wins. */
export function keptKey(dataDir: string, name: KeyFile): string {
  const path = join(dataDir, name);
  try {
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(path, 'utf8').trim();
}
