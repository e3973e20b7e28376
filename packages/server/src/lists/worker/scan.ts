import { closeSync, openSync, readFileSync } from 'node:fs';
import { LIST_LIMITS } from '../limits.ts';
import { isFitText, UNFIT_TEXT } from '../../text.ts';
import { UploadRefused } from '../model.ts';
import { NumberSet } from '../number-set.ts';
import { FOREIGN, INVALID, normalizePhone } from '../phone.ts';
import { readCsv } from './csv.ts';
import { asText } from './formulas.ts';
import type { ScanJob, ScanResult } from './protocol.ts';
import { csvRecord, ROW_KIND, StagedWriter, writeAll } from './staged-rows.ts';

/** Counts rows and writes them to the staged file. */
class Checker {
  readonly #seen = new NumberSet();
  readonly #staged: StagedWriter;
  readonly #phoneIndex: number;
  readonly #width: number;
  readonly #toRecord: (fields: readonly string[]) => string;
  readonly counts = { totalRows: 0, validRows: 0, invalidRows: 0, duplicateRows: 0 };

  constructor(staged: StagedWriter, header: readonly string[], options: { readonly phoneIndex: number; readonly keepFormulas: boolean }) {
    this.#staged = staged;
    this.#phoneIndex = options.phoneIndex;
    this.#toRecord = options.keepFormulas ? csvRecord : (fields) => csvRecord(fields.map(asText));
    this.#width = header.length;
    staged.write(ROW_KIND.header, 0, this.#toRecord(header));
  }

  row(fields: string[]): void {
    // Every result row has the header's columns: missing ones are empty, those beyond the header are cut off.
    if (fields.length !== this.#width) fitTo(fields, this.#width);
    const number = normalizePhone(fields[this.#phoneIndex]!);
    this.counts.totalRows += 1;
    this.#staged.write(this.#kindOf(number), number, this.#toRecord(fields));
  }

  #kindOf(number: number): number {
    if (number === INVALID || number === FOREIGN) {
      this.counts.invalidRows += 1;
      return number === FOREIGN ? ROW_KIND.foreign : ROW_KIND.invalid;
    }
    if (!this.#seen.add(number)) {
      this.counts.duplicateRows += 1;
      return ROW_KIND.duplicate;
    }
    this.counts.validRows += 1;
    return ROW_KIND.valid;
  }
}

/** Runs a scan. Throws `UploadRefused` for what the caller did wrong. */
export async function scan(job: ScanJob): Promise<ScanResult> {
  const staged = new StagedWriter(job.stagedPath);
  try {
    const result = job.format === 'csv' ? await scanCsv(job, staged) : scanJson(job, staged);
    staged.close();
    return result;
  } catch (error) {
    staged.abandon();
    throw error;
  }
}

async function scanCsv(job: ScanJob, staged: StagedWriter): Promise<ScanResult> {
  let checker: Checker | undefined;
  await readCsv(job.inputPath, {
    restart: () => {
      checker = undefined;
      staged.restart();
    },
    header: (header) => {
      checker = new Checker(staged, header, { phoneIndex: phoneIndex(header, job.phoneColumn ?? ''), keepFormulas: job.keepFormulas });
    },
    rows: (rows) => {
      for (const row of rows) checker!.row(row);
    },
  });
  if (checker === undefined) throw new UploadRefused(400, 'file is empty: a CSV with a header row is needed');
  return { ...checker.counts, filename: null, skipMobileLookup: null };
}

function phoneIndex(header: readonly string[], name: string): number {
  const exact = header.indexOf(name);
  const index = exact === -1 ? header.findIndex((column) => column.trim().toLowerCase() === name.trim().toLowerCase()) : exact;
  if (index !== -1) return index;
  // Without a header row the first row is data: naming its values would repeat phone numbers in an error.
  if (header.some((column) => normalizePhone(column) > 0))
    throw new UploadRefused(400, 'file must begin with a header row; its first row holds a phone number');
  const columns = header.slice(0, 20).map((column) => JSON.stringify(column.slice(0, 40)));
  throw new UploadRefused(
    400,
    `phone_column ${JSON.stringify(name.slice(0, 40))} is not a column of the file; it has ${columns.join(', ')}`,
  );
}

interface JsonUpload {
  readonly filename?: unknown;
  readonly phone_numbers?: unknown;
  readonly contacts?: unknown;
  readonly skip_mobile_lookup?: unknown;
  readonly keep_formulas?: unknown;
}

function scanJson(job: ScanJob, staged: StagedWriter): ScanResult {
  const body = parseJson(job.inputPath);
  const { filename = null, keep_formulas: keep = null, skip_mobile_lookup: skip = null } = body;
  if (filename !== null && (typeof filename !== 'string' || filename.length === 0 || filename.length > LIST_LIMITS.filenameLength)) {
    throw new UploadRefused(400, `filename must be a string of 1 to ${LIST_LIMITS.filenameLength} characters`);
  }
  if (filename !== null && !isFitText(filename)) throw new UploadRefused(400, `filename ${UNFIT_TEXT}`);
  if (skip !== null && typeof skip !== 'boolean') throw new UploadRefused(400, 'skip_mobile_lookup must be true or false');
  if (keep !== null && typeof keep !== 'boolean') throw new UploadRefused(400, 'keep_formulas must be true or false');
  if ((body.phone_numbers === undefined) === (body.contacts === undefined)) {
    throw new UploadRefused(400, 'exactly one of phone_numbers and contacts must be given');
  }
  const { header, rows } = body.phone_numbers !== undefined ? fromNumbers(body.phone_numbers) : fromContacts(body.contacts);
  const checker = new Checker(staged, header, { phoneIndex: 0, keepFormulas: keep ?? job.keepFormulas });
  const original = openSync(job.originalPath!, 'w', 0o600);
  try {
    let text = `${csvRecord(header)}\n`;
    for (const row of rows) {
      checker.row(row);
      text += `${csvRecord(row)}\n`;
      if (text.length > 1 << 20) {
        writeAll(original, Buffer.from(text));
        text = '';
      }
    }
    writeAll(original, Buffer.from(text));
  } finally {
    closeSync(original);
  }
  return { ...checker.counts, filename, skipMobileLookup: skip };
}

function parseJson(path: string): JsonUpload {
  let body: unknown;
  try {
    body = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new UploadRefused(400, 'the body is not valid JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new UploadRefused(400, 'the body must be a JSON object');
  return body;
}

function fromNumbers(value: unknown): { header: string[]; rows: Iterable<string[]> } {
  const numbers = entries('phone_numbers', value);
  const wrong = numbers.findIndex((number) => typeof number !== 'string');
  if (wrong !== -1) throw new UploadRefused(400, `phone_numbers[${wrong}] must be a string`);
  return { header: ['phone'], rows: (numbers as string[]).values().map((number) => [number]) };
}

function fromContacts(value: unknown): { header: string[]; rows: Iterable<string[]> } {
  const contacts = entries('contacts', value);
  const columns = new Map<string, number>([['phone', 0]]);
  for (const [index, contact] of contacts.entries()) {
    if (typeof contact !== 'object' || contact === null || Array.isArray(contact))
      throw new UploadRefused(400, `contacts[${index}] must be an object`);
    if (typeof (contact as { phone?: unknown }).phone !== 'string')
      throw new UploadRefused(400, `contacts[${index}].phone must be a string`);
    for (const [key, field] of Object.entries(contact)) {
      if (typeof field === 'object' && field !== null)
        throw new UploadRefused(400, `contacts[${index}].${key.slice(0, 40)} must be a string, a number, true, false or null`);
      if (!columns.has(key)) columns.set(key, columns.size);
    }
    if (columns.size > LIST_LIMITS.columns)
      throw new UploadRefused(400, `contacts may have at most ${LIST_LIMITS.columns} different fields`);
  }
  const header = [...columns.keys()];
  const rows = contacts
    .values()
    .map((contact) => header.map((key) => String((contact as Record<string, string | number | boolean | null>)[key] ?? '')));
  return { header, rows };
}

function entries(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new UploadRefused(400, `${name} must be an array`);
  if (value.length > LIST_LIMITS.jsonEntries) throw new UploadRefused(413, `${name} may have at most ${LIST_LIMITS.jsonEntries} entries`);
  return value;
}

function fitTo(fields: string[], width: number): void {
  while (fields.length < width) fields.push('');
  fields.length = width;
}
