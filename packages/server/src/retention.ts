import type { Database, Engine, Log } from '@dialhook/engine';
import { removeCreditEntries } from './accounts/store/organizations.ts';
import { removeEndedCampaigns } from './calls/store/campaigns.ts';
import { removeEndedLeads } from './calls/store/workflow-leads.ts';
import { removeEndedUploads } from './lists/store/uploads.ts';
import type { UploadFolders } from './lists/upload-folders.ts';

/** Days that things are kept once they have ended; 0: for ever. */
export interface KeptDays {
  readonly lists: number;
  readonly campaigns: number;
  readonly replays: number;
  readonly credits: number;
}

/** Bounds of removing what is older than it is kept. */
export const RETENTION_LIMITS = {
  /** Rows of one kind that one statement removes: it takes some ten milliseconds, and nobody waits for its locks longer. */
  removedAtOnce: 1_000,
  /** Statements for one kind in a row. What is left waits for the next minute, so that a first start with years of history takes nothing from the rest. */
  removalsInARow: 20,
} as const;

export interface RetentionOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly folders: UploadFolders;
  readonly days: KeptDays;
  readonly log: Log;
}

/** Removes lists, campaigns, leads of workflows, replays and credit entries that are older than they are kept. Nothing that still runs is removed. */
export class Retention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** `now`: the time that retention goes by, Unix milliseconds; 0 while it is not known. */
  async sweep(now: number): Promise<void> {
    if (now === 0) return;
    const { database, days, engine, folders } = this.#options;
    const db = database.upkeep;
    await this.#remove('lists', now, days.lists, async (before, limit) => {
      const ids = await removeEndedUploads(db, before, limit);
      for (const id of ids) await folders.remove(id);
      return ids.length;
    });
    await this.#remove('campaigns and their leads', now, days.campaigns, (before, limit) => removeEndedCampaigns(db, before, limit));
    await this.#remove('leads of workflows', now, days.campaigns, (before, limit) => removeEndedLeads(db, before, limit));
    await this.#remove('replays', now, days.replays, (before, limit) => engine.replays.removeEnded(before, limit));
    await this.#remove('credit entries', now, days.credits, (before, limit) => removeCreditEntries(db, before, limit));
  }

  async #remove(what: string, now: number, days: number, remove: (before: Date, limit: number) => Promise<number>): Promise<void> {
    if (days === 0) return;
    const { removalsInARow, removedAtOnce } = RETENTION_LIMITS;
    let rows = 0;
    for (let n = 0; n < removalsInARow; n++) {
      const removed = await remove(new Date(now - days * 86_400_000), removedAtOnce);
      rows += removed;
      if (removed < removedAtOnce) break;
    }
    if (rows > 0) this.#options.log.info({ what, rows }, 'removed what is older than it is kept');
  }
}
