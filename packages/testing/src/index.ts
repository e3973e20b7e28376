export { FakeClock } from './clock.ts';
export { admin, DATABASE_KINDS, freshDatabase, freshPlace, type DatabaseKind, type TestDatabase } from './databases.ts';
export { eventually } from './eventually.ts';
export { freePort, startPostgres, type PostgresServer } from './postgres.ts';
export { Receiver, type Answer, type Received } from './receiver.ts';
