import type { Clock, Database, Engine, Sealer, Searches } from '@dialhook/engine';
import type { Accounts } from '../accounts/accounts.ts';
import type { Invitations } from '../accounts/invitations.ts';
import type { Sessions } from '../accounts/sessions.ts';
import type { WriteLimits } from '../accounts/write-limits.ts';
import type { LeadFiles } from '../calls/lead-files.ts';
import type { Telephony } from '../calls/telephony.ts';
import type { Config } from '../config.ts';
import type { Dials } from '../dials/dials.ts';
import type { FileStore } from '../lists/files.ts';
import type { DownloadLinks } from '../lists/links.ts';
import type { Uploads } from '../lists/uploads.ts';
import type { WebUploads } from '../lists/web-uploads.ts';
import type { Metrics } from '../metrics.ts';
import type { Statistics } from '../statistics/statistics.ts';

/** What the HTTP surfaces may use. They hold no state and no rules of their own. */
export interface Context {
  readonly config: Config;
  /** Base of links; known once the server listens. */
  readonly publicUrl: () => string;
  readonly database: Database;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly searches: Searches;
  readonly metrics: Metrics;
  readonly sealer: Sealer;
  readonly accounts: Accounts;
  readonly invitations: Invitations;
  readonly sessions: Sessions;
  readonly statistics: Statistics;
  readonly writeLimits: WriteLimits;
  readonly dials: Dials;
  readonly telephony: Telephony;
  readonly leadFiles: LeadFiles;
  readonly uploads: Uploads;
  readonly webUploads: WebUploads;
  readonly files: FileStore;
  readonly links: DownloadLinks;
}
