import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** One connection of a node, and the one behind it. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes were swallowed: nothing may pass any more, or the two sides would misread each other. */
  dead: boolean;
  /** When the last packet that is being held back is let through, for each direction: later ones must not overtake it. */
  readonly passAt: Map<Socket, number>;
}

/** The way between one node and the database. It can delay, lose answers, be cut, and swallow silently. */
export class DatabaseProxy {
  /** The database's port now; a promotion changes it. */
  readonly #target: () => number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #delayMs = 0;
  #isCut = false;
  #isSwallowing = false;
  #isLosingAnswers = false;

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((client) => this.#take(client));
  }

  static async start(target: () => number): Promise<DatabaseProxy> {
    const proxy = new DatabaseProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Connections that swallowed something and that the node has not given up yet. */
  get deadConnections(): number {
    let dead = 0;
    for (const pair of this.#pairs) if (pair.dead && !pair.client.destroyed) dead += 1;
    return dead;
  }

  /** Holds back every packet for so long; 0 for none. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Breaks all connections with a reset, and refuses new ones until `mend`. */
  cut(): void {
    this.#isCut = true;
    this.#breakAll();
  }

  /**
   * A host that vanishes without a word: what is sent in either direction is gone, and connections stay open. Those
   * that lost something stay dead after `mend`, as they would.
   */
  swallow(): void {
    this.#isSwallowing = true;
    for (const pair of this.#pairs) pair.dead = true;
  }

  /** Statements arrive and are done, and their answers are lost; ends with a cut. */
  loseAnswers(): void {
    this.#isLosingAnswers = true;
  }

  mend(): void {
    this.#delayMs = 0;
    this.#isCut = false;
    this.#isSwallowing = false;
    if (this.#isLosingAnswers) this.#breakAll();
    this.#isLosingAnswers = false;
  }

  /** Breaks all connections once; new ones are taken. */
  #breakAll(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#breakAll();
    await once(this.#server, 'close');
  }

  #take(client: Socket): void {
    if (this.#isCut) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#target(), host: '127.0.0.1' });
    const pair: Pair = { client, server, dead: this.#isSwallowing, passAt: new Map() };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => this.#pass(pair, to, chunk));
      from.on('error', () => {}); // its close follows
    }
    client.on('close', () => {
      this.#pairs.delete(pair);
      server.destroy();
    });
    // The database's goodbye is lost too while it is swallowing.
    server.on('close', () => {
      if (!pair.dead) client.destroy();
    });
  }

  #pass(pair: Pair, to: Socket, chunk: Buffer): void {
    if (pair.dead || (this.#isLosingAnswers && to === pair.client)) return;
    const passAt = Math.max(performance.now() + this.#delayMs, pair.passAt.get(to) ?? 0);
    const wait = passAt - performance.now();
    if (wait <= 0) {
      to.write(chunk);
      return;
    }
    // A little later than the one before it: timers of one moment run in the order in which they were set.
    pair.passAt.set(to, passAt + 0.001);
    setTimeout(() => {
      if (!pair.dead && !to.destroyed) to.write(chunk);
    }, Math.ceil(wait));
  }
}
