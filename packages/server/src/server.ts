import { hkdfSync } from 'node:crypto';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import {
  Alarm,
  CorrectedClock,
  Engine,
  engineMigrations,
  LIMITS,
  migrate,
  openDatabase,
  Sealer,
  Searches,
  type Clock,
  type Database,
} from '@dialhook/engine';
import { Accounts } from './accounts/accounts.ts';
import { Invitations } from './accounts/invitations.ts';
import { Sessions } from './accounts/sessions.ts';
import { sweepWrites } from './accounts/store/api-writes.ts';
import { sweepCallWindows } from './accounts/store/call-windows.ts';
import { WRITE_LIMITS, WriteLimits } from './accounts/write-limits.ts';
import { LeadFiles } from './calls/lead-files.ts';
import { Telephony } from './calls/telephony.ts';
import type { Config } from './config.ts';
import { dialects } from './dialects/index.ts';
import { Dials } from './dials/dials.ts';
import { createApp } from './http/app.ts';
import { IDEMPOTENCY } from './http/operator/idempotency.ts';
import { sweepCalls } from './http/operator/store/idempotency-keys.ts';
import { HistoryClassifier } from './lists/classify/history.ts';
import { HttpClassifier } from './lists/classify/http.ts';
import { DirectoryStore, type FileStore } from './lists/files.ts';
import { LIST_LIMITS } from './lists/limits.ts';
import { DownloadLinks } from './lists/links.ts';
import { Processor } from './lists/processor.ts';
import { UploadFolders } from './lists/upload-folders.ts';
import { UploadPlaces } from './lists/upload-places.ts';
import { Uploads } from './lists/uploads.ts';
import { WebUploads } from './lists/web-uploads.ts';
import { WorkerPool } from './lists/worker/pool.ts';
import { openLog } from './log.ts';
import { Metrics, type Snapshot } from './metrics.ts';
import { serverMigrations } from './migrations.ts';
import { processShare } from './process-share.ts';
import { Retention } from './retention.ts';
import { Statistics } from './statistics/statistics.ts';
import { traceAttempt } from './tracing.ts';
import { VERSION } from './version.ts';

/** How often rows and files that nobody needs any more are removed. */
const SWEEP_INTERVAL_MS = 60_000;

/** While stopping: how often connections that wait for a next call are closed. */
const CLOSE_IDLE_INTERVAL_MS = 50;

export interface RunningServer {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly config: Config;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly database: Database;
  readonly app: FastifyInstance;
  readonly metrics: Metrics;
  /**
   * Leaves the clients to the other processes of the machine: they get the new connections, and those that are open end
   * with their next answer. Resolves when none is left, after some seconds, or when the signal comes; `stop` is next.
   */
  leave(hurry: AbortSignal): Promise<void>;
  /** Takes no new work, finishes what is in flight, and closes everything. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly files?: FileStore;
  /** With other processes beside this one: what each of them measures, this one among them. */
  readonly gather?: () => Promise<Snapshot[]>;
}

/** Opens the database, brings it up to date and starts one node. Throws with a message for people when it cannot. */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<RunningServer> {
  const clock = options.clock ?? new CorrectedClock();
  const log = options.log ?? openLog(config.logLevel);
  const database = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir, sizes: config.connections, log });
  try {
    await migrate(database, [engineMigrations, serverMigrations]);
    const files = options.files ?? new DirectoryStore(join(config.dataDir, 'files'));
    const node = await startNode(config, { clock, database, log, files, gather: options.gather });
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      try {
        await node.stop();
      } finally {
        await database.close();
      }
    };
    return { ...node, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function startNode(
  config: Config,
  parts: {
    readonly clock: Clock;
    readonly database: Database;
    readonly log: Logger;
    readonly files: FileStore;
    readonly gather: ServerOptions['gather'];
  },
): Promise<RunningServer> {
  const { clock, database, files, gather, log } = parts;
  const share = processShare(config);
  const works = config.role !== 'api';
  const sealer = new Sealer(config.secretKey);
  const metrics = new Metrics(gather);
  const statistics = new Statistics({ database, clock, log });
  const engine = new Engine({
    observer: {
      attempted(report) {
        metrics.attempted(report);
        statistics.attempted(report);
        traceAttempt(report);
      },
      executed: (statement, rows, durationMs) => metrics.executed(statement, rows, durationMs),
    },
    database,
    dialects,
    sealer,
    clock,
    log,
    allowPrivateTargets: config.allowPrivateTargets,
    privateTargets: config.privateTargets,
    egressProxy: config.egressProxy,
    noProxy: config.noProxy,
    nameServers: config.nameServers,
    retryDelayScale: config.retryDelayScale,
    deliver: works,
    eventMemoryBytes: share.eventMemoryBytes,
    retentionDays: config.retentionDays,
    partitionedTables: ['dials', 'calls'],
    onDeadNodes: () => processor.wakeAt(clock.now()),
  });
  metrics.watch(engine, clock);
  const accounts = new Accounts(database, clock);
  // One secret in the configuration, one key for each purpose.
  const keyFor = (purpose: string) => Buffer.from(hkdfSync('sha256', config.secretKey, '', purpose, 32));
  const sessions = new Sessions(database, clock, keyFor('dialhook sign-in proofs'), share.hashes);
  const linkKey = keyFor('dialhook download links');
  // With PORT=0 the port is only known after listening, and links are only made after that.
  const place = { url: config.publicUrl };
  const links = new DownloadLinks({ baseUrl: () => place.url, key: linkKey, clock });
  const history = new HistoryClassifier(database);
  const classifier =
    config.lookupUrl === undefined ? history : new HttpClassifier({ url: config.lookupUrl, token: config.lookupToken, fallback: history });
  const workers = new WorkerPool(share.listThreads);
  const places = new UploadPlaces();
  const folders = new UploadFolders({ database, files, clock, log });
  const processor = new Processor({ database, engine, files, links, classifier, workers, concurrency: share.lists, clock, log });
  const dials = new Dials({ database, engine, clock, log });
  const { applicationToken: token, applicationUrl: url, retryDelayScale, simulator } = config;
  const application = url === undefined ? null : { url, token };
  const telephony = new Telephony({ database, engine, clock, log, retryDelayScale, simulator, application });
  const onCreated = () => processor.wakeAt(clock.now() + LIST_LIMITS.startDelayMs);
  const uploads = new Uploads({
    database,
    engine,
    files,
    links,
    workers,
    places,
    folders,
    clock,
    onCreated,
  });
  const context = {
    config,
    publicUrl: () => place.url,
    database,
    clock,
    engine,
    searches: new Searches(database, clock),
    metrics,
    sealer,
    accounts,
    invitations: new Invitations(database, clock),
    sessions,
    statistics,
    writeLimits: new WriteLimits(database, clock),
    dials,
    telephony,
    leadFiles: new LeadFiles({ files, workers, places, folders, clock }),
    uploads,
    webUploads: new WebUploads({ database, engine, files, workers, places, folders, clock, onCreated }),
    files,
    links,
  };
  const app = await createApp(context, { log, version: VERSION });

  await engine.start();
  if (config.role !== 'worker') workers.warm();
  if (works) {
    processor.start();
    statistics.start();
    dials.start();
    telephony.start();
  }
  const retention = new Retention({ database, engine, folders, days: config.keptDays, log });
  const sweeper = new Alarm({
    clock,
    intervalMs: SWEEP_INTERVAL_MS,
    work: async () => {
      try {
        await sweepWrites(database, new Date(clock.now() - 2 * WRITE_LIMITS.windowMs));
        await sweepCallWindows(database, new Date(clock.now()));
        await sweepCalls(database, new Date(clock.now() - IDEMPOTENCY.keepMs));
        await uploads.sweep();
        await dials.sweep(engine.activity.historyTime, engine.retention.days);
        await statistics.sweep(engine.activity.historyTime, engine.retention.days);
        await retention.sweep(engine.activity.historyTime);
        await sessions.sweep();
      } catch (error) {
        log.warn({ err: error }, 'sweeping failed, will be tried again');
      }
      return false;
    },
  });
  sweeper.start();

  async function stop(): Promise<void> {
    await sweeper.stop();
    // A client that is still sending after this time would hold up the stop for as long as it likes.
    const giveUp = clock.after(LIMITS.drainMs, () => app.server.closeAllConnections());
    const closing = app.close();
    // Connections that become idle now would be kept for their clients' next call, which is not answered any more.
    const idle = new Alarm({ clock, intervalMs: CLOSE_IDLE_INTERVAL_MS, work: async () => (app.server.closeIdleConnections(), false) });
    idle.start();
    await closing;
    await idle.stop();
    giveUp();
    await dials.stop();
    await telephony.stop();
    await processor.stop();
    await workers.close();
    await engine.stop();
    await statistics.stop(); // after the last attempt
  }

  try {
    const url = await app.listen({ host: config.host, port: config.port });
    if (config.port === 0 && config.publicUrl.endsWith(':0')) place.url = url;
    return { url, config: { ...config, publicUrl: place.url }, accounts, sessions, database, app, metrics, leave: app.leave, stop };
  } catch (error) {
    await stop(); // such as a port that is taken: nothing must go on in the background
    throw error;
  }
}
