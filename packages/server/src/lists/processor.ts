import { persistently, type Alarm, type Clock, type Database, type Engine, type Log, type Transaction } from '@dialhook/engine';
import type { Classifier } from './classify/classifier.ts';
import { LookupFailed } from './classify/http.ts';
import { uploadCompleted, uploadFailed } from './events.ts';
import type { FileStore } from './files.ts';
import { LIST_LIMITS } from './limits.ts';
import type { DownloadLinks } from './links.ts';
import { fileKey, STAGED_FILE, UPLOAD_FILES, type Upload } from './model.ts';
import { claimUpload, finishUpload, UPLOADS_DUE } from './store/uploads.ts';
import type { WorkerPool } from './worker/pool.ts';

export interface ProcessorOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly files: FileStore;
  readonly links: DownloadLinks;
  readonly classifier: Classifier;
  readonly workers: WorkerPool;
  /** Lists that this node processes at once. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Turns ready lists into results. A list belongs to the node that claimed it; when that node dies, another starts
 * over, and only the holder of the latest lease can end the list. The end and its event commit together: one
 * completion event, however often it was started.
 */
export class Processor {
  readonly #options: ProcessorOptions;
  readonly #alarm: Alarm;
  /** Organizations whose lists were processed, the latest last: their turn comes after the others'. */
  #served: readonly string[] = [];
  #running = 0;
  #stopped = false;

  constructor(options: ProcessorOptions) {
    this.#options = options;
    const { agenda } = options.engine;
    this.#alarm = agenda.alarm({ source: UPLOADS_DUE, everyMs: LIST_LIMITS.claimIntervalMs, work: () => this.#claim() });
  }

  start(): void {
    this.#alarm.start();
  }

  /** Claims nothing more. What is being processed fails with the threads and is begun anew by another node or start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#alarm.stop();
  }

  /** A list may be ready at this time. */
  wakeAt(time: number): void {
    this.#alarm.at(time);
  }

  async #claim(): Promise<boolean> {
    const { clock, concurrency, database, engine, log } = this.#options;
    if (this.#running >= concurrency) return false; // the end of a running one wakes us
    try {
      const upload = await claimUpload(database, engine.nodeId, this.#served, new Date(clock.now()));
      if (upload === null) return false;
      this.#served = [...this.#served.filter((id) => id !== upload.organizationId), upload.organizationId].slice(
        -LIST_LIMITS.servedOrganizations,
      );
      this.#running += 1;
      void this.#process(upload).finally(() => {
        this.#running -= 1;
        this.wakeAt(clock.now());
      });
      return true;
    } catch (error) {
      log.warn({ err: error }, 'lists could not be claimed');
      return false;
    }
  }

  async #process(upload: Upload): Promise<void> {
    const { log } = this.#options;
    try {
      if (upload.lease > LIST_LIMITS.maxStarts) {
        await this.#fail(upload, 'Processing was started several times and never finished');
        return;
      }
      await this.#run(upload);
    } catch (error) {
      // A thread that was ended because the node stops says nothing about the list.
      if (this.#stopped) return;
      log.error({ err: error, upload: upload.id }, 'a list failed');
      const message = error instanceof LookupFailed ? 'Carrier lookup unavailable' : 'The list could not be processed';
      await this.#fail(upload, message).catch((failure: unknown) =>
        log.error({ err: failure, upload: upload.id }, 'the failure could not be stored; the list will be started again'),
      );
    }
  }

  async #run(upload: Upload): Promise<void> {
    const { classifier, clock, database, engine, files, links, log, workers } = this.#options;
    const processedKey = fileKey(upload.id, UPLOAD_FILES.processed);
    const filteredKey = fileKey(upload.id, UPLOAD_FILES['processed-filtered']);
    const processedPath = await files.scratch(processedKey);
    const filteredPath = await files.scratch(filteredKey);
    const begin = performance.now();
    try {
      const stagedPath = await files.local(fileKey(upload.id, STAGED_FILE));
      const { skipMobileLookup } = upload;
      const result = await workers.run(upload.organizationId, { type: 'process', stagedPath, processedPath, filteredPath }, (numbers) =>
        this.#persistently(() => classifier.classify(numbers, { skipMobileLookup })),
      );
      await files.keep(processedKey, processedPath);
      await files.keep(filteredKey, filteredPath);
      const end = async (tx: Transaction) => {
        const finished = await finishUpload(tx, upload.id, upload.lease, {
          status: 'completed',
          errorMessage: null,
          summary: result.summary,
          now: new Date(clock.now()),
        });
        if (finished === null) return false;
        const downloads = {
          processed: links.sign(upload.id, 'processed').url,
          processed_filtered: links.sign(upload.id, 'processed-filtered').url,
        };
        await engine.publish(tx, [{ organizationId: upload.organizationId, ...uploadCompleted(finished, downloads) }]);
        return true;
      };
      if (!(await this.#persistently(() => database.transaction(end)))) return;
      await files.remove(fileKey(upload.id, STAGED_FILE));
      log.info({ upload: upload.id, rows: result.rows, ms: Math.round(performance.now() - begin) }, 'list.completed');
    } finally {
      await files.removeScratch(processedPath);
      await files.removeScratch(filteredPath);
    }
  }

  async #fail(upload: Upload, message: string): Promise<void> {
    const { clock, database, engine, files } = this.#options;
    const end = async (tx: Transaction) => {
      const now = new Date(clock.now());
      const errorMessage = message.slice(0, LIST_LIMITS.errorLength);
      const failed = await finishUpload(tx, upload.id, upload.lease, { status: 'failed', errorMessage, summary: null, now });
      if (failed !== null) await engine.publish(tx, [{ organizationId: upload.organizationId, ...uploadFailed(failed) }]);
      return failed !== null;
    };
    if (await this.#persistently(() => database.transaction(end))) await files.remove(fileKey(upload.id, STAGED_FILE));
  }

  /**
   * A database that is away says nothing about a list: what needs it is tried again for some minutes. The lease number makes
   * a repeated end harmless: if the first one was committed after all, the second finds nothing to end.
   */
  #persistently<T>(work: () => Promise<T>): Promise<T> {
    const { clock, log } = this.#options;
    return persistently(work, {
      clock,
      log,
      what: 'the work on a list',
      tries: LIST_LIMITS.storeTries,
      retryMs: LIST_LIMITS.storeRetryMs,
      isFinal: (error) => error instanceof LookupFailed || this.#stopped,
    });
  }
}
