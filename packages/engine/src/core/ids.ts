import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 16 * 256; // one system call for 256 ids
const pool = Buffer.allocUnsafe(POOL_BYTES);
let used = POOL_BYTES;

/** No id carries an earlier time than this: the clock was set back by more than it can wait for. */
let earliest = 0;

export function keepIdsAfter(timeMs: number): void {
  earliest = Math.max(earliest, timeMs);
}

/** A UUIDv7: sorts by time, and carries the day that its row's partition is chosen by. */
export function uuidv7(nowMs: number): string {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + 16);
  used += 16;
  bytes.writeUIntBE(Math.max(nowMs, earliest), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return hyphenate(bytes.toString('hex'));
}

/** `count` UUIDv7 of one moment, 16 bytes each, at every `stride` bytes from `at` on; what lies between is overwritten. */
export function fillUuidv7(bytes: Buffer, at: number, stride: number, count: number, timeMs: number): void {
  randomFillSync(bytes, at, count * stride - (stride - 16));
  for (let position = at; count > 0; count -= 1, position += stride) {
    bytes.writeUIntBE(timeMs, position, 6);
    bytes[position + 6] = (bytes[position + 6]! & 0x0f) | 0x70;
    bytes[position + 8] = (bytes[position + 8]! & 0x3f) | 0x80;
  }
}

/** The least UUID of a moment: every UUIDv7 made before it sorts lower, every later one higher. */
export function uuidFloor(timeMs: number): string {
  return hyphenate(Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0').padEnd(32, '0'));
}

/** Sorts before every id. */
export const FIRST_UUID = '00000000-0000-0000-0000-000000000000';
/** Sorts after every id. */
export const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The Unix milliseconds that a UUIDv7 carries. */
export function uuidTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** 24 hex digits of a UUIDv7 that keep all its randomness, for vendors whose public ids have that form. */
export function shortHex(id: string): string {
  return id.replaceAll('-', '').slice(8);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function hyphenate(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
