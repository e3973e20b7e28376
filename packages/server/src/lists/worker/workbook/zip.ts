import { Inflate } from 'fflate';
import { UploadRefused } from '../../model.ts';

/** One file of an archive, still compressed. */
interface Entry {
  readonly method: number;
  readonly compressed: Uint8Array;
  /** What the archive claims. */
  readonly size: number;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
/** An archive may end with a comment of this many bytes. */
const COMMENT_BYTES = 65_535;
/** Files of an archive: a workbook has a few for each sheet. */
const MAX_ENTRIES = 10_000;
const STORED = 0;
const DEFLATED = 8;
/** Compressed bytes that are unpacked in one step: a step gives at most about a thousand times as many. */
const STEP_BYTES = 1_024;

/**
 * The files of a ZIP archive in memory, unpacked while they are read and bounded by what comes out, not by what the archive claims. Only
 * what a workbook needs: no encryption, no archives above 4 GB.
 */
export class ZipArchive {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #maxBytes: number;
  #unpacked = 0;

  /** Throws `UploadRefused` for what is no archive, and for one that claims to hold more than `maxBytes`. */
  constructor(bytes: Uint8Array, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#entries = readDirectory(bytes);
    let claimed = 0;
    for (const { size } of this.#entries.values()) claimed += size;
    if (claimed > maxBytes) throw tooLarge();
  }

  /** Gives a file's content to `take`, part by part; false when there is no such file. Throws `UploadRefused` beyond the bound. */
  read(name: string, take: (part: Uint8Array) => void): boolean {
    const entry = this.#entries.get(name);
    if (entry === undefined) return false;
    const counted = (part: Uint8Array) => {
      this.#unpacked += part.length;
      if (this.#unpacked > this.#maxBytes) throw tooLarge();
      if (part.length > 0) take(part);
    };
    if (entry.method === STORED) counted(entry.compressed);
    else inflate(entry.compressed, counted);
    return true;
  }
}

export function notAWorkbook(why?: string): UploadRefused {
  return new UploadRefused(400, `file is not a workbook that can be read${why === undefined ? '' : `: ${why}`}`);
}

function tooLarge(): UploadRefused {
  return new UploadRefused(400, 'file is too large once it is unpacked');
}

function inflate(compressed: Uint8Array, take: (part: Uint8Array) => void): void {
  let parts: Uint8Array[] = [];
  const inflater = new Inflate((part) => void parts.push(part));
  for (let at = 0; at < compressed.length; at += STEP_BYTES) {
    const end = at + STEP_BYTES;
    try {
      inflater.push(compressed.subarray(at, end), end >= compressed.length);
    } catch {
      throw notAWorkbook('its archive is damaged');
    }
    for (const part of parts) take(part);
    parts = [];
  }
}

/** The archive's own index, which stands at its end. */
function readDirectory(bytes: Uint8Array): Map<string, Entry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const end = findEnd(view);
    const count = view.getUint16(end + 10, true);
    if (count > MAX_ENTRIES) throw notAWorkbook();
    const entries = new Map<string, Entry>();
    let at = view.getUint32(end + 16, true);
    for (let n = 0; n < count; n++) {
      if (view.getUint32(at, true) !== CENTRAL) throw notAWorkbook();
      const [method, packed, size] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
      const nameLength = view.getUint16(at + 28, true);
      const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength));
      const local = view.getUint32(at + 42, true);
      if (view.getUint32(local, true) !== LOCAL || (method !== STORED && method !== DEFLATED)) throw notAWorkbook();
      const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      entries.set(name, { method, compressed: bytes.subarray(start, start + packed), size });
      at += CENTRAL_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    return entries;
  } catch (error) {
    if (error instanceof UploadRefused) throw error;
    throw notAWorkbook(); // a RangeError: it points beyond its own end
  }
}

function findEnd(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - COMMENT_BYTES); at--) if (view.getUint32(at, true) === END) return at;
  throw notAWorkbook();
}
