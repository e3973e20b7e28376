import { fillUuidv7 } from '../core/ids.ts';

/**
 * Array parameters in PostgreSQL's binary form (`array_send`): a header of five 32-bit numbers (dimensions, whether there are
 * nulls, the type of the elements, their count, the first index), then each element's length and bytes. On the hot path
 * the server would spend a fifth of a statement's time on reading ids, times and bytes as text.
 */
const TYPES = { boolean: 16, bytea: 17, int: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const;
const HEADER_BYTES = 20;
/** Of an array without elements: it has no dimension. */
const EMPTY_BYTES = 12;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

/** Buffers, which the driver sends in binary form as they are. */
export type BinaryArray = Buffer;

export function uuidArray(ids: readonly (string | null)[]): BinaryArray {
  return fixedArray(TYPES.uuid, 16, ids, writeUuid);
}

/** New UUIDv7 of one moment. */
export function newIdArray(count: number, timeMs: number): BinaryArray {
  if (count === 0) return uuidArray([]);
  const bytes = startArray(TYPES.uuid, count, 16 * count, false);
  fillUuidv7(bytes, HEADER_BYTES + LENGTH_BYTES, LENGTH_BYTES + 16, count, timeMs);
  for (let at = HEADER_BYTES; at < bytes.length; at += LENGTH_BYTES + 16) bytes.writeInt32BE(16, at);
  return bytes;
}

export function intArray(values: readonly (number | null)[]): BinaryArray {
  return fixedArray(TYPES.int, 4, values, (bytes, at, value) => void bytes.writeInt32BE(value, at));
}

export function booleanArray(values: readonly boolean[]): BinaryArray {
  return fixedArray(TYPES.boolean, 1, values, (bytes, at, value) => void (bytes[at] = value ? 1 : 0));
}

/** Unix milliseconds as an array of `timestamptz`. */
export function timeArray(times: readonly (number | null)[]): BinaryArray {
  return fixedArray(TYPES.timestamptz, 8, times, writeTime);
}

export function textArray(texts: readonly (string | null)[]): BinaryArray {
  return anyArray(TYPES.text, texts, Buffer.byteLength, (bytes, at, text) => void bytes.write(text, at, 'utf8'));
}

export function byteArray(values: readonly (Uint8Array | null)[]): BinaryArray {
  return anyArray(
    TYPES.bytea,
    values,
    (value) => value.byteLength,
    (bytes, at, value) => bytes.set(value, at),
  );
}

function fixedArray<T>(
  type: number,
  size: number,
  values: readonly (T | null)[],
  write: (bytes: Buffer, at: number, value: T) => void,
): Buffer {
  return anyArray(type, values, () => size, write);
}

function anyArray<T>(
  type: number,
  values: readonly (T | null)[],
  sizeOf: (value: T) => number,
  write: (bytes: Buffer, at: number, value: T) => void,
): Buffer {
  let size = 0;
  let hasNull = false;
  for (const value of values)
    if (value === null) hasNull = true;
    else size += sizeOf(value);
  const bytes = startArray(type, values.length, size, hasNull);
  let at = HEADER_BYTES;
  for (const value of values) {
    const length = value === null ? NULL_LENGTH : sizeOf(value);
    bytes.writeInt32BE(length, at);
    at += LENGTH_BYTES;
    if (value === null) continue;
    write(bytes, at, value);
    at += length;
  }
  return bytes;
}

/** The header is written, the rest is not. `size`: the bytes of all elements without their lengths. */
function startArray(type: number, count: number, size: number, hasNull: boolean): Buffer {
  const isEmpty = count === 0;
  const bytes = Buffer.allocUnsafe(isEmpty ? EMPTY_BYTES : HEADER_BYTES + LENGTH_BYTES * count + size);
  bytes.writeInt32BE(isEmpty ? 0 : 1, 0);
  bytes.writeInt32BE(hasNull ? 1 : 0, 4);
  bytes.writeInt32BE(type, 8);
  if (isEmpty) return bytes;
  bytes.writeInt32BE(count, 12);
  bytes.writeInt32BE(1, 16);
  return bytes;
}

/** PostgreSQL counts microseconds from the year 2000. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const TWO_TO_32 = 2 ** 32;

/** Unix milliseconds, whole ones or with a fraction. */
function writeTime(bytes: Buffer, at: number, time: number): void {
  const microseconds = Math.round((time - EPOCH_MS) * 1000);
  const high = Math.floor(microseconds / TWO_TO_32);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(microseconds - high * TWO_TO_32, at + 4);
}

const NO_DIGIT = 255;
/** The value of a hex digit by its character code. */
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
for (let digit = 0; digit < 16; digit++) {
  DIGITS[digit.toString(16).charCodeAt(0)] = digit;
  DIGITS[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** The form that PostgreSQL gives ids in: 36 characters with hyphens. */
function writeUuid(bytes: Buffer, at: number, id: string): void {
  if (id.length !== 36) throw new TypeError(`not a UUID: ${JSON.stringify(id)}`);
  let position = at;
  for (let index = 0; index < 36; index += 2) {
    if (index === 8 || index === 13 || index === 18 || index === 23) index += 1;
    const high = DIGITS[id.charCodeAt(index)] ?? NO_DIGIT;
    const low = DIGITS[id.charCodeAt(index + 1)] ?? NO_DIGIT;
    if (high === NO_DIGIT || low === NO_DIGIT) throw new TypeError(`not a UUID: ${JSON.stringify(id)}`);
    bytes[position++] = (high << 4) | low;
  }
}
