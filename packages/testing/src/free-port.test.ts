import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { freePort } from './free-port.ts';

const CONNECTIONS = 200;

test('a free port can be listened on, and is none that outgoing connections are given', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: target } = server.address() as AddressInfo;
  const outgoing = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = connect(target, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    }),
  );
  const least = Math.min(...outgoing.map((socket) => socket.localPort!));
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  for (const socket of outgoing) socket.destroy();
  server.close();
  assert.ok(Math.max(...ports) < least, `${Math.max(...ports)} is below ${least}`);
  const again = createServer().listen(ports[0], '127.0.0.1');
  await once(again, 'listening');
  again.close();
});
