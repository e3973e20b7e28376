import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { freePort } from '../free-port.ts';
import { now } from './troubles.ts';

/** How a receiver behaves for a while. */
export const BEHAVIOURS = ['ok', 'fail', 'busy', 'slow', 'stall', 'reset', 'half', 'gone'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** One request that a receiver got, and the answer that it really gave. Times are the runner's. */
export interface ReceivedRequest {
  /** Is in the answer's body, so that a recorded attempt names the very request that it was. */
  readonly id: number;
  /** Names the endpoint: the first part of the path. */
  readonly endpoint: string;
  readonly node: number;
  /** The run's own name for the event. */
  readonly event: string;
  /** As far as the dialect says it. */
  readonly deliveryId: string | null;
  readonly arrivedAt: number;
  /** Its connection had carried another request before. */
  readonly isReused: boolean;
  /** The status of a complete answer, and when it was handed over; null while there is none. */
  status: number | null;
  answeredAt: number | null;
  /** When the exchange was over, with or without an answer: until then it was in flight. */
  closedAt: number | null;
  /** The receiver cut the connection before the first byte of an answer. */
  isCut: boolean;
}

const ADDRESS_PREFIX = '127.0.1.';
const SLOW_MS = { least: 300, most: 6_000 };
const PORT_TRIES = 20;

/** The loopback address by which a node's requests are known. */
export function addressOf(node: number): string {
  return `${ADDRESS_PREFIX}${node + 1}`;
}

/** All receivers of a run: each endpoint has a host name and a behaviour of its own; every request is kept. */
export class Receivers {
  readonly requests: ReceivedRequest[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  /** [0, 1): how long a slow one takes. */
  random: () => number = Math.random;
  port = 0;
  #servers: Server[] = [];
  #open = new Map<ServerResponse, ReceivedRequest>();
  readonly #used = new WeakSet<object>();

  /** Listens for each node on its own address, on one port. */
  static async start(nodes: number): Promise<Receivers> {
    const receivers = new Receivers();
    for (let tries = 1; ; tries++) {
      receivers.port = await freePort();
      try {
        for (let node = 0; node < nodes; node++) await receivers.#listen(node);
        return receivers;
      } catch (error) {
        for (const server of receivers.#servers) server.close();
        receivers.#servers = [];
        if (tries === PORT_TRIES) throw error;
      }
    }
  }

  /** From here on everybody answers, also those who were silent so far. */
  recover(): void {
    this.behaviours.clear();
    for (const [response, entry] of this.#open) {
      entry.isCut = !response.headersSent;
      response.destroy();
    }
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  async #listen(node: number): Promise<void> {
    const server = createServer((request, response) => this.#take(node, request, response));
    server.listen(this.port, addressOf(node));
    await once(server, 'listening'); // rejects with what goes wrong
    this.#servers.push(server);
  }

  #take(node: number, request: IncomingMessage, response: ServerResponse): void {
    const arrivedAt = now();
    const isReused = this.#used.has(request.socket);
    this.#used.add(request.socket);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const endpoint = (request.url ?? '').split('/')[1]!;
      const event = /"m":"([^"]+)"/.exec(Buffer.concat(chunks).toString('utf8'))?.[1];
      if (event === undefined) {
        response.writeHead(200).end(); // the ping at a registration
        return;
      }
      const headers = request.headers;
      const deliveryId = String(
        headers['x-optimaldial-delivery-id'] ?? headers['x-outboundiq-delivery-id'] ?? headers['x-dialnexa-delivery-id'] ?? '',
      );
      const entry: ReceivedRequest = {
        id: this.requests.length,
        endpoint,
        node,
        event,
        deliveryId: deliveryId === '' ? null : deliveryId,
        arrivedAt,
        isReused,
        status: null,
        answeredAt: null,
        closedAt: null,
        isCut: false,
      };
      this.requests.push(entry);
      this.#open.set(response, entry);
      response.on('close', () => {
        entry.closedAt = now();
        this.#open.delete(response);
      });
      this.#answer(this.behaviours.get(endpoint) ?? 'ok', entry, response);
    });
  }

  #answer(behaviour: Behaviour, entry: ReceivedRequest, response: ServerResponse): void {
    const answer = (status: number, headers: Record<string, string> = {}) => {
      if (response.destroyed) return;
      response.on('finish', () => {
        entry.status = status;
        entry.answeredAt = now();
      });
      response.writeHead(status, headers).end(`r${entry.id}`);
    };
    switch (behaviour) {
      case 'ok':
        return answer(200);
      case 'fail':
        return answer(500);
      case 'busy':
        return answer(entry.id % 2 === 0 ? 503 : 429, { 'retry-after': '1' });
      case 'gone':
        return answer(410);
      case 'slow':
        setTimeout(() => answer(200), SLOW_MS.least + this.random() * (SLOW_MS.most - SLOW_MS.least));
        return;
      case 'stall':
        return; // until the sender gives up, or the run ends
      case 'reset':
        entry.isCut = true;
        response.socket?.resetAndDestroy();
        return;
      case 'half':
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        response.socket?.destroySoon();
        return;
      default:
        behaviour satisfies never;
    }
  }
}
