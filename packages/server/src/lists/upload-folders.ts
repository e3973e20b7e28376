import { isUuid, type Clock, type Database, type Log } from '@dialhook/engine';
import type { FileStore } from './files.ts';
import { LIST_LIMITS } from './limits.ts';
import { fileKey } from './model.ts';
import { existingUploads } from './store/uploads.ts';

/** One empty file for each folder that belongs to no list yet. */
const MARKERS = 'unsettled';

export interface UploadFoldersOptions {
  readonly database: Database;
  readonly files: FileStore;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The folders of uploads. One that is being received has a marker until its list is stored or its files are removed, so that what a killed
 * process left behind is found without looking at the folders of every list.
 */
export class UploadFolders {
  readonly #options: UploadFoldersOptions;
  #hasLookedAtAll = false;

  constructor(options: UploadFoldersOptions) {
    this.#options = options;
  }

  /** Before the first file of an upload. */
  async begin(id: string): Promise<void> {
    await this.#options.files.mark(`${MARKERS}/${id}`);
  }

  /** The list is stored. Never throws: a marker that stays is removed by the sweep, the files are not. */
  async settle(id: string): Promise<void> {
    await this.#options.files.remove(`${MARKERS}/${id}`).catch(() => undefined);
  }

  /** The list will never exist. */
  async remove(id: string): Promise<void> {
    await this.#options.files.removeFolder(fileKey(id, ''));
    await this.settle(id);
  }

  /** Removes the files of uploads that never came to be. */
  async sweep(): Promise<void> {
    const { clock, database, files, log } = this.#options;
    await this.#lookAtAll();
    const old = (await files.oldNames(MARKERS, clock.now() - LIST_LIMITS.orphanMs)).filter(isUuid);
    let removed = 0;
    for (const ids of batches(old)) {
      const existing = await existingUploads(database, ids);
      for (const id of ids) {
        if (existing.has(id)) await this.settle(id);
        else {
          await this.remove(id);
          removed++;
        }
      }
    }
    if (removed > 0) log.info({ folders: removed }, 'removed files of uploads that were never finished');
  }

  /** Once for each start: folders without a list get a marker, such as those of older versions, or ones whose marker was lost with the power. */
  async #lookAtAll(): Promise<void> {
    if (this.#hasLookedAtAll) return;
    const { database, files } = this.#options;
    for (const ids of batches((await files.names('uploads')).filter(isUuid))) {
      const existing = await existingUploads(database, ids);
      for (const id of ids) if (!existing.has(id)) await this.begin(id);
    }
    this.#hasLookedAtAll = true;
  }
}

function batches(ids: readonly string[]): string[][] {
  const size = LIST_LIMITS.folderBatch;
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, n) => ids.slice(n * size, (n + 1) * size));
}
