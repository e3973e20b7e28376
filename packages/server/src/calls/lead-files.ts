import { uuidv7, type Clock } from '@dialhook/engine';
import { fileKey, UploadRefused } from '../lists/model.ts';
import type { FileStore } from '../lists/files.ts';
import type { WorkerPool } from '../lists/worker/pool.ts';
import { CALL_LIMITS } from './limits.ts';
import { CallError, type NewLead } from './model.ts';

/** Reads files of leads in worker threads. */
export class LeadFiles {
  readonly #options: { readonly files: FileStore; readonly workers: WorkerPool; readonly clock: Clock };
  #reading = 0;

  constructor(options: { readonly files: FileStore; readonly workers: WorkerPool; readonly clock: Clock }) {
    this.#options = options;
  }

  /**
   * Receives a file and reads it; nothing of it is kept. Throws `UploadRefused` for a body or a file that cannot be
   * read, and `CallError` with a line for each kind of bad row.
   */
  async read(
    receive: (path: string) => Promise<unknown>,
    options: { readonly hasNames: boolean },
  ): Promise<{ leads: readonly NewLead[]; skipped: number }> {
    const { clock, files, workers } = this.#options;
    if (this.#reading >= CALL_LIMITS.leadFilesAtOnce) throw new UploadRefused(503, 'Too many files at once; try again in a few seconds');
    this.#reading += 1;
    // Below the uploads' folder: what a killed process leaves there is swept.
    const key = fileKey(uuidv7(clock.now()), 'leads');
    try {
      const inputPath = await files.scratch(key);
      await receive(inputPath);
      const { leads, problems, skipped } = await workers.run({
        type: 'leads',
        inputPath,
        hasNames: options.hasNames,
        maxRows: CALL_LIMITS.leadFileRows,
        maxColumns: CALL_LIMITS.noteKeys,
        maxValueLength: CALL_LIMITS.valueLength,
        maxUnpackedBytes: CALL_LIMITS.workbookBytes,
        namedRows: CALL_LIMITS.namedRows,
      });
      if (problems.length > 0) throw new CallError('invalid', ...problems);
      return { leads, skipped };
    } finally {
      this.#reading -= 1;
      await files.removeFolder(key.slice(0, key.lastIndexOf('/') + 1));
    }
  }
}
