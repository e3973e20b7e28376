import { uuidv7, type Clock } from '@dialhook/engine';
import { fileKey } from '../lists/model.ts';
import type { FileStore } from '../lists/files.ts';
import type { UploadFolders } from '../lists/upload-folders.ts';
import type { UploadPlaces } from '../lists/upload-places.ts';
import type { WorkerPool } from '../lists/worker/pool.ts';
import { CALL_LIMITS } from './limits.ts';
import { CallError, type NewLead } from './model.ts';

export interface LeadFilesOptions {
  readonly files: FileStore;
  readonly workers: WorkerPool;
  readonly places: UploadPlaces;
  readonly folders: UploadFolders;
  readonly clock: Clock;
}

/** Reads files of leads in worker threads. */
export class LeadFiles {
  readonly #options: LeadFilesOptions;

  constructor(options: LeadFilesOptions) {
    this.#options = options;
  }

  /**
   * Receives a file and reads it; nothing of it is kept. Throws `UploadRefused` for a body or a file that cannot be
   * read, and `CallError` with a line for each kind of bad row.
   */
  async read(
    organizationId: string,
    receive: (path: string) => Promise<unknown>,
    options: { readonly hasNames: boolean },
  ): Promise<{ leads: readonly NewLead[]; skipped: number }> {
    const { clock, files, folders, places, workers } = this.#options;
    const release = places.take(organizationId);
    // Below the uploads' folder: what a killed process leaves there is swept.
    const id = uuidv7(clock.now());
    const key = fileKey(id, 'leads');
    try {
      await folders.begin(id);
      const inputPath = await files.scratch(key);
      await receive(inputPath);
      const { leads, problems, skipped } = await workers.run(organizationId, {
        type: 'leads',
        inputPath,
        hasNames: options.hasNames,
        maxRows: CALL_LIMITS.leadFileRows,
        maxColumns: CALL_LIMITS.noteKeys,
        maxValueLength: CALL_LIMITS.valueLength,
        maxUnpackedBytes: CALL_LIMITS.workbookBytes,
        maxCells: CALL_LIMITS.workbookCells,
        namedRows: CALL_LIMITS.namedRows,
      });
      if (problems.length > 0) throw new CallError('invalid', ...problems);
      return { leads, skipped };
    } finally {
      release();
      await folders.remove(id);
    }
  }
}
