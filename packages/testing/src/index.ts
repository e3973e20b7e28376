export { FakeClock } from './clock.ts';
export { admin, DATABASE_KINDS, openAdmin, freshDatabase, freshPlace, type DatabaseKind, type TestDatabase } from './databases.ts';
export { ApiClient, type ApiResponse } from './api-client.ts';
export { eventually } from './eventually.ts';
export { freePort, startPostgres, type PostgresServer } from './postgres.ts';
export { Receiver, type Answer, type Received } from './receiver.ts';
export { startTestServer, type TestServer } from './test-server.ts';
export { killRun, type KillReport } from './kill-run.ts';
export { ServerProcess } from './server-process.ts';
