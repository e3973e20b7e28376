import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Where lists and results are kept. A directory now; object storage for several machines fits the same port: a file is
 * written locally first and belongs to the store, on every node, once it is kept.
 */
export interface FileStore {
  /** A local path to write a file's content to; nothing is visible under the key before `keep`. */
  scratch(key: string): Promise<string>;
  /** Makes what was written to the scratch path the file, durably. */
  keep(key: string, scratchPath: string): Promise<void>;
  /** Removes what was written to a scratch path that is not kept. */
  removeScratch(scratchPath: string): Promise<void>;
  /** A local path that holds the file's content. Throws when there is none. */
  local(key: string): Promise<string>;
  read(key: string): Promise<{ stream: ReadStream; size: number }>;
  /** Removes everything whose key begins with this folder. */
  removeFolder(folder: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Makes an empty file; one that exists stays as it is, with its age. */
  mark(key: string): Promise<void>;
  /** Names of what is in a folder. */
  names(folder: string): Promise<string[]>;
  /** Those that nobody touched since `before` (Unix ms). */
  oldNames(folder: string, before: number): Promise<string[]>;
}

let scratchNumber = 0;

export class DirectoryStore implements FileStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async scratch(key: string): Promise<string> {
    const path = `${this.#path(key)}.${process.pid}-${++scratchNumber}.part`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return path;
  }

  async keep(key: string, scratchPath: string): Promise<void> {
    await sync(scratchPath);
    await rename(scratchPath, this.#path(key));
    await sync(dirname(scratchPath)); // the name is data too
  }

  async removeScratch(scratchPath: string): Promise<void> {
    await rm(scratchPath, { force: true });
  }

  async local(key: string): Promise<string> {
    await stat(this.#path(key));
    return this.#path(key);
  }

  async read(key: string): Promise<{ stream: ReadStream; size: number }> {
    const path = this.#path(key);
    const { size } = await stat(path);
    return { stream: createReadStream(path), size };
  }

  async removeFolder(folder: string): Promise<void> {
    await rm(this.#path(folder), { recursive: true, force: true });
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  async mark(key: string): Promise<void> {
    await mkdir(dirname(this.#path(key)), { recursive: true, mode: 0o700 });
    await (await open(this.#path(key), 'a', 0o600)).close();
  }

  async names(folder: string): Promise<string[]> {
    return readdir(this.#path(folder)).catch(() => [] as string[]);
  }

  async oldNames(folder: string, before: number): Promise<string[]> {
    const old: string[] = [];
    for (const name of await this.names(folder)) {
      const info = await stat(join(this.#path(folder), name)).catch(() => null);
      if (info !== null && info.mtimeMs < before) old.push(name);
    }
    return old;
  }

  #path(key: string): string {
    return join(this.#root, key);
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
