import { fileURLToPath } from 'node:url';
import type { MigrationSet } from './store/migrate.ts';

export { systemClock, type Clock } from './core/clock.ts';
export { DELIVERY_STATUSES, type Delivery, type DeliveryStatus } from './core/delivery.ts';
export type { Dialect, MessageIds, RequestContext, StoredEvent } from './core/dialect.ts';
export type { DisabledReason, Endpoint } from './core/endpoint.ts';
export { ATTEMPT_ERRORS, EngineError, type AttemptError, type EngineErrorCode } from './core/errors.ts';
export { isUuid, shortHex, uuidFloor, uuidTime, uuidv7 } from './core/ids.ts';
export { LIMITS } from './core/limits.ts';
export { silentLog, type Log } from './core/log.ts';
export type { AttemptReport, HotStatement, Observer } from './core/observer.ts';
export { REPLAY_STATUSES, type Replay, type ReplayFilter } from './core/replay.ts';
export { Sealer } from './core/seal.ts';
export { standard } from './core/standard.ts';
export { PingFailed, type ChangeEndpoint, type CreateEndpoint } from './endpoints.ts';
export { Engine, type EngineActivity, type EngineOptions, type NewEvent } from './engine.ts';
export { plainArray, timeArray } from './store/arrays.ts';
export { Database, isDataError, isUniqueViolation, type Queryable, type Statement, type Transaction } from './store/database.ts';
export type { Backlog, DeliveryFilter } from './store/deliveries.ts';
export { DataDirectoryInUse } from './store/lock.ts';
export { DatabaseTooNew, migrate, migrationFiles, type MigrationSet } from './store/migrate.ts';
export { openDatabase, type OpenOptions } from './store/open.ts';
export { Alarm } from './worker/alarm.ts';
export { Batcher } from './worker/batcher.ts';
export { persistently } from './worker/persistently.ts';

export const engineMigrations: MigrationSet = { name: 'engine', directory: fileURLToPath(new URL('../migrations', import.meta.url)) };
export type { RequestPreview } from './preview.ts';
