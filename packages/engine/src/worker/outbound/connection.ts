import type net from 'node:net';
import { AnswerReader, readSimple, type Answer, type AnswerFault } from './answer.ts';

/** Why an exchange on a connection gave no answer. */
export interface Broken {
  /** A code of `node:net` or `node:tls`, or of an answer that is none. */
  readonly code: string;
  /** Not one byte of an answer had come: on a kept connection that is the receiver closing it just then. */
  readonly before: boolean;
}

/** Who sends a request on a connection. */
export interface Sending {
  /** The request's head, each character a byte. */
  readonly head: string;
  readonly body: Buffer;
  /** The answer is complete. The connection is free for another when `connection.isUsable`. */
  answered(connection: Connection, answer: Answer): void;
  broke(connection: Connection, broken: Broken): void;
}

/** Bodies up to this size are copied behind their head: cheaper than giving the kernel two pieces. */
const COPIED_BYTES = 16 * 1024;

/** One HTTP/1.1 connection: one request and its answer at a time. Ends itself as soon as anything is not as it must be. */
export class Connection {
  readonly #socket: net.Socket;
  /** Called once, when the connection is gone and nobody waits for an answer on it. */
  readonly #onGone: (connection: Connection) => void;
  #sending: Sending | null = null;
  #reader: AnswerReader | null = null;
  #isUsable = true;
  /** The origin that it leads to. */
  readonly origin: string;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
  /** Answers that were read. */
  answers = 0;

  /** `socket`: connected; its bytes are given to `receive` by whoever made it. */
  constructor(socket: net.Socket, origin: string, openedAt: number, onGone: (connection: Connection) => void) {
    this.#socket = socket;
    this.origin = origin;
    this.openedAt = openedAt;
    this.#onGone = onGone;
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message));
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#fail('closed'));
    if (socket.destroyed || socket.readableEnded) this.#isUsable = false; // its events are over
  }

  /** It can carry another request. */
  get isUsable(): boolean {
    return this.#isUsable && this.#sending === null;
  }

  /** One write for head and body. What the receiver does not take waits here, and no other request is put behind it. */
  send(sending: Sending): void {
    this.#sending = sending;
    const { body, head } = sending;
    if (body.length > COPIED_BYTES) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
      return;
    }
    const bytes = Buffer.allocUnsafe(head.length + body.length);
    bytes.write(head, 'latin1');
    body.copy(bytes, head.length);
    this.#socket.write(bytes);
  }

  receive(bytes: Buffer): void {
    const sending = this.#sending;
    if (sending === null) {
      this.#fail('unasked');
      return;
    }
    if (this.#reader === null) {
      const simple = readSimple(bytes);
      if (simple !== null) {
        this.#complete(sending, simple);
        return;
      }
      this.#reader = new AnswerReader();
    }
    this.#judge(sending, this.#reader.read(bytes));
  }

  /** Breaks it; whoever waits for an answer is not told. */
  destroy(): void {
    this.#isUsable = false;
    this.#sending = null;
    this.#release();
    this.#socket.destroy();
  }

  #judge(sending: Sending, verdict: Answer | AnswerFault | null): void {
    if (verdict === null) return;
    if (typeof verdict === 'string') this.#fail(verdict);
    else this.#complete(sending, verdict);
  }

  #complete(sending: Sending, answer: Answer): void {
    this.#release();
    this.#sending = null;
    this.answers += 1;
    // An answer that came before the request was taken in full: the rest of it would be read as the next one.
    if (!answer.reusable || this.#socket.writableLength > 0) this.destroy();
    sending.answered(this, answer);
  }

  /** The receiver closed its side. */
  #ended(): void {
    const sending = this.#sending;
    if (sending === null || this.#reader === null) this.#fail('closed');
    else this.#judge(sending, this.#reader.finish());
  }

  #fail(code: string): void {
    const wasUsable = this.#isUsable;
    const sending = this.#sending;
    const before = this.#reader === null;
    this.destroy();
    if (sending !== null) sending.broke(this, { code, before });
    else if (wasUsable) this.#onGone(this);
  }

  #release(): void {
    this.#reader?.release();
    this.#reader = null;
  }
}
