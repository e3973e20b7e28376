import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Systems give outgoing connections a port from 32768 (Linux) or 49152 (the others) on. */
const PORTS = { from: 20_000, below: 32_768 };
const TRIES = 100;

/**
 * A port of the loopback that nobody listens on, and that no outgoing connection is given by the system: a server that is
 * started again later finds it free, also on a machine where others connect all the time.
 */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = randomInt(PORTS.from, PORTS.below);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening'); // rejects when it is taken
    } catch (error) {
      if (tries === TRIES) throw error;
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
