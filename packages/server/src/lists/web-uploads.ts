import { open, stat } from 'node:fs/promises';
import { uuidv7, type Clock, type Database, type Engine } from '@dialhook/engine';
import { AccountError } from '../accounts/model.ts';
import { changeCredits } from '../accounts/store/organizations.ts';
import { uploadCreated } from './events.ts';
import type { FileStore } from './files.ts';
import { LIST_LIMITS } from './limits.ts';
import { fileKey, STAGED_FILE, UPLOAD_FILES, UploadRefused, type Upload } from './model.ts';
import { findUpload } from './store/uploads.ts';
import { confirmUpload, insertWebUpload, moveUpload, storeScan } from './store/web-uploads.ts';
import type { UploadFolders } from './upload-folders.ts';
import type { UploadPlaces } from './upload-places.ts';
import type { WorkerPool } from './worker/pool.ts';
import type { ListPreview } from './worker/protocol.ts';

export interface WebUploadsOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly files: FileStore;
  readonly workers: WorkerPool;
  readonly places: UploadPlaces;
  readonly folders: UploadFolders;
  readonly clock: Clock;
  /** Called after the commit of a list that is ready. */
  readonly onCreated: () => void;
}

/** Who uploads, in which organization. */
export interface Uploader {
  readonly organizationId: string;
  readonly userId: string;
}

/** What a person says of a list before it is checked. */
export interface Mapping {
  readonly phoneColumn: string;
  readonly skipMobileLookup: boolean;
  /** Cells that a spreadsheet would run stay as they were sent. */
  readonly keepFormulas: boolean;
}

/** Lists that people upload: received, mapped, validated, confirmed. Each step can be left and taken up later. Throws `UploadRefused`. */
export class WebUploads {
  readonly #options: WebUploadsOptions;

  constructor(options: WebUploadsOptions) {
    this.#options = options;
  }

  /** Receives a CSV and keeps it; what its columns mean is asked next. */
  async create(uploader: Uploader, receive: (path: string) => Promise<{ readonly filename: string }>): Promise<Upload> {
    const { clock, database, files, folders, places } = this.#options;
    const release = places.take(uploader.organizationId);
    const id = uuidv7(clock.now());
    const key = fileKey(id, UPLOAD_FILES.original);
    try {
      await folders.begin(id);
      const path = await files.scratch(key);
      const { filename } = await receive(path);
      await this.#previewOf(uploader.organizationId, path); // refuses what is not a CSV before anything is stored
      const { size } = await stat(path);
      await files.keep(key, path);
      const originalFilename = filename.slice(0, LIST_LIMITS.filenameLength);
      const now = new Date(clock.now());
      const upload = await insertWebUpload(database, { id, ...uploader, originalFilename, fileSizeBytes: size, now });
      await folders.settle(id);
      return upload;
    } catch (error) {
      // After a failed commit nobody knows whether the list exists, and if nobody can be asked its files are left to the sweep.
      const mayExist = await findUpload(database, uploader.organizationId, id).then(
        (upload) => upload !== null,
        () => true,
      );
      if (!mayExist) await folders.remove(id);
      throw error;
    } finally {
      release();
    }
  }

  /** The columns and first rows, and which column looks like the numbers. */
  async preview(upload: Upload): Promise<ListPreview> {
    const release = this.#options.places.take(upload.organizationId);
    try {
      return await this.#previewOf(upload.organizationId, await this.#options.files.local(fileKey(upload.id, UPLOAD_FILES.original)));
    } finally {
      release();
    }
  }

  /** Checks every row with the mapping. Afterwards the list waits for its confirmation, or has failed for good. */
  async map(upload: Upload, mapping: Mapping): Promise<Upload> {
    const release = this.#options.places.take(upload.organizationId);
    try {
      return await this.#map(upload, mapping);
    } finally {
      release();
    }
  }

  async #map(upload: Upload, mapping: Mapping): Promise<Upload> {
    const { clock, database, files, workers } = this.#options;
    if (!(await moveUpload(database, upload.id, ['pending_mapping'], 'validating', new Date(clock.now()))))
      throw new UploadRefused(400, 'The columns of this list are mapped already');
    const stagedKey = fileKey(upload.id, STAGED_FILE);
    const stagedPath = await files.scratch(stagedKey);
    try {
      const scan = await workers.run(upload.organizationId, {
        type: 'scan',
        format: 'csv',
        inputPath: await files.local(fileKey(upload.id, UPLOAD_FILES.original)),
        stagedPath,
        originalPath: null,
        phoneColumn: mapping.phoneColumn,
        keepFormulas: mapping.keepFormulas,
      });
      const isEnough = scan.validRows >= LIST_LIMITS.minValidNumbers;
      if (isEnough) await files.keep(stagedKey, stagedPath);
      return await storeScan(database, upload.id, {
        ...scan,
        status: isEnough ? 'awaiting_confirmation' : 'validation_failed',
        skipMobileLookup: mapping.skipMobileLookup,
        errorMessage: isEnough
          ? null
          : `At least ${LIST_LIMITS.minValidNumbers} valid US or Canadian phone numbers are required; found ${scan.validRows}`,
        now: new Date(clock.now()),
      });
    } catch (error) {
      // A wrong column is no end: another one can be chosen.
      await moveUpload(database, upload.id, ['validating'], 'pending_mapping', new Date(clock.now()));
      throw error;
    } finally {
      await files.removeScratch(stagedPath);
    }
  }

  /** Charges the credits and hands the list to processing, with its event, in one transaction. */
  async confirm(upload: Upload): Promise<Upload> {
    const { clock, database, engine, onCreated } = this.#options;
    const now = clock.now();
    try {
      const confirmed = await database.transaction(async (tx) => {
        const ready = await confirmUpload(tx, upload.id, new Date(now), new Date(now + LIST_LIMITS.startDelayMs));
        if (ready === null) throw new UploadRefused(400, 'The list does not wait for a confirmation');
        await changeCredits(tx, {
          id: uuidv7(now),
          organizationId: upload.organizationId,
          amount: -ready.creditsRequired,
          reason: 'list',
          subjectId: upload.id,
          now: new Date(now),
        });
        await engine.publish(tx, [{ organizationId: upload.organizationId, ...uploadCreated(ready) }]);
        return ready;
      });
      onCreated();
      return confirmed;
    } catch (error) {
      if (error instanceof AccountError && error.code === 'insufficient_credits')
        throw new UploadRefused(402, `The list needs ${upload.creditsRequired} credits, and fewer are left`);
      throw error;
    }
  }

  /** Gives a list up that was not confirmed: nothing was charged. */
  async discard(upload: Upload): Promise<boolean> {
    const { clock, database, files } = this.#options;
    const moved = await moveUpload(database, upload.id, ['pending_mapping', 'awaiting_confirmation'], 'cancelled', new Date(clock.now()));
    if (moved) await files.remove(fileKey(upload.id, STAGED_FILE));
    return moved;
  }

  async #previewOf(organizationId: string, path: string): Promise<ListPreview> {
    const file = await open(path);
    await file.close(); // a clear error for a file that is gone
    return this.#options.workers.run(organizationId, { type: 'preview', inputPath: path });
  }
}
