import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { readSheet } from 'read-excel-file/universal';
import { UploadRefused } from '../model.ts';

/** The first bytes of every ZIP archive, which a workbook is. */
const ZIP = Buffer.from('PK\u0003\u0004', 'latin1');
/** The first bytes of a workbook from before 2007. */
const OLD_WORKBOOK = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** Whether a file is a workbook (XLSX). Throws `UploadRefused` for the format before it. */
export function isWorkbook(path: string): boolean {
  const beginning = readFileSync(path).subarray(0, 8);
  if (beginning.equals(OLD_WORKBOOK)) throw new UploadRefused(400, 'file is an old Excel workbook (XLS): save it as XLSX or CSV');
  return beginning.subarray(0, 4).equals(ZIP);
}

/** The rows of a workbook's first sheet as text. Throws `UploadRefused`. */
export async function readWorkbook(path: string, maxUnpackedBytes: number): Promise<string[][]> {
  const bytes = new Uint8Array(readFileSync(path));
  refuseBomb(bytes, maxUnpackedBytes);
  let rows: (readonly unknown[])[];
  try {
    rows = await readSheet(bytes.buffer);
  } catch {
    throw new UploadRefused(400, 'file is not a workbook that can be read');
  }
  return rows.map((row) =>
    row.map((cell) => (cell instanceof Date ? cell.toISOString() : String((cell ?? '') as string | number | boolean))),
  );
}

/** A few kilobytes can claim to be gigabytes: the archive's own index says how much, and unpacking stops there. */
function refuseBomb(bytes: Uint8Array, maxUnpackedBytes: number): void {
  let total = 0;
  try {
    unzipSync(bytes, { filter: ({ originalSize }) => ((total += originalSize), false) });
  } catch {
    throw new UploadRefused(400, 'file is not a workbook that can be read');
  }
  if (total > maxUnpackedBytes) throw new UploadRefused(400, 'file is too large once it is unpacked');
}
