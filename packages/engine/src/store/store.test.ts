import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DATABASE_KINDS, freshDatabase, type TestDatabase } from '@dialhook/testing';
import { uuidFloor, uuidTime, uuidv7 } from '../core/ids.ts';
import {
  DatabaseTooNew,
  DataDirectoryInUse,
  engineMigrations,
  isUniqueViolation,
  migrate,
  openDatabase,
  type Queryable,
} from '../index.ts';
import { startEmbedded } from './embedded/start.ts';
import { lockDataDirectory } from './lock.ts';
import { dropOldPartitions, ensurePartitions } from './upkeep.ts';

const DAY_MS = 86_400_000;

for (const kind of DATABASE_KINDS) {
  describe(`store on ${kind}`, () => {
    let place: TestDatabase;
    before(async () => {
      place = await freshDatabase(kind);
    });
    after(() => place.close());

    test('migrating again does nothing, also when several nodes start at once', async () => {
      assert.deepEqual(await migrate(place.database, [engineMigrations]), []);
      const nodes = await Promise.all(
        [1, 2, 3].map(() => migrate(place.database, [{ ...engineMigrations, name: 'race', directory: raceMigrations() }])),
      );
      assert.deepEqual(nodes.flat(), ['race/0001_race.sql'], 'one of them applied it');
    });

    test('a failing migration leaves nothing behind', async () => {
      const directory = folderWith('0001_bad.sql', 'create table half_done (n int); select nonsense;');
      await assert.rejects(migrate(place.database, [{ name: 'bad', directory }]));
      const rows = await place.database.query({ text: `select 1 from pg_class where relname = 'half_done'` });
      const versions = await place.database.query({ text: `select 1 from migrations where set_name = 'bad'` });
      assert.deepEqual([rows, versions], [[], []]);
    });

    test('a database of a newer version is refused', async () => {
      await place.database.query({ text: `insert into migrations (set_name, version) values ('newer', 7)` });
      const directory = folderWith('0001_one.sql', 'select 1');
      await assert.rejects(
        migrate(place.database, [{ name: 'newer', directory }]),
        (error) => error instanceof DatabaseTooNew && /newer migration 7, this version knows up to 1/.test(error.message),
      );
    });

    test('a transaction commits whole or not at all, and tells after the commit', async () => {
      const { database } = place;
      await database.query({ text: 'create table things (n int primary key)' });
      let told = 0;
      await database.transaction(async (tx) => {
        await tx.query({ text: 'insert into things values (1)' });
        tx.afterCommit(() => (told += 1));
      });
      const failing = database.transaction(async (tx) => {
        tx.afterCommit(() => (told += 100));
        await tx.query({ text: 'insert into things values (2)' });
        await tx.query({ text: 'insert into things values (1)' });
      });
      await assert.rejects(failing, (error) => isUniqueViolation(error, 'things_pkey'));
      assert.equal(told, 1);
      assert.deepEqual(await database.query({ text: 'select n from things' }), [{ n: 1 }]);
    });

    test('more callers than connections wait for their turn, also inside transactions', async () => {
      const { database } = place;
      const results = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          n % 2 === 0
            ? database.query<{ n: number }>({ text: 'select $1::int as n', values: [n] })
            : database.transaction((tx) => tx.query<{ n: number }>({ text: 'select $1::int as n', values: [n] })),
        ),
      );
      assert.deepEqual(
        results.map(([row]) => row!.n),
        Array.from({ length: 200 }, (_, n) => n),
      );
    });

    test('effects that throw take nothing from a committed transaction, nor from each other', async () => {
      const { database } = place;
      let told = 0;
      const result = await database.transaction(async (tx) => {
        await tx.query({ text: 'insert into things values (70)' });
        tx.afterCommit(() => {
          throw new Error('an effect failed');
        });
        tx.afterCommit(() => (told += 1));
        return 'committed';
      });
      assert.deepEqual([result, told], ['committed', 1]);
      assert.deepEqual(await database.query({ text: 'select n from things where n = 70' }), [{ n: 70 }]);
    });

    test('partitions of another installation in the same database are neither taken for ours nor dropped', async () => {
      const { database } = place;
      const now = Date.UTC(2029, 5, 15, 12);
      await database.query({ text: 'create schema neighbor' });
      await database.query({ text: 'create table neighbor.events (like public.events including all) partition by range (id)' });
      for (const day of ['20290613', '20290614', '20290615', '20290616'])
        await database.query({
          text: `create table neighbor.events_${day} partition of neighbor.events for values from ('${uuidFloor(Number(day))}') to ('${uuidFloor(Number(day) + 1)}')`,
        });
      await database.query({ text: 'create table neighbor.events_20290101 (like neighbor.events including all)' }); // detached
      const theirs = () =>
        database.query({ text: `select relname from pg_class where relnamespace = 'neighbor'::regnamespace order by 1` });
      const before = await theirs();
      await ensurePartitions(database, now, 1);
      const ours = await database.query({
        text: `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'public.events'::regclass and inhrelid::regclass::text ~ '2029061[456]'`,
      });
      assert.equal(ours.length, 3);
      await dropOldPartitions(database, now + 100 * DAY_MS, 30);
      assert.deepEqual(await theirs(), before);
      await database.query({ text: 'drop schema neighbor cascade' });
    });

    test('partitions are made ahead, hold what belongs to their day, and are dropped when old', async () => {
      const { database } = place;
      const now = Date.UTC(2030, 5, 15, 12);
      await ensurePartitions(database, now, 2);
      await ensurePartitions(database, now, 2);
      const insert = (time: number) =>
        database.query({
          text: `insert into events (id, organization_id, type, data, occurred_at) values ($1, $1, 'a', '{}', now())`,
          values: [uuidv7(time)],
        });
      await insert(now - DAY_MS);
      await insert(now + 2 * DAY_MS);
      await assert.rejects(insert(now + 3 * DAY_MS), /no partition/);
      assert.deepEqual(
        await dropOldPartitions(database, now, 30),
        [...(await dropOldPartitions(database, now, 30))],
        'nothing that is young',
      );
      const dropped = await dropOldPartitions(database, now + 31 * DAY_MS, 30);
      assert.ok(dropped.includes('events_20300614'), String(dropped));
      const left = await database.query({ text: 'select 1 from events where id < $1', values: [uuidFloor(now)] });
      assert.deepEqual(left, []);
    });
  });
}

test('making and dropping partitions stops neither a reader nor a writer', async () => {
  const place = await freshDatabase('postgres');
  const { database } = place;
  const now = Date.UTC(2031, 2, 10, 12);
  const insert = (db: Queryable, time: number) =>
    db.query({
      text: `insert into events (id, organization_id, type, data, occurred_at) values ($1, $1, 'a', '{}', now())`,
      values: [uuidv7(time)],
    });
  await ensurePartitions(database, now, 1);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: busy, resolve: isBusy } = Promise.withResolvers<void>();
  const writer = database.transaction(async (tx) => {
    await insert(tx, now);
    await tx.query({ text: 'select count(*) from events' });
    isBusy();
    await held;
  });
  await busy;
  await ensurePartitions(database, now + 3 * DAY_MS, 1); // beside a transaction that has written and read
  const drop = dropOldPartitions(database, now + 40 * DAY_MS, 30); // waits for that transaction, and nobody waits for it
  for (let n = 0; n < 20; n++) await insert(database, now + 3 * DAY_MS);
  letGo();
  await writer;
  assert.ok((await drop).some((name) => name.startsWith('events_203103')));
  await place.close();
});

test('a commit on the embedded database reaches the disk: each forces a sync of the host', async () => {
  const place = await freshDatabase('embedded');
  await place.database.close();
  const server = await startEmbedded(place.dataDir);
  const { Database } = await import('./database.ts');
  const database = new Database({
    kind: 'embedded',
    connection: { host: server.host, port: server.port, user: 'postgres', database: 'postgres' },
  });
  await database.query({ text: 'create table counted (n int)' });
  const before = await server.syncCount();
  for (let n = 0; n < 50; n++) await database.query({ text: 'insert into counted values ($1)', values: [n] });
  const made = (await server.syncCount()) - before;
  assert.ok(made >= 50, `50 commits made ${made} syncs`);
  await database.close();
  await server.stop();
});

test('a second opening of a data directory is refused, here and from another process', async () => {
  const place = await freshDatabase('embedded');
  await assert.rejects(openDatabase({ dataDir: place.dataDir }), DataDirectoryInUse);
  const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
  const other = promisify(execFile)(process.execPath, [main, 'migrate'], { env: { ...process.env, ...place.env, DATABASE_URL: '' } });
  await assert.rejects(other, (error: { stderr?: string }) => new RegExp(`in use by process ${process.pid}`).test(error.stderr ?? ''));
  await place.close();
});

test('a lock that a dead process left is taken over; one with a reused process id too', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dialhook-lock-'));
  const path = join(directory, 'lock');
  for (const stale of [JSON.stringify({ pid: 4_000_000, began: '1' }), JSON.stringify({ pid: process.pid, began: '1' }), '{"pid":', '']) {
    writeFileSync(path, stale);
    const unlock = lockDataDirectory(directory);
    assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid, process.pid);
    assert.throws(() => lockDataDirectory(directory), DataDirectoryInUse);
    unlock();
  }
  rmSync(directory, { recursive: true });
});

test('ids sort by time and carry it', () => {
  const ids = [1, 1000, 1_777_713_300_000, 1_777_713_300_001].map((time) => ({ time, id: uuidv7(time) }));
  assert.deepEqual(
    ids.map(({ id }) => id).sort(),
    ids.map(({ id }) => id),
  );
  for (const { id, time } of ids) {
    assert.equal(uuidTime(id), time);
    assert.ok(uuidFloor(time) <= id && id < uuidFloor(time + 1));
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assert.equal(new Set(Array.from({ length: 10_000 }, () => uuidv7(1))).size, 10_000);
  assert.equal(uuidFloor(1_795_290_824_066.4), uuidFloor(1_795_290_824_066), 'whole milliseconds');
});

function folderWith(name: string, sql: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'dialhook-migrations-'));
  writeFileSync(join(directory, name), sql);
  return directory;
}

let race: string | undefined;
function raceMigrations(): string {
  return (race ??= folderWith('0001_race.sql', 'create table raced (n int)'));
}
