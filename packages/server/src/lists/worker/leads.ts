import { isFitText, UNFIT_TEXT } from '../../text.ts';
import { toE164 } from '../phone.ts';
import { LIST_LIMITS } from '../limits.ts';
import { UploadRefused } from '../model.ts';
import { readCsv } from './csv.ts';
import type { LeadRow, LeadsJob, LeadsResult } from './protocol.ts';
import { isWorkbook, readWorkbook } from './workbook.ts';

const PHONE_COLUMN = 'phone_number';
const COUNTRY_COLUMN = 'country_code';
const NAME_COLUMN = 'name';

/** Reads a file of leads: a CSV, or the first sheet of a workbook. Throws `UploadRefused`. */
export async function readLeads(job: LeadsJob): Promise<LeadsResult> {
  let reader: LeadReader | undefined;
  if (isWorkbook(job.inputPath)) {
    const bounds = { maxUnpackedBytes: job.maxUnpackedBytes, maxCells: job.maxCells, maxColumns: LIST_LIMITS.columns };
    readWorkbook(job.inputPath, bounds, (cells, number) => {
      if (reader === undefined) reader = new LeadReader(cells, job);
      else reader.row(cells, number);
    });
  } else {
    let number = 1; // the header
    await readCsv(job.inputPath, {
      restart: () => {
        reader = undefined;
        number = 1;
      },
      header: (columns) => (reader = new LeadReader(columns, job)),
      rows: (rows) => rows.forEach((row) => reader!.row(row, ++number)),
    });
  }
  if (reader === undefined) throw new UploadRefused(400, 'file is empty: a header row with a column phone_number is needed');
  return reader.result();
}

class LeadReader {
  readonly #job: LeadsJob;
  readonly #columns: readonly string[];
  readonly #phone: number;
  readonly #country: number;
  readonly #name: number;
  readonly #seen = new Set<string>();
  readonly #leads: LeadRow[] = [];
  readonly #badNumbers: number[] = [];
  readonly #longValues: number[] = [];
  readonly #unfitValues: number[] = [];
  /** The number of the row that is read; the header is row 1. */
  #row = 1;
  #skipped = 0;

  constructor(header: readonly string[], job: LeadsJob) {
    this.#job = job;
    this.#columns = header.map((column) => column.trim());
    if (!this.#columns.every(isFitText)) throw new UploadRefused(400, `the names of columns ${UNFIT_TEXT}`);
    const lower = this.#columns.map((column) => column.toLowerCase());
    this.#phone = lower.indexOf(PHONE_COLUMN);
    this.#country = lower.indexOf(COUNTRY_COLUMN);
    this.#name = job.hasNames ? lower.indexOf(NAME_COLUMN) : -1;
    if (this.#phone === -1) throw new UploadRefused(400, `file needs a column ${PHONE_COLUMN}`);
    const others = this.#columns.filter((column, index) => column !== '' && this.#isField(index)).length;
    if (others > job.maxColumns)
      throw new UploadRefused(400, `file may have at most ${job.maxColumns} columns beside ${PHONE_COLUMN}; it has ${others}`);
  }

  row(cells: readonly string[], number: number): void {
    this.#row = number;
    const given = (cells[this.#phone] ?? '').trim();
    if (given === '') {
      this.#skipped += 1;
      return;
    }
    const phoneNumber = toE164(given, this.#country === -1 ? undefined : cells[this.#country]?.trim());
    if (phoneNumber === null) {
      this.#badNumbers.push(this.#row);
      return;
    }
    if (this.#seen.has(phoneNumber)) {
      this.#skipped += 1;
      return;
    }
    this.#seen.add(phoneNumber);
    if (this.#seen.size > this.#job.maxRows) throw new UploadRefused(400, `file may have at most ${this.#job.maxRows} leads`);
    const fields: Record<string, string> = {};
    for (const [index, column] of this.#columns.entries()) {
      const value = cells[index] ?? '';
      if (column === '' || value === '' || !this.#isField(index)) continue;
      this.#check(value);
      fields[column] = value;
    }
    const name = this.#name === -1 ? '' : (cells[this.#name] ?? '').trim();
    this.#check(name);
    this.#leads.push({ phoneNumber, name: name === '' ? null : name, fields: JSON.stringify(fields) });
  }

  result(): LeadsResult {
    const problems: string[] = [];
    if (this.#badNumbers.length > 0)
      problems.push(
        `${PHONE_COLUMN} must be in E.164 form, such as +447700900123, or come with a ${COUNTRY_COLUMN}: ${this.#named(this.#badNumbers)}`,
      );
    if (this.#longValues.length > 0)
      problems.push(`values may have at most ${this.#job.maxValueLength} characters: ${this.#named([...new Set(this.#longValues)])}`);
    if (this.#unfitValues.length > 0) problems.push(`values ${UNFIT_TEXT}: ${this.#named([...new Set(this.#unfitValues)])}`);
    if (problems.length === 0 && this.#leads.length === 0) problems.push(`file has no row with a ${PHONE_COLUMN}`);
    return { leads: problems.length > 0 ? [] : this.#leads, skipped: this.#skipped, problems };
  }

  #check(value: string): void {
    if (value.length > this.#job.maxValueLength) this.#longValues.push(this.#row);
    if (!isFitText(value)) this.#unfitValues.push(this.#row);
  }

  #isField(index: number): boolean {
    return index !== this.#phone && index !== this.#name;
  }

  #named(rows: readonly number[]): string {
    const shown = rows.slice(0, this.#job.namedRows).join(', ');
    const more = rows.length - this.#job.namedRows;
    return `${rows.length === 1 ? 'row' : 'rows'} ${shown}${more > 0 ? ` and ${more} more` : ''}`;
  }
}
