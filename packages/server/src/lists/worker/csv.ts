import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import Papa from 'papaparse';
import { LIST_LIMITS } from '../limits.ts';
import { UploadRefused } from '../model.ts';

export interface CsvConsumer {
  header(columns: string[]): void;
  rows(rows: string[][]): void;
  /** The file is not UTF-8 after all: everything is read again. */
  restart(): void;
}

/** Separators that are tried on the beginning of a file. */
const DELIMITERS = [',', ';', '\t', '|'];
/** What a file is taken for when it is not UTF-8: what Excel writes in the Americas and western Europe. */
const FALLBACK_ENCODING = 'windows-1252';

const READ_BYTES = 1 << 18;

class NotUtf8 extends Error {}

/** Streams a CSV file of any usual separator, line end and encoding. Throws `UploadRefused`. */
export async function readCsv(path: string, consumer: CsvConsumer): Promise<void> {
  try {
    await parse(decode(path, null), consumer);
  } catch (error) {
    if (!(error instanceof NotUtf8)) throw error;
    consumer.restart();
    await parse(decode(path, FALLBACK_ENCODING), consumer);
  }
}

/**
 * The file as text; a byte order mark decides the encoding, then UTF-8, then the one given. Reads into one buffer again and
 * again: a fresh one for each part would be 100 MB of garbage outside of the heap, which is collected late.
 */
function* decode(path: string, encoding: string | null): Generator<string> {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let decoder: TextDecoder | null = null;
    for (;;) {
      const part = buffer.subarray(0, readSync(file, buffer));
      if (decoder === null) {
        decoder = new TextDecoder(encoding ?? byteOrderMark(part) ?? 'utf-8', { fatal: true });
        if (decoder.encoding === 'utf-8' && part.includes(0)) throw new UploadRefused(400, 'file is not a CSV: it holds binary data');
      }
      yield decodePart(decoder, part.length === 0 ? null : part);
      if (part.length === 0) return;
    }
  } finally {
    closeSync(file);
  }
}

function byteOrderMark(chunk: Buffer): string | null {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf-16le';
  return chunk[0] === 0xfe && chunk[1] === 0xff ? 'utf-16be' : null;
}

function decodePart(decoder: TextDecoder, chunk: Buffer | null): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw new NotUtf8();
  }
}

function parse(text: Generator<string>, consumer: CsvConsumer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const input = Readable.from(counted(text), { objectMode: true });
  let fed = 0;
  let header = true;

  function* counted(parts: Generator<string>): Generator<string> {
    for (const part of parts) {
      if (fed === 0) refuseLongHeader(part);
      fed += part.length;
      if (part !== '') yield part;
    }
  }

  function fail(error: unknown): void {
    input.destroy();
    reject(error);
  }

  input.once('error', reject);
  Papa.parse<string[]>(input, {
    delimitersToGuess: DELIMITERS,
    skipEmptyLines: true,
    chunk: ({ data, errors, meta }, parser) => {
      try {
        const quote = errors.find(({ type }) => type === 'Quotes');
        if (quote !== undefined && meta.cursor >= fed) throw unclosedQuote();
        if (fed - meta.cursor > LIST_LIMITS.rowLength) throw unclosedQuote();
        if (header && data.length > 0) {
          consumer.header(checkedHeader(data.shift()!));
          header = false;
        }
        consumer.rows(data);
      } catch (error) {
        fail(error); // first: an aborted parser also calls `complete`
        parser.abort();
      }
    },
    complete: () => resolve(),
    error: fail,
  });
  return promise;
}

/** The parser makes two of a header that is much longer, without a word. The first part of a file is longer than that, or all of it. */
function refuseLongHeader(beginning: string): void {
  let isQuoted = false;
  for (let at = 0; at < beginning.length; at++) {
    const character = beginning[at]!;
    if (isQuoted) {
      if (character === '"' && beginning[at + 1] !== '"') isQuoted = false;
      else if (character === '"') at += 1;
    } else if (character === '\n' || character === '\r') return;
    else if (character === '"') isQuoted = at === 0 || DELIMITERS.includes(beginning[at - 1]!);
    if (at >= LIST_LIMITS.headerLength)
      throw new UploadRefused(400, `the header of the file may have at most ${LIST_LIMITS.headerLength} characters`);
  }
}

function checkedHeader(columns: string[]): string[] {
  if (columns.length > LIST_LIMITS.columns) throw new UploadRefused(400, `file may have at most ${LIST_LIMITS.columns} columns`);
  return columns;
}

function unclosedQuote(): UploadRefused {
  return new UploadRefused(400, 'file has a quote that never closes, or a row that is longer than 1 MB');
}
