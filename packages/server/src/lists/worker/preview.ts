import { LIST_LIMITS } from '../limits.ts';
import { normalizePhone } from '../phone.ts';
import { UploadRefused } from '../model.ts';
import { readCsv } from './csv.ts';
import type { ListPreview, PreviewJob } from './protocol.ts';

/** Thrown by us to stop reading: the beginning is enough. */
class Enough extends Error {}

/** Reads the beginning of a CSV. Throws `UploadRefused` for what is none. */
export async function preview(job: PreviewJob): Promise<ListPreview> {
  let columns: string[] = [];
  let rows: string[][] = [];
  try {
    await readCsv(job.inputPath, {
      restart: () => {
        columns = [];
        rows = [];
      },
      header: (header) => {
        columns = header;
      },
      rows: (some) => {
        rows.push(...some);
        if (rows.length >= LIST_LIMITS.previewRows) throw new Enough();
      },
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  if (columns.length === 0) throw new UploadRefused(400, 'file is empty: a CSV with a header row is needed');
  const shown = rows.slice(0, LIST_LIMITS.previewRows);
  const numbers = columns.map((_, index) => shown.filter((row) => normalizePhone(row[index] ?? '') > 0).length);
  const most = Math.max(...numbers);
  return {
    columns,
    rows: shown.map((row) => columns.map((_, index) => (row[index] ?? '').slice(0, LIST_LIMITS.previewLength))),
    phoneColumn: most === 0 ? null : columns[numbers.indexOf(most)]!,
  };
}
