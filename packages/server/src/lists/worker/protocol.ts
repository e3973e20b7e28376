import type { ListSummary, UploadRefused } from '../model.ts';

/** Reads an uploaded body, checks every row and writes the rows that processing will need. */
export interface ScanJob {
  readonly type: 'scan';
  readonly format: 'csv' | 'json';
  readonly inputPath: string;
  /** Where the checked rows go. */
  readonly stagedPath: string;
  /** JSON only: where the list goes as CSV, to be downloaded as the original. */
  readonly originalPath: string | null;
  /** CSV only: the name of the column that holds the numbers. */
  readonly phoneColumn: string | null;
  /** Cells that a spreadsheet would run are staged as they were sent. A JSON body may ask for it too. */
  readonly keepFormulas: boolean;
}

export interface ScanResult {
  readonly totalRows: number;
  readonly validRows: number;
  readonly invalidRows: number;
  readonly duplicateRows: number;
  /** JSON only: what the body said besides the numbers. */
  readonly filename: string | null;
  readonly skipMobileLookup: boolean | null;
}

/** Classifies checked rows and writes the result files. */
export interface ProcessJob {
  readonly type: 'process';
  readonly stagedPath: string;
  readonly processedPath: string;
  readonly filteredPath: string;
}

export interface ProcessResult {
  readonly rows: number;
  readonly summary: ListSummary;
}

/** Reads a file of leads: contacts to be called one by one, in any country. */
export interface LeadsJob {
  readonly type: 'leads';
  readonly inputPath: string;
  /** Whether a column `name` is the lead's name, and not one of its fields. */
  readonly hasNames: boolean;
  readonly maxRows: number;
  /** Beside the number. */
  readonly maxColumns: number;
  readonly maxValueLength: number;
  /** Of a workbook. */
  readonly maxUnpackedBytes: number;
  readonly maxCells: number;
  /** Bad rows that a problem names. */
  readonly namedRows: number;
}

export interface LeadRow {
  readonly phoneNumber: string;
  readonly name: string | null;
  /** JSON text of an object: the other columns that are not empty. */
  readonly fields: string;
}

export interface LeadsResult {
  /** None while there are problems. */
  readonly leads: readonly LeadRow[];
  /** Rows without a number, and repeats. */
  readonly skipped: number;
  /** One line for each kind of problem, with row numbers; the header is row 1. */
  readonly problems: readonly string[];
}

/** Reads the beginning of a CSV, to show what it holds. */
export interface PreviewJob {
  readonly type: 'preview';
  readonly inputPath: string;
}

export interface ListPreview {
  readonly columns: readonly string[];
  /** The first ones. */
  readonly rows: readonly (readonly string[])[];
  /** The column in which most of these rows have a number; null when there is none. */
  readonly phoneColumn: string | null;
}

export type Job = ScanJob | ProcessJob | LeadsJob | PreviewJob;
export type JobResult = ScanResult | ProcessResult | LeadsResult | ListPreview;

/** What a classifier says of a batch of numbers, index for index. */
export interface Verdicts {
  /** Indices into `CALL_STATUSES`. */
  readonly statuses: Uint8Array;
  /** Why; one for each number, or one for all. */
  readonly reasons: readonly string[];
  /** A better line type than the numbering plan's; null where the classifier does not know. */
  readonly lineTypes: readonly (string | null)[] | null;
}

export type ToWorker =
  { readonly type: 'run'; readonly job: Job } | { readonly type: 'verdicts'; readonly id: number; readonly verdicts: Verdicts | null };

export type FromWorker =
  | { readonly type: 'classify'; readonly id: number; readonly numbers: Float64Array }
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'refused'; readonly status: UploadRefused['status']; readonly message: string }
  | { readonly type: 'failed'; readonly error: Error };
