import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import type { AttemptError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { AUTHORITY, EXPIRED, OTHER_HOST, SELF_SIGNED, SERVER_KEY, VALID } from './certificates.fixture.ts';
import { NetworkGuard } from './guard.ts';
import { Transport } from './transport.ts';

/** Everything a receiver can do wrong, on real sockets: each ends in time, at a bounded cost, with a stable code. */

const TIMEOUT_MS = 400;
/** An attempt may end this long after its deadline on a busy machine. */
const SLACK_MS = 600;
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

let transport: Transport;
const servers: Server[] = [];
const sockets = new Set<Socket>();

before(() => {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), AUTHORITY]);
  const resolve = async (name: string) => (name === 'unknown.test' ? [] : [{ address: '127.0.0.1', family: 4 }]);
  transport = new Transport(new NetworkGuard({ allowPrivateTargets: true, resolve }), Date.now);
});
after(async () => {
  await transport.close();
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** A receiver that does `act` once a request's head has come. Gives its port. */
async function receiver(act: (socket: Socket) => void, certificate?: string): Promise<number> {
  const onSocket = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => act(socket));
  };
  const server = certificate === undefined ? createServer(onSocket) : tls.createServer({ cert: certificate, key: SERVER_KEY }, onSocket);
  if (certificate !== undefined) server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as { port: number }).port;
}

async function attempt(origin: string) {
  const began = performance.now();
  const result = await transport.post({
    origin,
    path: '/hook',
    body: Buffer.from('{"a":1}'),
    headers: { 'content-type': 'application/json' },
    timeoutMs: TIMEOUT_MS,
  });
  const ms = performance.now() - began;
  assert.ok(ms < TIMEOUT_MS + SLACK_MS, `ended after ${ms} ms`);
  return result;
}

/** Writes again and again until the other side has had enough; counts what was taken. */
function pour(socket: Socket, chunk: Buffer, total: number): { taken: number } {
  const poured = { taken: 0 };
  const go = () => {
    while (poured.taken < total && !socket.destroyed) {
      poured.taken += chunk.length;
      if (socket.write(chunk)) continue;
      socket.once('drain', go);
      return;
    }
  };
  go();
  return poured;
}

function drip(socket: Socket, text: string, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => (at < text.length && !socket.destroyed ? socket.write(text[at++]!) : clearInterval(timer)), everyMs);
  socket.on('close', () => clearInterval(timer));
}

const answer = (status: number) => `HTTP/1.1 ${status} Said\r\ncontent-length: 0\r\n\r\n`;

const ANSWERS: Record<string, { act: (socket: Socket) => void; status: number | null; error: AttemptError | null }> = {
  'answers well': { act: (s) => void s.write(OK), status: 200, error: null },
  'resets before the head': { act: (s) => void s.resetAndDestroy(), status: null, error: 'connection_error' },
  'closes before the head': { act: (s) => void s.end(), status: null, error: 'connection_error' },
  'resets inside the head': {
    act: (s) => void s.write('HTTP/1.1 200 OK\r\ncontent-le', () => s.resetAndDestroy()),
    status: null,
    error: 'connection_error',
  },
  'says 200 and resets inside the body': {
    act: (s) => void s.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => setTimeout(() => s.resetAndDestroy(), 20)),
    status: null,
    error: 'connection_error',
  },
  'says 200 and closes inside the body': {
    act: (s) => void s.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'),
    status: null,
    error: 'connection_error',
  },
  'says 200 in full and resets then': {
    act: (s) => void s.write(OK, () => setTimeout(() => s.resetAndDestroy(), 20)),
    status: 200,
    error: null,
  },
  'does not answer': { act: () => {}, status: null, error: 'timeout' },
  'drips its head': { act: (s) => drip(s, OK, 40), status: null, error: 'timeout' },
  'drips its body': {
    act: (s) => void s.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', () => drip(s, 'x'.repeat(1000), 20)),
    status: null,
    error: 'timeout',
  },
  'drips endless chunks': {
    act: (s) => void s.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', () => drip(s, '1\r\nx\r\n'.repeat(500), 5)),
    status: null,
    error: 'timeout',
  },
  'answers with the last status that is a success': { act: (s) => void s.write(answer(299)), status: 299, error: null },
  'answers with the first status behind it': { act: (s) => void s.write(answer(300)), status: 300, error: 'HTTP 300' },
  redirects: {
    act: (s) => void s.write('HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n'),
    status: 302,
    error: 'HTTP 302',
  },
  'sends early hints first': {
    act: (s) => void s.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`),
    status: 200,
    error: null,
  },
  // Nobody asked with `Expect`: it is no answer to us, and the delivery is tried again.
  'says 100 Continue unasked': { act: (s) => void s.write(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), status: null, error: 'connection_error' },
  'sends 102 for ever': { act: (s) => drip(s, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100), 1), status: null, error: 'timeout' },
  'switches protocols': {
    act: (s) => void s.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
    status: null,
    error: 'connection_error',
  },
  'speaks something else': { act: (s) => void s.write('220 mail.example ESMTP\r\n'), status: null, error: 'connection_error' },
  'sends two lengths': {
    act: (s) => void s.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok'),
    status: null,
    error: 'connection_error',
  },
  'sends 1 MB of headers': {
    act: (s) => void pour(s, Buffer.from(`HTTP/1.1 200 OK\r\n${`x-filler: ${'y'.repeat(1000)}\r\n`.repeat(1000)}`), 1_000_000),
    status: null,
    error: 'response_too_large',
  },
  'sends one endless header': {
    act: (s) => void s.write('HTTP/1.1 200 OK\r\nx-filler: ', () => pour(s, Buffer.alloc(65_536, 'y'), 64 * 2 ** 20)),
    status: null,
    error: 'response_too_large',
  },
};

describe('what receivers do wrong', () => {
  for (const [what, { act, error, status }] of Object.entries(ANSWERS)) {
    test(`one that ${what}: ${error ?? status}`, async () => {
      const result = await attempt(`http://127.0.0.1:${await receiver(act)}`);
      assert.deepEqual([result.status, result.error], [status, error]);
    });
  }

  test('nobody listens: connection_error', async () => {
    const port = await receiver(() => {});
    servers.pop()!.close();
    assert.equal((await attempt(`http://127.0.0.1:${port}`)).error, 'connection_error');
  });

  test('the name does not resolve: dns_error', async () => {
    assert.equal((await attempt('http://unknown.test')).error, 'dns_error');
  });

  test('a name server that never answers costs the timeout', async () => {
    const silent = new Transport(new NetworkGuard({ allowPrivateTargets: true, resolve: () => new Promise(() => {}) }), Date.now);
    const began = performance.now();
    const result = await silent.post({ origin: 'http://slow.test', path: '/', body: Buffer.from('1'), headers: {}, timeoutMs: 100 });
    assert.equal(result.error, 'timeout');
    assert.ok(performance.now() - began < 100 + SLACK_MS);
    await silent.close();
  });

  test('1 GB of body: the status counts, and a small part is taken', async () => {
    let poured = { taken: 0 };
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n';
    const port = await receiver((socket) => void socket.write(head, () => (poured = pour(socket, Buffer.alloc(65_536, 'x'), 2 ** 30))));
    const memory = process.memoryUsage().rss;
    const result = await attempt(`http://127.0.0.1:${port}`);
    assert.deepEqual([result.status, result.error, result.responseBody.length], [200, null, LIMITS.storedResponseBytes]);
    assert.ok(poured.taken < 32 * 2 ** 20, `${poured.taken} bytes were taken`); // what fits the buffers of two sockets
    assert.ok(process.memoryUsage().rss - memory < 64 * 2 ** 20);
  });

  test('a kept connection that the receiver closes between two requests costs at most that one', async () => {
    let requests = 0;
    const port = await receiver(() => {});
    servers.at(-1)!.removeAllListeners('connection');
    servers.at(-1)!.on('connection', (socket: Socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        requests += 1;
        socket.write(OK);
        if (requests % 3 === 0) socket.end(); // answered, and closed right behind the answer
      });
    });
    const errors: (AttemptError | null)[] = [];
    for (let n = 0; n < 60; n++) errors.push((await attempt(`http://127.0.0.1:${port}`)).error);
    const failed = errors.filter((error) => error !== null);
    assert.ok(
      failed.every((error) => error === 'connection_error'),
      String(failed),
    );
    assert.ok(failed.length <= 20, 'no more than were closed');
  });
});

describe('TLS', () => {
  const cases: Record<string, [certificate: string, error: AttemptError | null]> = {
    'a certificate of a known authority': [VALID, null],
    'one that has expired': [EXPIRED, 'tls_error'],
    'one for another host': [OTHER_HOST, 'tls_error'],
    'one that signed itself': [SELF_SIGNED, 'tls_error'],
  };
  for (const [what, [certificate, error]] of Object.entries(cases)) {
    test(`${what}: ${error ?? 'delivered'}`, async () => {
      const port = await receiver((socket) => void socket.write(OK), certificate);
      assert.equal((await attempt(`https://receiver.test:${port}`)).error, error);
    });
  }

  test('no TLS on the other side: tls_error', async () => {
    const port = await receiver((socket) => void socket.write('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'));
    assert.equal((await attempt(`https://receiver.test:${port}`)).error, 'tls_error');
  });

  test('a handshake that never ends: timeout', async () => {
    const port = await receiver(() => {});
    assert.equal((await attempt(`https://receiver.test:${port}`)).error, 'timeout');
  });
});
