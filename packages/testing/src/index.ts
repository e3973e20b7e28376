export { EngineWorld } from './engine-world.ts';
export { FakeClock } from './clock.ts';
export {
  admin,
  DATABASE_KINDS,
  templates,
  openAdmin,
  freshDatabase,
  freshPlace,
  type DatabaseKind,
  type TestDatabase,
} from './databases.ts';
export { ApiClient, type ApiResponse } from './api-client.ts';
export { changesOf, difference, snapshot, type Names, type Snapshot } from './changes.ts';
export { eventually } from './eventually.ts';
export { rowsNaming } from './bystanders.ts';
export { freePort } from './free-port.ts';
export { StatementCount } from './statements.ts';
export { startPostgres, type PostgresServer } from './postgres.ts';
export { TcpProxy } from './tcp-proxy.ts';
export { Receiver, type Answer, type Received } from './receiver.ts';
export { startTestServer, type TestServer } from './test-server.ts';
export { killRun, type KillReport } from './kill-run.ts';
export { ServerProcess } from './server-process.ts';
export { Dialler, type Report, type TakenCall } from './dialler.ts';
export { refusedBySeed } from './seed-signature.ts';
export { PanelClient } from './panel-client.ts';
export { launchBrowser, Visitor } from './browser.ts';
export { makeShowcase, type Showcase } from './showcase.ts';
export { chaosRun, type ChaosReport } from './chaos/run.ts';
export { Watched, type WatchedStatement } from './watched.ts';
export { parseChaosOptions } from './chaos/options.ts';
export { summarize } from './chaos/summary.ts';
export { DEFAULTS, hashOf, NODE, WORLD_NOW } from './world/defaults.ts';
export { RowWatch, type Changes, type Row } from './world/rows.ts';
export { idAt, insertRow, World, type Tenant, type Trial } from './world/world.ts';
