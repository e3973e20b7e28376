import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { UploadRefused } from '../model.ts';
import { findSheet, readDateStyles, readSharedTexts } from './workbook/parts.ts';
import { readSheet } from './workbook/sheet.ts';
import { ZipArchive } from './workbook/zip.ts';

/** The first bytes of every ZIP archive, which a workbook is. */
const ZIP = Buffer.from('PK\u0003\u0004', 'latin1');
/** The first bytes of a workbook from before 2007. */
const OLD_WORKBOOK = Buffer.from('d0cf11e0a1b11ae1', 'hex');

export interface WorkbookBounds {
  /** Bytes of all that is unpacked. */
  readonly maxUnpackedBytes: number;
  readonly maxCells: number;
  readonly maxColumns: number;
}

/** Whether a file is a workbook (XLSX). Throws `UploadRefused` for the format before it. */
export function isWorkbook(path: string): boolean {
  const beginning = Buffer.alloc(OLD_WORKBOOK.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, beginning);
  } finally {
    closeSync(file);
  }
  if (beginning.equals(OLD_WORKBOOK)) throw new UploadRefused(400, 'file is an old Excel workbook (XLS): save it as XLSX or CSV');
  return beginning.subarray(0, ZIP.length).equals(ZIP);
}

/** Gives the rows of a workbook's first sheet that are not empty, as text, with the numbers that the workbook shows. Throws `UploadRefused`. */
export function readWorkbook(path: string, bounds: WorkbookBounds, onRow: (cells: string[], number: number) => void): void {
  const archive = new ZipArchive(readFileSync(path), bounds.maxUnpackedBytes);
  const { file, is1904 } = findSheet(archive);
  const { maxCells, maxColumns } = bounds;
  readSheet(archive, {
    file,
    is1904,
    sharedTexts: readSharedTexts(archive),
    dateStyles: readDateStyles(archive),
    maxCells,
    maxColumns,
    onRow,
  });
}
