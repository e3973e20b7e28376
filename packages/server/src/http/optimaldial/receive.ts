import type { IncomingHttpHeaders } from 'node:http';
import { LIST_LIMITS } from '../../lists/limits.ts';
import { UploadRefused } from '../../lists/model.ts';
import type { ReceiveBody, ReceivedList } from '../../lists/uploads.ts';
import type { OpenBody } from '../watched-upload.ts';
import { receiveFile, refuseLength, saveBody, type ReceivedForm } from '../multipart.ts';

const refusal = 'The body is too large: at most 100 MB of CSV, or 64 MB of JSON';
const JSON_LIMIT = { bytes: LIST_LIMITS.jsonBytes, refusal };
const FILE_LIMIT = { bytes: LIST_LIMITS.fileBytes, refusal };

/** Streams a JSON body to disk; it is parsed in a worker thread. */
export function receiveJson(openBody: OpenBody, headers: IncomingHttpHeaders): ReceiveBody {
  refuseLength(headers, JSON_LIMIT);
  return async (path) => {
    const failure = await saveBody(openBody(), path, JSON_LIMIT);
    if (failure !== null) throw failure;
    return { format: 'json' };
  };
}

/** Streams the `file` part of a multipart body to disk and reads the other fields. */
export function receiveMultipart(openBody: OpenBody, headers: IncomingHttpHeaders): ReceiveBody {
  return async (path) => checkedForm(await receiveFile(openBody, headers, path, FILE_LIMIT));
}

function checkedForm({ fields, filename }: ReceivedForm): ReceivedList {
  const phoneColumn = fields.get('phone_column');
  if (!phoneColumn) throw new UploadRefused(400, 'phone_column is required');
  const skipMobileLookup = flag(fields, 'skip_mobile_lookup');
  const keepFormulas = flag(fields, 'keep_formulas');
  const name = fields.get('filename_override') || filename;
  return { format: 'csv', filename: name.slice(0, LIST_LIMITS.filenameLength), phoneColumn, skipMobileLookup, keepFormulas };
}

function flag(fields: ReceivedForm['fields'], name: string): boolean {
  const value = fields.get(name) ?? 'false';
  if (value !== 'true' && value !== 'false') throw new UploadRefused(400, `${name} must be true or false`);
  return value === 'true';
}
