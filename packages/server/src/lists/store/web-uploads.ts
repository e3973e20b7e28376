import type { Queryable } from '@dialhook/engine';
import { before } from '../../states.ts';
import { UPLOAD_TRANSITIONS, type Upload, type UploadStatus } from '../model.ts';
import { toUpload, type Row } from './uploads.ts';

/** A list that somebody uploaded by hand: what its columns mean is not known yet. */
export async function insertWebUpload(
  db: Queryable,
  upload: {
    readonly id: string;
    readonly organizationId: string;
    readonly userId: string;
    readonly originalFilename: string;
    readonly fileSizeBytes: number;
    readonly now: Date;
  },
): Promise<Upload> {
  const [row] = await db.query<Row>({
    text: `insert into uploads (id, organization_id, user_id, source, status, original_filename, file_size_bytes, total_rows, valid_row_count,
             invalid_row_count, duplicate_row_count, credits_required, credits_charged, skip_mobile_lookup, start_after, created_at, updated_at)
           values ($1, $2, $3, 'web', 'pending_mapping', $4, $5, 0, 0, 0, 0, 0, 0, false, $6, $6, $6) returning *`,
    values: [upload.id, upload.organizationId, upload.userId, upload.originalFilename, upload.fileSizeBytes, upload.now],
  });
  return toUpload(row!);
}

/** Moves an upload on from one of these states; false when it is in none of them. */
export async function moveUpload(db: Queryable, id: string, from: readonly UploadStatus[], to: UploadStatus, now: Date): Promise<boolean> {
  const known = from.filter((status) => before(UPLOAD_TRANSITIONS, to).includes(status));
  const rows = await db.query({
    text: 'update uploads set status = $3, updated_at = $4 where id = $1 and status = any ($2) returning 1',
    values: [id, known, to, now],
  });
  return rows.length > 0;
}

export async function storeScan(
  db: Queryable,
  id: string,
  scan: {
    readonly status: 'awaiting_confirmation' | 'validation_failed';
    readonly totalRows: number;
    readonly validRows: number;
    readonly invalidRows: number;
    readonly duplicateRows: number;
    readonly skipMobileLookup: boolean;
    readonly errorMessage: string | null;
    readonly now: Date;
  },
): Promise<Upload> {
  const [row] = await db.query<Row>({
    text: `update uploads set status = $2, total_rows = $3, valid_row_count = $4, invalid_row_count = $5, duplicate_row_count = $6,
             credits_required = $4, skip_mobile_lookup = $7, error_message = $8, updated_at = $9
            where id = $1 and status = 'validating' returning *`,
    values: [
      id,
      scan.status,
      scan.totalRows,
      scan.validRows,
      scan.invalidRows,
      scan.duplicateRows,
      scan.skipMobileLookup,
      scan.errorMessage,
      scan.now,
    ],
  });
  return toUpload(row!);
}

/** Null when it does not wait for a confirmation; of two that confirm, one gets it. */
export async function confirmUpload(tx: Queryable, id: string, now: Date, startAfter: Date): Promise<Upload | null> {
  const [row] = await tx.query<Row>({
    text: `update uploads set status = 'ready_for_processing', credits_charged = credits_required, start_after = $3, updated_at = $2
            where id = $1 and status = 'awaiting_confirmation' returning *`,
    values: [id, now, startAfter],
  });
  return row ? toUpload(row) : null;
}

/** Validations whose process died: their columns can be mapped again. */
export async function releaseValidations(db: Queryable, since: Date, now: Date): Promise<void> {
  await db.query({
    text: `update uploads set status = 'pending_mapping', updated_at = $2 where status = 'validating' and updated_at < $1`,
    values: [since, now],
  });
}
