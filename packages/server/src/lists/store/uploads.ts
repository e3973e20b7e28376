import type { DueSource, Queryable } from '@dialhook/engine';
import type { ListSummary, Upload, UploadStatus } from '../model.ts';

export interface Row {
  id: string;
  organization_id: string;
  user_id: string;
  api_key_id: string | null;
  source: 'web' | 'api';
  status: UploadStatus;
  original_filename: string;
  file_size_bytes: number;
  total_rows: number;
  valid_row_count: number;
  invalid_row_count: number;
  duplicate_row_count: number;
  credits_required: number;
  credits_charged: number;
  credits_refunded: number | null;
  skip_mobile_lookup: boolean;
  error_message: string | null;
  summary: string | null;
  lease: number;
  created_at: Date;
  updated_at: Date;
}

export interface NewUpload {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly apiKeyId: string;
  readonly originalFilename: string;
  readonly fileSizeBytes: number;
  readonly totalRows: number;
  readonly validRows: number;
  readonly invalidRows: number;
  readonly duplicateRows: number;
  readonly skipMobileLookup: boolean;
  readonly now: Date;
  readonly startAfter: Date;
}

/** An upload by the API: it begins ready, with one credit charged for each valid number. */
export async function insertApiUpload(tx: Queryable, upload: NewUpload): Promise<Upload> {
  const [row] = await tx.query<Row>({
    text: `insert into uploads (id, organization_id, user_id, api_key_id, source, status, original_filename, file_size_bytes,
             total_rows, valid_row_count, invalid_row_count, duplicate_row_count, credits_required, credits_charged,
             skip_mobile_lookup, start_after, created_at, updated_at)
           values ($1, $2, $3, $4, 'api', 'ready_for_processing', $5, $6, $7, $8, $9, $10, $8, $8, $11, $12, $13, $13)
           returning *`,
    values: [
      upload.id,
      upload.organizationId,
      upload.userId,
      upload.apiKeyId,
      upload.originalFilename,
      upload.fileSizeBytes,
      upload.totalRows,
      upload.validRows,
      upload.invalidRows,
      upload.duplicateRows,
      upload.skipMobileLookup,
      upload.startAfter,
      upload.now,
    ],
  });
  return toUpload(row!);
}

export async function findUpload(db: Queryable, organizationId: string, id: string): Promise<Upload | null> {
  const [row] = await db.query<Row>({
    name: 'find-upload',
    text: 'select * from uploads where organization_id = $1 and id = $2',
    values: [organizationId, id],
  });
  return row ? toUpload(row) : null;
}

/** Newest first, older than `before`. */
export async function listUploads(db: Queryable, organizationId: string, before: string | null, limit: number): Promise<Upload[]> {
  const rows = await db.query<Row>({
    text: `select * from uploads where organization_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    values: [organizationId, before, limit],
  });
  return rows.map(toUpload);
}

/** Cancels an upload that was not started, or null when it was (or does not exist). The row lock settles every race. */
export async function cancelUpload(tx: Queryable, organizationId: string, id: string, now: Date): Promise<Upload | null> {
  const [row] = await tx.query<Row>({
    text: `update uploads set status = 'cancelled', credits_refunded = credits_charged, updated_at = $3
            where organization_id = $1 and id = $2 and status = 'ready_for_processing' returning *`,
    values: [organizationId, id, now],
  });
  return row ? toUpload(row) : null;
}

const IS_CLAIMABLE = `u.status in ('ready_for_processing', 'processing')
  and (u.status = 'ready_for_processing' or not exists (select from nodes n where n.id = u.leased_by))`;

/** When the next list may be claimed. */
export const UPLOADS_DUE: DueSource = {
  name: 'lists',
  text: `select u.start_after from uploads u where ${IS_CLAIMABLE} order by u.start_after limit 1`,
};

/**
 * Takes an upload that is ready, or one whose node is dead. Organizations take turns: `served` are those that this node worked for, the
 * latest last; the longest ago comes first, and of its uploads the one that waits longest.
 */
export async function claimUpload(db: Queryable, nodeId: string, served: readonly string[], now: Date): Promise<Upload | null> {
  const [row] = await db.query<Row>({
    name: 'claim-upload',
    text: `update uploads set status = 'processing', leased_by = $1, lease = lease + 1, updated_at = $2
            where id = (
              select id from uploads u
               where ${IS_CLAIMABLE} and u.start_after <= $2
               order by array_position($3::uuid[], u.organization_id) nulls first, u.start_after limit 1 for update skip locked)
           returning *`,
    values: [nodeId, now, served],
  });
  return row ? toUpload(row) : null;
}

/**
 * Ends an upload. Null when the lease is not the caller's any more: then somebody else ends it, and the caller must
 * not publish anything.
 */
export async function finishUpload(
  tx: Queryable,
  id: string,
  lease: number,
  end: {
    readonly status: 'completed' | 'failed';
    readonly errorMessage: string | null;
    readonly summary: ListSummary | null;
    readonly now: Date;
  },
): Promise<Upload | null> {
  const [row] = await tx.query<Row>({
    text: `update uploads set status = $3, error_message = $4, summary = $6, leased_by = null, updated_at = $5
            where id = $1 and lease = $2 and status = 'processing' returning *`,
    values: [id, lease, end.status, end.errorMessage, end.now, end.summary === null ? null : JSON.stringify(end.summary)],
  });
  return row ? toUpload(row) : null;
}

/** Removes lists that ended before a time, the oldest first. Gives their ids: their files are the caller's to remove. */
export async function removeEndedUploads(db: Queryable, before: Date, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'remove-ended-uploads',
    text: `delete from uploads where id = any (array(
             select id from uploads where status in ('validation_failed', 'completed', 'failed', 'cancelled') and updated_at < $1
              order by updated_at limit $2 for update skip locked))
           returning id`,
    values: [before, limit],
  });
  return rows.map(({ id }) => id);
}

/** Which of these ids are uploads; what is left over in the file store belongs to nothing. */
export async function existingUploads(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>({ text: 'select id from uploads where id = any ($1::uuid[])', values: [ids] });
  return new Set(rows.map((row) => row.id));
}

export function toUpload(row: Row): Upload {
  return {
    id: row.id,
    organizationId: row.organization_id,
    userId: row.user_id,
    apiKeyId: row.api_key_id,
    source: row.source,
    status: row.status,
    originalFilename: row.original_filename,
    fileSizeBytes: row.file_size_bytes,
    totalRows: row.total_rows,
    validRowCount: row.valid_row_count,
    invalidRowCount: row.invalid_row_count,
    duplicateRowCount: row.duplicate_row_count,
    creditsRequired: row.credits_required,
    creditsCharged: row.credits_charged,
    creditsRefunded: row.credits_refunded,
    skipMobileLookup: row.skip_mobile_lookup,
    errorMessage: row.error_message,
    summary: row.summary === null ? null : (JSON.parse(row.summary) as ListSummary),
    lease: row.lease,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
