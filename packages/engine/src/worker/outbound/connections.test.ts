import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, afterEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from '@dialhook/testing';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import { NetworkGuard } from '../guard.ts';
import { Transport, type TransportOptions } from '../transport.ts';
import { ANSWERS, randomBy } from './answers.fixture.ts';

/** How connections are kept, lost and closed, against receivers on real sockets. */

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const servers = new Set<Server>();
const transports = new Set<Transport>();

afterEach(async () => {
  for (const transport of transports) await transport.close();
  transports.clear();
});
after(() => {
  for (const server of servers) server.close();
});

/** A receiver that does `act` with each whole request; `connections` counts those that were ever made, `open` are there now. */
async function receiver(act: (socket: Socket, request: number) => void, options: { readonly readsNothing?: boolean } = {}) {
  const state = { port: 0, connections: 0, requests: [] as string[], open: new Set<Socket>() };
  const server = createServer({ pauseOnConnect: options.readsNothing === true }, (socket) => {
    state.connections += 1;
    state.open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => state.open.delete(socket));
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/.exec(received)?.[1] ?? 0);
      if (head === -1 || received.length < head + 4 + length) return;
      state.requests.push(received);
      received = '';
      act(socket, state.requests.length);
    });
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.port = (server.address() as { port: number }).port;
  return state;
}

function sender(options?: TransportOptions) {
  const transport = new Transport(
    new NetworkGuard({ allowPrivateTargets: true, resolve: async () => [{ address: '127.0.0.1', family: 4 }] }),
    Date.now,
    options,
  );
  transports.add(transport);
  return (
    port: number,
    change: { origin?: string; body?: Buffer; headers?: Record<string, string>; host?: string; timeoutMs?: number } = {},
  ) =>
    transport.post({
      origin: change.origin ?? `http://${change.host ?? '127.0.0.1'}:${port}`,
      path: '/hook?x=%20y',
      body: change.body ?? Buffer.from('{"a":1}'),
      headers: change.headers ?? { 'content-type': 'application/json' },
      timeoutMs: change.timeoutMs ?? 20_000,
    });
}

describe('a request', () => {
  test('is on the wire as it was asked for, in one piece', async () => {
    const to = await receiver((socket) => void socket.write(OK));
    const post = sender();
    await post(to.port, { headers: { 'Content-Type': 'application/json', 'x-latin': 'caf\u00e9' } });
    await post(to.port, { body: Buffer.alloc(0), headers: {}, host: 'name.test' });
    assert.deepEqual(to.requests, [
      `POST /hook?x=%20y HTTP/1.1\r\nhost: 127.0.0.1:${to.port}\r\nconnection: keep-alive\r\nContent-Type: application/json\r\nx-latin: caf\u00e9\r\ncontent-length: 7\r\n\r\n{"a":1}`,
      `POST /hook?x=%20y HTTP/1.1\r\nhost: name.test:${to.port}\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n`,
    ]);
  });

  test('with what is no header is not sent', async () => {
    const to = await receiver((socket) => void socket.write(OK));
    const post = sender();
    for (const headers of [
      { 'x-a': 'b\r\nx-c: d' },
      { 'x-a': 'b\nx-c: d' },
      { 'x-a': 'b\0' },
      { 'x a': 'b' },
      { 'x-a:': 'b' },
      { '': 'b' },
      { 'x-a': '\u20ac' },
    ])
      assert.equal((await post(to.port, { headers })).error, 'connection_error', JSON.stringify(headers));
    assert.equal(to.connections, 0);
  });

  test('of a megabyte arrives whole', async () => {
    const to = await receiver((socket) => void socket.write(OK));
    const body = Buffer.alloc(1024 * 1024, 'abcdefg');
    assert.equal((await sender()(to.port, { body })).status, 200);
    assert.ok(to.requests[0]!.endsWith(`\r\n\r\n${body.toString('latin1')}`));
  });

  test('to a receiver that reads nothing ends in time, and costs its own bytes alone', async () => {
    const to = await receiver(() => {}, { readsNothing: true });
    const post = sender();
    const body = Buffer.alloc(8 * 1024 * 1024, 'x');
    const before = process.memoryUsage();
    const results = await Promise.all(Array.from({ length: 8 }, () => post(to.port, { body, timeoutMs: 300 })));
    for (const { error } of results) assert.equal(error, 'timeout');
    const now = process.memoryUsage();
    assert.ok(now.arrayBuffers - before.arrayBuffers < body.length, 'the body is not copied for each');
    for (const socket of to.open) socket.destroy();
  });
});

describe('connections', () => {
  test('are kept: one after the other takes one, and many at once leave at most so many idle', async () => {
    const to = await receiver((socket) => void socket.write(OK));
    const originIdleConnections = 40;
    const post = sender({ limits: { originIdleConnections, idleConnections: 1_000, idleConnectionBytes: Number.POSITIVE_INFINITY } });
    for (let n = 0; n < 20; n++) assert.equal((await post(to.port)).status, 200);
    assert.equal(to.connections, 1);
    await Promise.all(Array.from({ length: 100 }, () => post(to.port)));
    await eventually('the others are closed', () => to.open.size <= originIdleConnections);
    const { connections } = to;
    await Promise.all(Array.from({ length: originIdleConnections }, () => post(to.port)));
    assert.equal(to.connections, connections, 'no new one was needed');
  });

  test('of any number of origins: the least recently used are closed, and every request arrives', async () => {
    const to = await receiver((socket) => void socket.write(OK));
    const post = sender({ limits: { originIdleConnections: 4, idleConnections: 10, idleConnectionBytes: Number.POSITIVE_INFINITY } });
    const hosts = Array.from({ length: 60 }, (_, i) => `origin${i}.test`);
    for (const host of hosts) assert.equal((await post(to.port, { host })).status, 200);
    await eventually('the others are closed', () => to.open.size === 10);
    for (const host of hosts.slice(-10)) assert.equal((await post(to.port, { host })).status, 200);
    assert.equal(to.connections, 60, 'those used last were kept');
    for (const result of await Promise.all(hosts.map((host) => post(to.port, { host })))) assert.equal(result.error, null);
    await eventually('the others are closed', () => to.open.size === 10);
  });

  test('make room when the process may open no more files', async () => {
    const to = await receiver((socket) => void socket.write(OK));
    const script = `
      const { NetworkGuard } = await import(${JSON.stringify(import.meta.resolve('../guard.ts'))});
      const { Transport } = await import(${JSON.stringify(import.meta.resolve('../transport.ts'))});
      const guard = new NetworkGuard({ allowPrivateTargets: true, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
      const transport = new Transport(guard, Date.now);
      const results = [];
      for (let n = 0; n < 100; n++)
        results.push(await transport.post({ origin: 'http://origin' + n + '.test:${to.port}', path: '/', body: Buffer.from('{}'), headers: {}, timeoutMs: 20_000 }));
      console.log(results.filter(({ status }) => status === 200).length);
      await transport.close();`;
    // A hard limit: Node raises a soft one by itself.
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -n 64 && exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      script,
    ]);
    assert.equal(stdout.trim(), '100');
    assert.ok(to.connections >= 100);
  });

  test('are closed when the receiver’s own time for them is nearly over', async () => {
    const to = await receiver((socket) => void socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 0\r\n\r\n'));
    await sender()(to.port);
    assert.equal(to.open.size, 1);
    await eventually('it is closed by us', () => to.open.size === 0);
  });

  test('are bounded by bytes as well', async () => {
    const to = await receiver((socket) => void socket.write(OK));
    const limits = { originIdleConnections: 64, idleConnections: 64, idleConnectionBytes: 3.5 * NETWORK_LIMITS.plainConnectionBytes };
    const post = sender({ limits });
    for (const result of await Promise.all(Array.from({ length: 20 }, () => post(to.port)))) assert.equal(result.error, null);
    await eventually('the others are closed', () => to.open.size === 3);
  });

  test('are not used again when the receiver says so, or when anything followed its answer', async () => {
    const again = { plain: 1, 'of a closing server': 2, 'of HTTP/1.0': 2, 'with trailers': 1, 'after early hints': 1 };
    for (const [what, connections] of Object.entries(again)) {
      const to = await receiver((socket) => void socket.write(ANSWERS[what]!));
      const post = sender();
      await post(to.port);
      await post(to.port);
      assert.equal(to.connections, connections, what);
    }
    const doubled = await receiver((socket) => void socket.write(OK + OK));
    const post = sender();
    assert.equal((await post(doubled.port)).status, 200);
    assert.equal((await post(doubled.port)).status, 200);
    assert.equal(doubled.connections, 2);
    const soon = await receiver((socket) => void socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 0\r\n\r\n'));
    await post(soon.port);
    await post(soon.port);
    assert.equal(soon.connections, 2, 'its second is nearly over when the answer is here');
  });

  test('that speak while nobody asks are closed, and nobody takes that for an answer', async () => {
    const to = await receiver(
      (socket) => void socket.write(OK, () => setTimeout(() => socket.write('HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n'), 20)),
    );
    const post = sender();
    assert.equal((await post(to.port)).status, 200);
    await eventually('the others are closed', () => to.open.size === 0);
    assert.equal((await post(to.port)).status, 200);
    const first = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(OK);
    });
    servers.add(first);
    first.listen(0, '127.0.0.1');
    await once(first, 'listening');
    // Whether it is taken for an answer depends on who is first; what is read before a request was sent never is.
    for (let n = 0; n < 20; n++) {
      const { error, status } = await sender()((first.address() as { port: number }).port);
      assert.ok(status === 200 || error === 'connection_error');
    }
  });

  test('that end before the first byte of an answer: a kept one is made good, a new one fails', async () => {
    // Every second request on a connection is met with the end, one way or the other.
    for (const end of [(socket: Socket) => void socket.end(), (socket: Socket) => void socket.resetAndDestroy()]) {
      const turns = new WeakMap<Socket, number>();
      const to = await receiver((socket) => {
        const turnOf = (turns.get(socket) ?? 0) + 1;
        turns.set(socket, turnOf);
        if (turnOf === 1) socket.write(OK);
        else end(socket);
      });
      const post = sender();
      for (let n = 0; n < 10; n++) assert.equal((await post(to.port)).status, 200);
      assert.equal(to.requests.length, 19, 'each but the first was sent twice');
    }
    const never = await receiver((socket) => void socket.end());
    assert.equal((await sender()(never.port)).error, 'connection_error');
    assert.equal(never.requests.length, 1);
  });

  test('that end after the first byte fail, also kept ones: the receiver has begun to answer', async () => {
    const to = await receiver((socket, n) => (n === 1 ? void socket.write(OK) : void socket.end('H')));
    const post = sender();
    assert.equal((await post(to.port)).status, 200);
    assert.equal((await post(to.port)).error, 'connection_error');
    assert.equal(to.requests.length, 2);
  });

  test('a receiver that ends every kept connection costs two requests at most', async () => {
    let isFirst = true;
    const to = await receiver((socket) => {
      if (isFirst) socket.write(OK);
      else socket.resetAndDestroy();
      isFirst = false;
    });
    const post = sender();
    await post(to.port);
    assert.equal((await post(to.port)).error, 'connection_error');
    assert.equal(to.requests.length, 3);
  });

  test('an answer that comes before the request was taken counts, and ends the connection', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
      });
    });
    servers.add(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const open = new Set<Socket>();
    server.on('connection', (socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
    const post = sender();
    const { port } = server.address() as { port: number };
    assert.equal((await post(port, { body: Buffer.alloc(32 * 1024 * 1024) })).error, 'HTTP 413');
    for (const socket of open) socket.resume();
    await eventually('it is closed', () => open.size === 0);
  });

  test('answers in pieces, and several requests at once, do not mix', async () => {
    const texts = Object.entries(ANSWERS).filter(([what]) => what !== 'until the end');
    const to = await receiver((socket, n) => {
      const [, text] = texts[n % texts.length]!;
      void (async () => {
        for (let at = 0; at < text.length && !socket.destroyed; at += 7) {
          socket.write(text.slice(at, at + 7), 'latin1');
          await turn();
        }
      })();
    });
    const post = sender();
    const results = await Promise.all(Array.from({ length: 10 * texts.length }, () => post(to.port)));
    const statuses = (list: readonly (number | null)[]) => [...list].sort((a, b) => a! - b!);
    const expected = Array.from({ length: 10 }, () => [200, 204, 202, 200, 200, 429, 500, 200, 200, 200]).flat();
    assert.deepEqual(statuses(results.map(({ status }) => status)), statuses(expected));
  });

  test('whatever receivers do, at any moment: each attempt ends once, and nothing is left open', async () => {
    const random = randomBy(7);
    const moves: ((socket: Socket) => void)[] = [
      (socket) => void socket.write(OK),
      (socket) => void socket.write(OK, () => socket.resetAndDestroy()),
      (socket) => void socket.resetAndDestroy(),
      (socket) => void socket.end(),
      (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-le'),
      (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nha', () => setTimeout(() => socket.resetAndDestroy(), 5)),
      (socket) => void socket.write(OK + OK),
      () => {},
    ];
    const to = await receiver((socket) => moves[Math.floor(random() * moves.length)]!(socket));
    const post = sender();
    const results = await Promise.all(
      Array.from({ length: 600 }, async (_, n) => {
        for (let wait = Math.floor(random() * 200); wait > 0; wait--) await turn();
        const timeoutMs = 100 + Math.floor(random() * 900);
        const body = Buffer.alloc(n % 10 === 0 ? 300_000 : 10);
        const origin = random() < 0.1 ? `https://127.0.0.1:${to.port}` : `http://127.0.0.1:${to.port}`;
        return post(to.port, { body, timeoutMs, origin });
      }),
    );
    const ends = new Set(results.map(({ error, status }) => error ?? status));
    // How many of each depends on the machine; that there is nothing else does not.
    assert.deepEqual(
      [...ends].filter((end) => ![200, 'connection_error', 'timeout', 'tls_error'].includes(end!)),
      [],
    );
    assert.equal(results.length, 600);
    await eventually('only idle ones are open', () => to.open.size <= NETWORK_LIMITS.originIdleConnections);
  });

  test('closing breaks what is in flight, wherever it is, and leaves nothing open', async () => {
    const silent = await receiver(() => {});
    const transport = new Transport(
      new NetworkGuard({
        allowPrivateTargets: true,
        resolve: (name) =>
          name === 'slow.test'
            ? new Promise(() => {})
            : Promise.resolve([{ address: name === 'away.test' ? '192.0.2.1' : '127.0.0.1', family: 4 }]),
      }),
      Date.now,
    );
    const request = { path: '/', body: Buffer.from('{}'), headers: {}, timeoutMs: 60_000 };
    const origins = ['slow.test', 'away.test', 'answers.test'].flatMap((host) => [
      `http://${host}:${silent.port}`,
      `https://${host}:${silent.port}`,
    ]);
    const attempts = origins.map((origin) => transport.post({ origin, ...request }));
    await eventually('two are connected', () => silent.open.size === 2);
    await transport.close();
    for (const { error } of await Promise.all(attempts)) assert.equal(error, 'connection_error');
    await eventually('the others are closed', () => silent.open.size === 0);
    assert.equal((await transport.post({ origin: origins[0]!, ...request })).error, 'connection_error', 'and nothing new begins');
  });
});
