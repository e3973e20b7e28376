import { LIMITS } from '../../core/limits.ts';
import { Llhttp, NEXT, type AnswerListener } from './llhttp.ts';

/** A complete answer. */
export interface Answer {
  readonly status: number;
  /** The beginning of the body, as text that PostgreSQL can store: valid UTF-8 without NUL. */
  readonly body: string;
  readonly retryAfter: string | undefined;
  /** How long the receiver keeps the connection, in seconds; undefined when it does not say. */
  readonly keepAliveSeconds: number | undefined;
  /** Another request may be sent on the connection. */
  readonly reusable: boolean;
}

/** Why an answer is none. */
export type AnswerFault = 'connection_error' | 'response_too_large';

/** Answers longer than this are left to the parser: the common one has a few hundred bytes. */
const SIMPLE_BYTES = 2_048;
/**
 * A head that llhttp accepts beyond doubt: HTTP/1.1, a final status, and headers of plain characters, none folded.
 * A body of a length that is given once, no transfer coding. Everything else is for the parser to judge.
 */
const SIMPLE_HEAD = /^HTTP\/1\.1 ([2-5]\d\d) [\x20-\x7e]*\r\n(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e]*\r\n)+\r\n/;
const TELLING =
  /\r\n(content-length|transfer-encoding|connection|proxy-connection|keep-alive|upgrade|trailer|retry-after):[\t ]*([\t\x20-\x7e]*)/gi;

/** The answer when these bytes are exactly one, and a plain one; null when they are anything else. */
export function readSimple(bytes: Buffer): Answer | null {
  if (bytes.length > SIMPLE_BYTES) return null;
  const text = bytes.toString('latin1');
  const match = SIMPLE_HEAD.exec(text);
  if (match === null) return null;
  const head = match[0];
  const status = Number(match[1]);
  if (status === 204 || status === 304) return null; // never a body, whatever the length says
  let length = -1;
  let retryAfter: string | undefined;
  let keepAlive: string | undefined;
  TELLING.lastIndex = 0;
  for (let header = TELLING.exec(head); header !== null; header = TELLING.exec(head)) {
    const value = header[2]!.trimEnd();
    switch (header[1]!.toLowerCase()) {
      case 'content-length':
        if (length !== -1 || !/^\d{1,9}$/.test(header[2]!)) return null;
        length = Number(value);
        break;
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return null;
        break;
      case 'retry-after':
        retryAfter ??= value;
        break;
      case 'keep-alive':
        keepAlive ??= value;
        break;
      default:
        return null;
    }
  }
  if (head.length + length !== bytes.length) return null;
  const body = storable(bytes.subarray(head.length, head.length + LIMITS.storedResponseBytes));
  return { status, body, retryAfter, keepAliveSeconds: secondsOf(keepAlive), reusable: true };
}

/** Reads any answer, in pieces of any size. */
export class AnswerReader implements AnswerListener {
  readonly #parser = new Llhttp(this);
  #piece: Buffer = Buffer.alloc(0);
  #status = 0;
  #headBytes = 0;
  #bodyBytes = 0;
  #stored: Buffer[] = [];
  #storedBytes = 0;
  #name = '';
  #value = '';
  #isInValue = false;
  #isInHead = true;
  /** A length above 0, or chunks: bytes may follow where the status allows none. */
  #announcesBody = false;
  #retryAfter: string | undefined;
  #keepAlive: string | undefined;
  #isReusable = false;
  #isComplete = false;

  /** The answer once it is complete, why it is none, or null when there is more to come. */
  read(bytes: Buffer): Answer | AnswerFault | null {
    this.#piece = bytes;
    const consumed = this.#parser.read(bytes);
    if (this.#headBytes > LIMITS.responseHeaderBytes) return 'response_too_large';
    if (this.#isComplete) return this.#answer(this.#isReusable && consumed === bytes.length);
    if (consumed === -1) return 'connection_error';
    // The status is known and counts; a receiver that goes on talking costs us its connection, not our memory.
    return this.#bodyBytes > LIMITS.responseBytes ? this.#answer(false) : null;
  }

  /** The receiver closed: an answer without a length ends so. */
  finish(): Answer | AnswerFault {
    return this.#parser.finish() && this.#isComplete ? this.#answer(false) : 'connection_error';
  }

  release(): void {
    this.#parser.release();
  }

  onStatusText(from: number, to: number): void {
    this.#headBytes += to - from;
  }

  onField(from: number, to: number): void {
    if (this.#isInValue) this.#header();
    this.#headBytes += to - from;
    if (this.#headBytes <= LIMITS.responseHeaderBytes) this.#name += this.#piece.toString('latin1', from, to);
  }

  onValue(from: number, to: number): void {
    this.#isInValue = true;
    this.#headBytes += to - from;
    if (this.#headBytes <= LIMITS.responseHeaderBytes) this.#value += this.#piece.toString('latin1', from, to);
  }

  onHead(status: number, isUpgrade: boolean, keepAlive: boolean): number {
    this.#header();
    // Nobody asked for another protocol, nor with `Expect`: such an answer belongs to no request of ours.
    if (isUpgrade || status <= 101) return NEXT.refuse;
    if (status < 200) {
      this.#retryAfter = this.#keepAlive = undefined;
      this.#announcesBody = false;
      return NEXT.noBody;
    }
    this.#status = status;
    this.#isReusable = keepAlive && !((status === 204 || status === 304) && this.#announcesBody);
    this.#isInHead = false; // what comes now is trailers
    return NEXT.goOn;
  }

  onBody(from: number, to: number): void {
    this.#bodyBytes += to - from;
    const room = LIMITS.storedResponseBytes - this.#storedBytes;
    if (room <= 0) return;
    const part = Buffer.from(this.#piece.subarray(from, Math.min(to, from + room)));
    this.#stored.push(part);
    this.#storedBytes += part.length;
  }

  onComplete(): number {
    if (this.#status === 0) return NEXT.goOn; // 1xx: the real answer follows
    this.#isComplete = true;
    return NEXT.stop;
  }

  /** One header is complete. */
  #header(): void {
    const name = this.#name.toLowerCase();
    const value = this.#value.trim();
    this.#name = this.#value = '';
    this.#isInValue = false;
    if (!this.#isInHead) return;
    if (name === 'retry-after') this.#retryAfter ??= value;
    else if (name === 'keep-alive') this.#keepAlive ??= value;
    else if (name === 'transfer-encoding' || (name === 'content-length' && value !== '0')) this.#announcesBody = true;
  }

  #answer(reusable: boolean): Answer {
    const body = storable(Buffer.concat(this.#stored));
    return { status: this.#status, body, retryAfter: this.#retryAfter, keepAliveSeconds: secondsOf(this.#keepAlive), reusable };
  }
}

function storable(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}

/** Of `Keep-Alive: timeout=5, max=100` the first. */
function secondsOf(keepAlive: string | undefined): number | undefined {
  const seconds = keepAlive === undefined ? null : /(?:^|[,\s])timeout=(\d{1,9})(?:$|[,\s])/i.exec(keepAlive);
  return seconds === null ? undefined : Number(seconds[1]);
}
