import { dateText } from './dates.ts';
import { TextBuilder, unescapeText } from './parts.ts';
import { readXml } from './xml.ts';
import { notAWorkbook, type ZipArchive } from './zip.ts';

export interface SheetOptions {
  readonly file: string;
  readonly is1904: boolean;
  readonly sharedTexts: readonly string[];
  readonly dateStyles: readonly boolean[];
  /** Cells to the right of these columns are not read. */
  readonly maxColumns: number;
  /** Cells in all. */
  readonly maxCells: number;
  /** A row that is not empty, with its number as the workbook shows it. */
  readonly onRow: (cells: string[], number: number) => void;
}

/** The last row of any workbook (Excel's specifications). */
const LAST_ROW = 1_048_576;
/** Digits that a workbook keeps of a number. */
const DIGITS = 15;

/** Streams the rows of a sheet; nothing is made for rows and cells that the sheet leaves out. Throws `UploadRefused`. */
export function readSheet(archive: ZipArchive, options: SheetOptions): void {
  const { maxCells, maxColumns, onRow } = options;
  const builder = new TextBuilder();
  let row = 0;
  let cells: string[] = [];
  let column = -1;
  let type = '';
  let style = 0;
  let value = '';
  let isInValue = false;
  let count = 0;
  const exists = readXml(archive, options.file, {
    open: (name, attributes) => {
      if (name === 'row') {
        row = nextRow(row, attributes.r);
        cells = [];
        column = -1;
      } else if (name === 'c') {
        if (++count > maxCells) throw notAWorkbook(`it has more than ${maxCells} cells`);
        column = attributes.r === undefined ? column + 1 : columnOf(attributes.r);
        type = attributes.t ?? 'n';
        style = Number(attributes.s ?? 0);
        value = '';
        builder.begin();
      } else if (name === 'v') isInValue = true;
      else builder.open(name);
    },
    text: (text) => {
      if (isInValue) value += text;
      else builder.text(text);
    },
    close: (name) => {
      if (name === 'v') isInValue = false;
      else if (name === 'c') {
        if (column >= maxColumns) return;
        const shown = type === 'inlineStr' ? builder.end() : textOf(type, value, style, options);
        if (shown === '') return;
        while (cells.length <= column) cells.push('');
        cells[column] = shown;
      } else if (name === 'row') {
        if (cells.length > 0) onRow(cells, row);
      } else builder.close(name);
    },
  });
  if (!exists) throw notAWorkbook('its sheet is missing');
}

/** Rows are numbered upwards, but may leave out their number. */
function nextRow(last: number, given: string | undefined): number {
  const row = given === undefined ? last + 1 : Number(given);
  if (!Number.isInteger(row) || row <= last || row > LAST_ROW) throw notAWorkbook(`it has no row ${String(given ?? row).slice(0, 20)}`);
  return row;
}

/** 0 for `A7`, 26 for `AA7`. */
function columnOf(reference: string): number {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference)?.[1];
  if (letters === undefined) throw notAWorkbook(`it has no cell ${reference.slice(0, 20)}`);
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

/** A cell as the workbook shows it, but for formats of numbers that are not dates. */
function textOf(type: string, value: string, style: number, { dateStyles, is1904, sharedTexts }: SheetOptions): string {
  switch (type) {
    case 's': {
      const text = sharedTexts[Number(value)];
      if (text === undefined && value !== '') throw notAWorkbook('a cell names a text that is not there');
      return text ?? '';
    }
    case 'b':
      return value === '' ? '' : String(value === '1' || value === 'true');
    case 'n':
      return numberText(value, dateStyles[style] ?? false, is1904);
    default: // 'str' of a formula, 'e' of an error, 'd' of a day in ISO 8601
      return unescapeText(value);
  }
}

function numberText(value: string, isDate: boolean, is1904: boolean): string {
  const number = Number(value);
  if (value === '' || !Number.isFinite(number)) return value;
  return (isDate ? dateText(number, is1904) : null) ?? String(Number(number.toPrecision(DIGITS)));
}
