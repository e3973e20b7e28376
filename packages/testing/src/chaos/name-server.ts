import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Names of the run's receivers end so; `.test` is nobody's (RFC 2606). */
export const ZONE = 'chaos.test';
const TYPE_A = 1;
const HEADER_BYTES = 12;
/** Short, so that a stall is felt. */
const TTL_SECONDS = 1;

/**
 * The name server of one node. It gives every name below the zone the node's own loopback address, by which a receiver
 * knows who is calling; and it leaves questions unanswered for the names that are stalled.
 */
export class NameServer {
  readonly #socket: Socket = createSocket('udp4');
  readonly #address: string;
  readonly #stalled: ReadonlySet<string>;

  private constructor(address: string, stalled: ReadonlySet<string>) {
    this.#address = address;
    this.#stalled = stalled;
    this.#socket.on('message', (message, from) => {
      const answer = this.#answer(message);
      if (answer !== null) this.#socket.send(answer, from.port, from.address);
    });
    this.#socket.on('error', () => {});
  }

  /** `stalled` is looked at for each question. */
  static async start(address: string, stalled: ReadonlySet<string>): Promise<NameServer> {
    const server = new NameServer(address, stalled);
    server.#socket.bind(0, '127.0.0.1');
    await once(server.#socket, 'listening');
    return server;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async stop(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #answer(message: Buffer): Buffer | null {
    const labels: string[] = [];
    let at = HEADER_BYTES;
    for (let length = message[at]!; length > 0; length = message[at]!) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
    const question = message.subarray(HEADER_BYTES, at + 5); // the name's end, type and class
    const name = labels.join('.');
    if (this.#stalled.has(name)) return null;
    const exists = name.endsWith(`.${ZONE}`);
    const hasAddress = exists && message.readUInt16BE(at + 1) === TYPE_A;
    const header = Buffer.alloc(HEADER_BYTES);
    message.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (exists ? 0 : 3), 2); // an answer, recursive; 3: there is no such name
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(hasAddress ? 1 : 0, 6);
    if (!hasAddress) return Buffer.concat([header, question]);
    const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, TTL_SECONDS, 0, 4]);
    return Buffer.concat([header, question, record, Buffer.from(this.#address.split('.').map(Number))]);
  }
}
