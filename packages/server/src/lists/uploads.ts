import { stat } from 'node:fs/promises';
import { uuidv7, type Clock, type Database, type Engine } from '@dialhook/engine';
import { AccountError, type Caller } from '../accounts/model.ts';
import { changeCredits } from '../accounts/store/organizations.ts';
import { uploadCreated } from './events.ts';
import type { FileStore } from './files.ts';
import { LIST_LIMITS } from './limits.ts';
import type { DownloadLinks, SignedLink } from './links.ts';
import { fileKey, STAGED_FILE, UPLOAD_FILES, UploadRefused, type Upload, type UploadFile } from './model.ts';
import { cancelUpload, findUpload, insertApiUpload, listUploads } from './store/uploads.ts';
import { releaseValidations } from './store/web-uploads.ts';
import type { UploadFolders } from './upload-folders.ts';
import type { UploadPlaces } from './upload-places.ts';
import type { WorkerPool } from './worker/pool.ts';

export interface UploadsOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly files: FileStore;
  readonly links: DownloadLinks;
  readonly workers: WorkerPool;
  readonly places: UploadPlaces;
  readonly folders: UploadFolders;
  readonly clock: Clock;
  /** Called after the commit of a new list. */
  readonly onCreated: () => void;
}

/** What a surface received; the body is on disk, as it came. */
export type ReceivedList =
  | { readonly format: 'json' }
  | {
      readonly format: 'csv';
      readonly filename: string;
      readonly phoneColumn: string;
      readonly skipMobileLookup: boolean;
      readonly keepFormulas: boolean;
    };

/** Writes a body to a local path and says what it is. Throws `UploadRefused`. */
export type ReceiveBody = (path: string) => Promise<ReceivedList>;

class CommitFailed extends Error {}

/** Lists: submitting, reading, cancelling and downloading. Throws `UploadRefused`; then nothing is stored or charged. */
export class Uploads {
  readonly #options: UploadsOptions;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /**
   * Receives, checks, charges and stores one list. It is on disk and its event is published when this returns. The
   * order of the checks is contracts/optimaldial.md 7.2's.
   */
  async create(caller: Caller, receive: ReceiveBody): Promise<Upload> {
    const { clock, folders, places } = this.#options;
    const release = places.take(caller.organizationId);
    const id = uuidv7(clock.now());
    try {
      await folders.begin(id);
      const upload = await this.#create(caller, id, receive);
      await folders.settle(id);
      return upload;
    } catch (error) {
      // After a failed commit nobody knows whether the list exists: its files are left to the sweep, which asks.
      if (!(error instanceof CommitFailed)) await folders.remove(id);
      throw error instanceof CommitFailed ? error.cause : error;
    } finally {
      release();
    }
  }

  async #create(caller: Caller, id: string, receive: ReceiveBody): Promise<Upload> {
    const { clock, database, engine, files, onCreated, workers } = this.#options;
    const originalKey = fileKey(id, UPLOAD_FILES.original);
    const stagedKey = fileKey(id, STAGED_FILE);
    const bodyPath = await files.scratch(originalKey);
    const received = await receive(bodyPath);

    const stagedPath = await files.scratch(stagedKey);
    const originalPath = received.format === 'json' ? await files.scratch(originalKey) : bodyPath;
    const scan = await workers.run(caller.organizationId, {
      type: 'scan',
      format: received.format,
      inputPath: bodyPath,
      stagedPath,
      originalPath: received.format === 'json' ? originalPath : null,
      phoneColumn: received.format === 'csv' ? received.phoneColumn : null,
      keepFormulas: received.format === 'csv' && received.keepFormulas,
    });
    if (caller.plan !== 'list_processing') throw new UploadRefused(403, 'An active list-processing subscription is required');
    if (scan.validRows < LIST_LIMITS.minValidNumbers) {
      throw new UploadRefused(
        422,
        `At least ${LIST_LIMITS.minValidNumbers} valid US or Canadian phone numbers are required; found ${scan.validRows}`,
      );
    }
    const { size } = await stat(originalPath);
    await files.keep(originalKey, originalPath);
    await files.keep(stagedKey, stagedPath);

    const now = clock.now();
    const upload = await database
      .transaction(async (tx) => {
        await changeCredits(tx, {
          id: uuidv7(now),
          organizationId: caller.organizationId,
          amount: -scan.validRows,
          reason: 'list',
          subjectId: id,
          now: new Date(now),
        });
        const inserted = await insertApiUpload(tx, {
          id,
          organizationId: caller.organizationId,
          userId: caller.userId,
          apiKeyId: caller.keyId,
          originalFilename: received.format === 'csv' ? received.filename : (scan.filename ?? `api_upload_${id.slice(-12)}.csv`),
          fileSizeBytes: size,
          ...scan,
          skipMobileLookup: received.format === 'csv' ? received.skipMobileLookup : (scan.skipMobileLookup ?? false),
          now: new Date(now),
          startAfter: new Date(now + LIST_LIMITS.startDelayMs),
        });
        await engine.publish(tx, [{ organizationId: caller.organizationId, ...uploadCreated(inserted) }]);
        return inserted;
      })
      .catch((error: unknown) => {
        if (error instanceof AccountError && error.code === 'insufficient_credits') throw new UploadRefused(402, 'Insufficient credits');
        throw new CommitFailed('The list could not be stored.', { cause: error });
      });
    // The JSON body itself is not kept: the original is the CSV that was made of it.
    if (received.format === 'json') await files.removeScratch(bodyPath);
    onCreated();
    return upload;
  }

  find(organizationId: string, id: string): Promise<Upload | null> {
    return findUpload(this.#options.database, organizationId, id);
  }

  /** Newest first. */
  list(organizationId: string, before: string | null, limit: number): Promise<Upload[]> {
    return listUploads(this.#options.database.reads, organizationId, before, limit);
  }

  /** Cancels and refunds, only before processing starts. Of two cancels, or of a cancel and the start, one wins. */
  async cancel(organizationId: string, id: string): Promise<Upload> {
    const { clock, database, files } = this.#options;
    const now = new Date(clock.now());
    const cancelled = await database.transaction(async (tx) => {
      const upload = await cancelUpload(tx, organizationId, id, now);
      if (upload === null) return null;
      await changeCredits(tx, {
        id: uuidv7(clock.now()),
        organizationId,
        amount: upload.creditsCharged,
        reason: 'list cancelled',
        subjectId: id,
        now,
      });
      return upload;
    });
    if (cancelled !== null) {
      await files.remove(fileKey(id, STAGED_FILE));
      return cancelled;
    }
    if ((await this.find(organizationId, id)) === null) throw new UploadRefused(404, 'Upload not found');
    throw new UploadRefused(400, 'Upload cannot be cancelled in its current status');
  }

  /** A link to one of the files; results exist only once the upload is completed. */
  async downloadLink(organizationId: string, id: string, file: UploadFile): Promise<SignedLink> {
    const upload = await this.find(organizationId, id);
    if (upload === null) throw new UploadRefused(404, 'Upload not found');
    if (file !== 'original' && upload.status !== 'completed')
      throw new UploadRefused(400, 'The processed files exist once the upload is completed');
    return this.#options.links.sign(id, file);
  }

  /** Mends what killed processes left behind: validations that nobody does any more, and files of uploads that never came to be. */
  async sweep(): Promise<void> {
    const { clock, database, folders } = this.#options;
    await releaseValidations(database, new Date(clock.now() - LIST_LIMITS.validationMs), new Date(clock.now()));
    await folders.sweep();
  }
}
