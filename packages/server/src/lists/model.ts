import type { StateTable } from '../states.ts';

/** contracts/optimaldial.md 7.1. */
export const UPLOAD_STATUSES = [
  'pending_mapping',
  'validating',
  'validation_failed',
  'awaiting_confirmation',
  'ready_for_processing',
  'processing',
  'completed',
  'failed',
  'cancelled',
] as const;
export type UploadStatus = (typeof UPLOAD_STATUSES)[number];

/** Which status may follow which; the store's statements name the status that they leave. */
export const UPLOAD_TRANSITIONS: StateTable<UploadStatus> = {
  pending_mapping: ['validating', 'cancelled'],
  validating: ['pending_mapping', 'validation_failed', 'awaiting_confirmation'], // back, for a column that is none, or when the node died
  awaiting_confirmation: ['ready_for_processing', 'cancelled'],
  ready_for_processing: ['processing', 'cancelled'],
  processing: ['processing', 'completed', 'failed'], // again, when the node that did it died
  validation_failed: [],
  completed: [],
  failed: [],
  cancelled: [],
};

export interface Upload {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly apiKeyId: string | null;
  readonly source: 'web' | 'api';
  readonly status: UploadStatus;
  readonly originalFilename: string;
  readonly fileSizeBytes: number;
  readonly totalRows: number;
  readonly validRowCount: number;
  readonly invalidRowCount: number;
  readonly duplicateRowCount: number;
  readonly creditsRequired: number;
  readonly creditsCharged: number;
  readonly creditsRefunded: number | null;
  readonly skipMobileLookup: boolean;
  readonly errorMessage: string | null;
  readonly summary: ListSummary | null;
  readonly lease: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Valid numbers of a processed list, counted by verdict, region and time zone. */
export interface ListSummary {
  readonly statuses: Readonly<Record<string, number>>;
  readonly regions: Readonly<Record<string, number>>;
  readonly timeZones: Readonly<Record<string, number>>;
}

/** A list's verdict on one number. */
export const CALL_STATUSES = ['Unknown', 'Likely Answer', 'Likely Voicemail'] as const;

/** The files of an upload, by what they are called in download links. */
export const UPLOAD_FILES = {
  original: 'original.csv',
  processed: 'processed.csv',
  'processed-filtered': 'processed-filtered.csv',
} as const;
export type UploadFile = keyof typeof UPLOAD_FILES;
/** The checked rows between upload and processing; never shown. */
export const STAGED_FILE = 'staged.rows';

/** Where a file of an upload is in the file store. */
export function fileKey(uploadId: string, name: string): string {
  return `uploads/${uploadId}/${name}`;
}

/** What is wrong with an upload, as the caller may read it. `status` is the HTTP status that every surface uses for it. */
export class UploadRefused extends Error {
  override readonly name = 'UploadRefused';
  readonly status: 400 | 402 | 403 | 404 | 408 | 413 | 422 | 503;
  constructor(status: UploadRefused['status'], message: string) {
    super(message);
    this.status = status;
  }
}
