import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The raw bytes as text. */
  readonly body: string;
  readonly at: number;
}

/** Decides the answer: a status, or a function that answers (or not) by itself. */
export type Answer = number | ((request: IncomingMessage, response: ServerResponse, received: Received) => void);

/** A real HTTP server on loopback that keeps what it got and answers as it is told. */
export class Receiver {
  readonly received: Received[] = [];
  answer: (received: Received) => Answer = () => 200;
  #waiting: { count: () => boolean; resolve: () => void }[] = [];
  readonly #server = createServer((request, response) => this.#take(request, response));

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Resolves when `condition` holds; it is looked at after each request. Fails after `timeoutMs`. */
  async until(condition: () => boolean, timeoutMs = 20_000): Promise<void> {
    if (condition()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new Error(`The receiver waited ${timeoutMs} ms in vain; it has ${this.received.length} requests.`)),
      timeoutMs,
    );
    this.#waiting.push({ count: condition, resolve });
    await promise.finally(() => clearTimeout(timer));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received: Received = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        at: Date.now(),
      };
      this.received.push(received);
      const answer = this.answer(received);
      if (typeof answer === 'number') response.writeHead(answer).end();
      else answer(request, response, received);
      const done = this.#waiting.filter(({ count }) => count());
      this.#waiting = this.#waiting.filter((entry) => !done.includes(entry));
      for (const { resolve } of done) resolve();
    });
  }
}
