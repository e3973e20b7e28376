import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of the bytes: they arrive; they vanish without a word; the connection is reset; PostgreSQL refuses with a SQLSTATE. */
export type ProxyMode = 'pass' | 'swallow' | 'reset' | { readonly refuse: string };

/** A line to a server that can go wrong in every way that a network and a failover know. */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mode: ProxyMode = 'pass';

  private constructor(server: Server, target: { readonly host: string; readonly port: number }) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', (client) => this.#accept(client, target));
  }

  /** In front of the server of this URL. */
  static async start(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const server = createServer({ pauseOnConnect: false }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, { host: hostname, port: Number(port) });
  }

  /** The same URL through this proxy. */
  url(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(this.port);
    return through.href;
  }

  /** From now on, also for connections that exist; what was swallowed stays lost, as its connection does. */
  set mode(mode: ProxyMode) {
    this.#mode = mode;
    if (mode === 'pass' || mode === 'swallow') return;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, target: { readonly host: string; readonly port: number }): void {
    this.#watch(client);
    const mode = this.#mode;
    if (mode === 'reset') {
      client.resetAndDestroy();
      return;
    }
    if (typeof mode === 'object') {
      client.once('data', () => client.end(errorResponse(mode.refuse)));
      return;
    }
    if (mode === 'swallow') {
      client.resume(); // never answered, also when the line is well again: nobody there knows of it
      return;
    }
    const server = connect(target);
    this.#watch(server);
    // A connection that lost a byte is dead for ever, as with a host that came back without memory of it.
    let isDead = false;
    const forward = (from: Socket, to: Socket) => {
      from.on('data', (chunk) => {
        isDead ||= this.#mode === 'swallow';
        if (!isDead) to.write(chunk);
      });
      from.on('close', () => {
        if (!isDead) to.destroy();
      });
    };
    forward(client, server);
    forward(server, client);
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** A FATAL answer of the PostgreSQL protocol: type, length, fields of a letter and a text, and a zero. */
function errorResponse(code: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0Mrefused by the proxy\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
