import { strict as assert } from 'node:assert';
// Not a documented part of undici, whose version is pinned for it. The one in Node itself (`process.binding`) is
// deprecated, and parsers written in JavaScript accept malformed answers that this one refuses.
import bytes from 'undici/lib/llhttp/llhttp-wasm.js';

/** What is told of an answer while it is read. Offsets are into the bytes that were given to `read`. */
export interface AnswerListener {
  onStatusText(from: number, to: number): void;
  onField(from: number, to: number): void;
  onValue(from: number, to: number): void;
  /** Returns what follows: `Next`. */
  onHead(status: number, isUpgrade: boolean, keepAlive: boolean): number;
  onBody(from: number, to: number): void;
  onComplete(): number;
}

/** What llhttp does after a head or at an answer's end. */
export const NEXT = { goOn: 0, noBody: 1, refuse: -1, stop: 21 } as const;

interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, from: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_error_pos(parser: number): number;
}

const TYPE_RESPONSE = 2;
/** Bytes that are parsed at once; what a socket gives in one piece. */
const WINDOW = 64 * 1024;

/** Every call into the module is synchronous: one parser runs at a time, and is told by these. */
let listener: AnswerListener | null = null;

const told = (tell: (to: AnswerListener, from: number, end: number) => void) => (_parser: number, at: number, length: number) => {
  tell(listener!, at - window, at - window + length);
  return 0;
};

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), {
  env: {
    wasm_on_url: () => 0,
    wasm_on_message_begin: () => 0,
    wasm_on_status: told((to, from, end) => to.onStatusText(from, end)),
    wasm_on_header_field: told((to, from, end) => to.onField(from, end)),
    wasm_on_header_value: told((to, from, end) => to.onValue(from, end)),
    wasm_on_body: told((to, from, end) => to.onBody(from, end)),
    wasm_on_headers_complete: (_parser: number, status: number, upgrade: number, keepAlive: number) =>
      listener!.onHead(status, upgrade === 1, keepAlive === 1),
    wasm_on_message_complete: () => listener!.onComplete(),
  },
});
const llhttp = exports as unknown as Exports;
llhttp._initialize();
const window = llhttp.malloc(WINDOW);
assert.ok(window > 0, 'llhttp has memory for its input');

/** Parsers that nobody uses; about 100 bytes each, and never more than answers were read at once. */
const free: number[] = [];

/** A strict HTTP/1 parser for one answer after the other of one connection: Node's own, as WebAssembly. */
export class Llhttp {
  readonly #parser: number;
  readonly #listener: AnswerListener;

  constructor(to: AnswerListener) {
    this.#listener = to;
    this.#parser = free.pop() ?? llhttp.llhttp_alloc(TYPE_RESPONSE);
  }

  /**
   * Reads at most `WINDOW` bytes. Returns how many were read, fewer when the listener said `stop`, or -1 when they are
   * not HTTP.
   */
  read(input: Uint8Array): number {
    assert.ok(input.length <= WINDOW);
    new Uint8Array(llhttp.memory.buffer, window, input.length).set(input);
    listener = this.#listener;
    const result = llhttp.llhttp_execute(this.#parser, window, input.length);
    listener = null;
    if (result === 0) return input.length;
    return result === NEXT.stop ? llhttp.llhttp_get_error_pos(this.#parser) - window : -1;
  }

  /** The sender closed. True when that is an answer's proper end, or between answers. */
  finish(): boolean {
    listener = this.#listener;
    const result = llhttp.llhttp_finish(this.#parser);
    listener = null;
    return result === 0 || result === NEXT.stop;
  }

  /** Gives the parser back; nothing may be called after this. */
  release(): void {
    llhttp.llhttp_reset(this.#parser);
    free.push(this.#parser);
  }
}
