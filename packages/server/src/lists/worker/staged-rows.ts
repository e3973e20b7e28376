import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * The checked rows between upload and processing. Each frame is: length of the text (4 bytes), kind (1 byte), number
 * (8 bytes, a double), text (the customer's columns as one CSV record without line end). The first frame is the header.
 */
export const ROW_KIND = { valid: 0, invalid: 1, foreign: 2, duplicate: 3, header: 255 } as const;

const HEAD_BYTES = 13;
const BUFFER_BYTES = 1 << 20;

export class StagedWriter {
  readonly #file: number;
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  #position = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w', 0o600);
  }

  write(kind: number, number: number, text: string): void {
    const most = HEAD_BYTES + text.length * 3; // UTF-16 units to UTF-8 bytes
    if (this.#used + most > this.#buffer.length) {
      this.#flush();
      if (most > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(most);
    }
    const start = this.#used;
    const bytes = this.#buffer.write(text, start + HEAD_BYTES, 'utf8');
    this.#buffer.writeUInt32LE(bytes, start);
    this.#buffer[start + 4] = kind;
    this.#buffer.writeDoubleLE(number, start + 5);
    this.#used = start + HEAD_BYTES + bytes;
  }

  /** Forgets what was written. */
  restart(): void {
    this.#used = 0;
    ftruncateSync(this.#file);
    this.#position = 0;
  }

  close(): void {
    try {
      this.#flush();
    } finally {
      closeSync(this.#file);
    }
  }

  /** Closes without caring for what is in the buffer: the file is about to be removed. */
  abandon(): void {
    closeSync(this.#file);
  }

  #flush(): void {
    writeAll(this.#file, this.#buffer.subarray(0, this.#used), this.#position);
    this.#position += this.#used;
    this.#used = 0;
  }
}

/** `writeSync` may write less than it was given, such as on a disk that is nearly full. */
export function writeAll(file: number, bytes: Buffer, position: number | null = null): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at, position === null ? null : position + at);
}

export interface StagedRow {
  readonly kind: number;
  readonly number: number;
  /** A view that is valid until the next block is read. */
  readonly text: Buffer;
}

/** Gives the rows in blocks of about `blockBytes`. */
export function* readStagedRows(path: string, blockBytes: number): Generator<StagedRow[]> {
  const file = openSync(path, 'r');
  try {
    let buffer = Buffer.allocUnsafe(blockBytes);
    let filled = 0;
    for (;;) {
      const read = readSync(file, buffer, filled, buffer.length - filled, null);
      filled += read;
      const rows: StagedRow[] = [];
      let at = 0;
      let needed = 0;
      while (at + HEAD_BYTES <= filled) {
        const length = buffer.readUInt32LE(at);
        const end = at + HEAD_BYTES + length;
        needed = end - at;
        if (end > filled) break;
        rows.push({ kind: buffer[at + 4]!, number: buffer.readDoubleLE(at + 5), text: buffer.subarray(at + HEAD_BYTES, end) });
        at = end;
      }
      if (rows.length > 0) yield rows;
      if (read === 0) {
        if (at < filled) throw new Error('The staged rows are cut off.');
        return;
      }
      // The buffer is used again: the next block overwrites this one's rows.
      const rest = buffer.subarray(at, filled);
      if (needed > buffer.length) buffer = Buffer.concat([rest], needed);
      else buffer.copyWithin(0, at, filled);
      filled = rest.length;
    }
  } finally {
    closeSync(file);
  }
}

const NEEDS_QUOTES = /[",\r\n]/;

/** One CSV record without line end (RFC 4180). */
export function csvRecord(fields: readonly string[]): string {
  let record = '';
  for (let i = 0; i < fields.length; i++) {
    if (i > 0) record += ',';
    record += csvField(fields[i]!);
  }
  return record;
}

export function csvField(field: string): string {
  return NEEDS_QUOTES.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
