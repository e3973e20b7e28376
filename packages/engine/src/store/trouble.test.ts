import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, freshDatabase, openAdmin, TcpProxy, type TestDatabase } from '@dialhook/testing';
import { Database, DatabaseUnavailable, isDataError, isUnavailable } from '../index.ts';
import { SessionPool } from './pool.ts';
import { Session } from './session.ts';

/** The database in trouble: what is told of it, and what becomes of its connections. */

describe('trouble of PostgreSQL', () => {
  let place: TestDatabase;
  before(async () => {
    place = await freshDatabase('postgres');
  });
  after(() => place.close());

  const raise = (code: string) => ({ text: `do $$ begin raise exception using errcode = '${code}', message = 'made'; end $$` });
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => assert.fail('it did not fail'),
      (error: Error) => error,
    );

  const CLASSES: Record<string, string> = {
    '08006': 'connection failure',
    '25006': 'read-only after a failover',
    '25P03': 'idle in a transaction for too long',
    '40001': 'conflict with recovery',
    '40P01': 'deadlock',
    '53100': 'disk full',
    '53200': 'out of memory',
    '53300': 'too many connections',
    '55P03': 'lock not available',
    '57014': 'statement timeout',
    '57P01': 'shut down by an administrator',
    '57P02': 'crash of another process',
    '57P03': 'cannot connect now',
    '58030': 'input or output failed',
  };
  for (const [code, what] of Object.entries(CLASSES))
    test(`${code}, ${what}, is trouble of the database`, async () => {
      const error = await failure(place.database.query(raise(code)));
      assert.equal((error as { code?: string }).code, code);
      assert.ok(isUnavailable(error) && !isDataError(error));
      assert.deepEqual(await place.database.query({ text: 'select 1 as n' }), [{ n: 1 }], 'the next call is served');
    });

  for (const text of ['select nonsense', `select '\\xff'::text::int`, 'select 1 / 0', `do $$ begin raise unique_violation; end $$`])
    test(`${text} is the caller's fault`, async () => assert.ok(!isUnavailable(await failure(place.database.query({ text })))));

  test('a connection that turned read-only is left at once', async () => {
    const { database } = place;
    await database.query({ text: 'create table kept (n int)' });
    for (let n = 0; n < 8; n++) {
      await database.query({ text: 'set session characteristics as transaction read only' });
      const error = await failure(database.query({ text: 'insert into kept values (1)' }));
      assert.ok(isUnavailable(error), String(error));
      await database.query({ text: 'insert into kept values (2)' });
    }
  });

  test('a server that is read-only, such as a standby, is not used at all', async () => {
    const admin = await openAdmin(place);
    const [row] = await admin.query<{ name: string }>({ text: 'select current_database() as name' });
    await admin.query({ text: `alter database ${row!.name} set default_transaction_read_only = on` });
    const other = await openAdmin(place);
    assert.match((await failure(other.query({ text: 'select 1' }))).message, /read-only/);
    await admin.query({ text: `alter database ${row!.name} reset default_transaction_read_only` });
    await eventually('it is used again', () => other.query({ text: 'select 1' }).catch(() => null));
    await other.close();
    await admin.close();
  });

  test('a connection that the server cut is replaced, and its statement told', async () => {
    const { database } = place;
    const cut = await failure(database.query({ text: 'select pg_terminate_backend(pg_backend_pid())' }));
    assert.ok(isUnavailable(cut), String(cut));
    assert.deepEqual(await database.query({ text: 'select 1 as n' }), [{ n: 1 }]);
  });

  test('a server that lets us connect and says nothing is given up in time', { timeout: 30_000 }, async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const connection = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
    const error = await failure(Session.open({ connection, connectMs: 100, settings: [], onSilence: () => {} }));
    assert.ok(error instanceof DatabaseUnavailable && error.code === 'database_unavailable', String(error));
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('a refused handshake is trouble too, and the next calls are not kept waiting', async () => {
    const proxy = await TcpProxy.start(place.env.DATABASE_URL!);
    const database = new Database({ kind: 'postgres', connection: { connectionString: proxy.url(place.env.DATABASE_URL!) } });
    for (const mode of [{ refuse: '53300' }, { refuse: '57P03' }, 'reset'] as const) {
      proxy.mode = mode;
      const errors = await Promise.all(Array.from({ length: 30 }, () => failure(database.query({ text: 'select 1' }))));
      assert.ok(errors.every((error) => error instanceof DatabaseUnavailable));
      proxy.mode = 'pass';
      await eventually('it is back', () => database.query({ text: 'select 1' }).catch(() => null));
    }
    await database.close();
    await proxy.stop();
  });

  test('a host that vanished without a word: the statement ends, and no connection of before is used again', async () => {
    const proxy = await TcpProxy.start(place.env.DATABASE_URL!);
    const connection = { connectionString: proxy.url(place.env.DATABASE_URL!) };
    const open = () => Session.open({ connection, connectMs: 300, settings: [], onSilence: () => pool.suspectAll() });
    const pool = new SessionPool({ open, size: 3 });
    const take = () => pool.take(0, 5_000, () => new Error('late'));
    const before = await Promise.all([take(), take(), take()]);
    pool.give(before[0]!);
    pool.give(before[1]!);
    proxy.mode = 'swallow';
    const began = performance.now();
    const error = await failure(before[2]!.query({ text: 'select 1' }, 300));
    assert.ok(error instanceof DatabaseUnavailable && /no answer within 300 ms/.test(error.message), String(error));
    pool.give(before[2]!);
    assert.ok(
      before.every((session) => !session.usable),
      'all of them lead to nowhere',
    );
    assert.ok((await failure(take())) instanceof DatabaseUnavailable, 'connecting ends too');
    assert.ok(performance.now() - began < 5_000);
    proxy.mode = 'pass';
    const session = await eventually('it is back', () => take().catch(() => null));
    assert.deepEqual(await session.query({ text: 'select 2 as n' }, 5_000), [{ n: 2 }]);
    pool.give(session);
    await pool.close();
    await proxy.stop();
  });

  test('a commit whose answer is lost is not done twice, and its connection is gone', async () => {
    const proxy = await TcpProxy.start(place.env.DATABASE_URL!);
    const url = proxy.url(place.env.DATABASE_URL!);
    const database = new Database({ kind: 'postgres', connection: { connectionString: url } });
    await place.database.query({ text: 'create table once (n int)' });
    let effects = 0;
    const error = await failure(
      database.transaction(async (tx) => {
        tx.afterCommit(() => (effects += 1));
        await tx.query({ text: 'insert into once values (1)' });
        proxy.mode = 'reset';
      }),
    );
    assert.ok(isUnavailable(error));
    assert.equal(effects, 0);
    proxy.mode = 'pass';
    await eventually('it is back', () => database.query({ text: 'select 1' }).catch(() => null));
    assert.ok((await place.database.query({ text: 'select n from once' })).length <= 1);
    await database.close();
    await proxy.stop();
  });

  test('slow reads take nothing from the hot path, from transactions or from the heartbeat, and end', async () => {
    const { database } = place;
    const slow = Array.from({ length: 10 }, () => failure(database.reads.query({ text: 'select pg_sleep(60)' })));
    const waiting = { over: false };
    void Promise.all(slow).then(() => (waiting.over = true));
    for (let n = 0; n < 20; n++) {
      await database.hot.query({ text: 'select 1' });
      await database.heartbeat.query({ text: 'select 1' });
      await database.transaction((tx) => tx.query({ text: 'select 1' }));
    }
    assert.ok(!waiting.over, 'all of that while the reads went on');
    for (const error of await Promise.all(slow)) assert.equal((error as DatabaseUnavailable).code, 'read_timeout');
    await database.reads.query({ text: 'select 1' });
  });
});

test('sessions go to the most urgent, and nobody is passed over for ever', async () => {
  const place = await freshDatabase('embedded');
  const { database } = place;
  const order: string[] = [];
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const holder = database.transaction(async () => held);
  const ask = (name: string, lane: { query: Database['query'] }) => lane.query({ text: 'select 1' }).then(() => order.push(name));
  const asked = [ask('search', database.search), ask('read', database.reads), ask('work', database)];
  for (let n = 0; n < 12; n++) asked.push(ask('hot', database.hot));
  letGo();
  await holder;
  await Promise.all(asked);
  assert.deepEqual(order.slice(0, 11), [...Array<string>(8).fill('hot'), 'search', 'read', 'work']);
  assert.equal(order.length, 15);
  await place.close();
});
