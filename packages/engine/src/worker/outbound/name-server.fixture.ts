import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** What a test's name server does with a question: the addresses with a time to live, an error, or silence. */
export type Behaviour = { readonly addresses: readonly string[]; readonly ttl?: number } | 'not-found' | 'failure' | 'silent';

const CODES = { 'not-found': 3, failure: 2 } as const;

/** A name server on loopback, over UDP: the part of DNS that a resolver needs. */
export class TestNameServer {
  readonly asked: string[] = [];
  readonly #socket = createSocket('udp4');
  /** Gets names in lower case; the type is `A`, `AAAA` or a number. */
  behaviour: (name: string, type: string) => Behaviour;

  constructor(behaviour: (name: string, type: string) => Behaviour) {
    this.behaviour = behaviour;
    this.#socket.on('message', (query, from) => {
      const answer = this.#answer(query);
      if (answer !== null) this.#socket.send(answer, from.port, from.address);
    });
  }

  async start(): Promise<string> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer | null {
    const labels: string[] = [];
    let at = 12;
    while (query[at] !== 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
      at += 1 + query[at]!;
    }
    const number = query.readUInt16BE(at + 1);
    const type = number === 1 ? 'A' : number === 28 ? 'AAAA' : String(number);
    const name = labels.join('.').toLowerCase();
    this.asked.push(`${name} ${type}`);
    const behaviour = this.behaviour(name, type);
    if (behaviour === 'silent') return null;
    const { addresses, ttl = 60 } = typeof behaviour === 'string' ? { addresses: [] } : behaviour;
    const data = addresses.filter((address) => address.includes(':') === (type === 'AAAA')).map(bytesOf);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 + (typeof behaviour === 'string' ? CODES[behaviour] : 0), 2);
    header.writeUInt16BE(type === 'A' || type === 'AAAA' ? data.length : 0, 6);
    header.fill(0, 8);
    const records = type === 'A' || type === 'AAAA' ? data : [];
    return Buffer.concat([
      header,
      query.subarray(12, at + 5),
      ...records.flatMap((bytes) => [recordHead(number, ttl, bytes.length), bytes]),
    ]);
  }
}

function recordHead(type: number, ttl: number, length: number): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, length]);
  head.writeUInt32BE(ttl, 6);
  return head;
}

/** IPv6 addresses are written out in full here: eight groups. */
function bytesOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );
}
