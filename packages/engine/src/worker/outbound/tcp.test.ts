import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, isIP } from 'node:net';
import { after, before, test } from 'node:test';
import { Reach } from './reach.ts';
import { connectTcp } from './tcp.ts';

const server = createServer((socket) => socket.on('error', () => {}));
let port: number;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
after(() => server.close());

function connect(addresses: readonly string[], signal = AbortSignal.timeout(10_000)) {
  const dial = { addresses: addresses.map((address) => ({ address, family: isIP(address) })), port, blockList: () => undefined };
  return connectTcp(dial, new Reach(), signal);
}

test('an address that refuses, and one that is silent or leads nowhere, make way for the next', async () => {
  // 127.0.0.2 refuses, since the server listens on one address alone; 192.0.2.1 is nobody's (TEST-NET-1).
  for (const addresses of [
    ['127.0.0.1'],
    ['127.0.0.2', '127.0.0.1'],
    ['192.0.2.1', '127.0.0.1'],
    ['2001:db8::1', '192.0.2.1', '::1', '127.0.0.1'],
  ]) {
    const socket = await connect(addresses);
    assert.equal(socket.remoteAddress, '127.0.0.1', String(addresses));
    socket.destroy();
  }
});

test('when all fail it is no trouble of ours; when time is up nothing is left', async () => {
  await assert.rejects(connect(['127.0.0.2', '127.0.0.3']), { name: 'ConnectFailed', code: 'ECONNREFUSED', ours: false });
  const over = new Error('over');
  await assert.rejects(connect(['127.0.0.1'], AbortSignal.abort(over)), over);
  const controller = new AbortController();
  const attempt = connect(['127.0.0.1'], controller.signal);
  controller.abort(over);
  await assert.rejects(attempt, over);
});

test('what is ours: no room in this machine, or a network that led somewhere and leads nowhere now', () => {
  const reach = new Reach();
  for (const code of ['EMFILE', 'EADDRNOTAVAIL', 'ENETDOWN']) assert.equal(reach.failed('1.1.1.1', 4, code), true, code);
  for (const code of ['ECONNREFUSED', 'ETIMEDOUT', 'ECONNRESET']) assert.equal(reach.failed('1.1.1.1', 4, code), false, code);
  // A machine without IPv6, and one dead host, whatever a router on the way calls it.
  assert.deepEqual([reach.failed('2606::1', 6, 'ENETUNREACH'), reach.failed('2606::2', 6, 'ENETUNREACH')], [false, false]);
  reach.reached(4);
  assert.deepEqual([reach.failed('1.1.1.1', 4, 'EHOSTUNREACH'), reach.failed('1.1.1.1', 4, 'EHOSTUNREACH')], [false, false]);
  reach.reached(4);
  assert.deepEqual([reach.failed('1.1.1.1', 4, 'EHOSTUNREACH'), reach.failed('1.1.1.2', 4, 'ENETUNREACH')], [false, true]);
  assert.equal(reach.failed('1.1.1.1', 4, 'ENETUNREACH'), true, 'until something is reached');
  reach.reached(4);
  assert.equal(reach.failed('1.1.1.1', 4, 'ENETUNREACH'), false);
});
