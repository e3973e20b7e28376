import { offsetTime } from '../dialects/optimaldial.ts';
import type { Upload } from './model.ts';

/** The events of a list, with the data of contracts/optimaldial.md 6.2. */

export function uploadCreated(upload: Upload): { type: string; data: string } {
  return { type: 'upload.created', data: JSON.stringify({ upload: { ...common(upload), total_rows: upload.totalRows } }) };
}

export function uploadCompleted(
  upload: Upload,
  downloads: { readonly processed: string; readonly processed_filtered: string },
): { type: string; data: string } {
  const data = { upload: { ...common(upload), invalid_row_count: upload.invalidRowCount, downloads } };
  return { type: 'upload.completed', data: JSON.stringify(data) };
}

export function uploadFailed(upload: Upload): { type: string; data: string } {
  const data = {
    upload: { ...common(upload), invalid_row_count: upload.invalidRowCount, error_message: upload.errorMessage },
    error_message: upload.errorMessage,
  };
  return { type: 'upload.failed', data: JSON.stringify(data) };
}

function common(upload: Upload) {
  return {
    id: upload.id,
    source: upload.source,
    status: upload.status,
    original_filename: upload.originalFilename,
    valid_row_count: upload.validRowCount,
    organization_id: upload.organizationId,
    created_at: offsetTime(upload.createdAt),
  };
}
