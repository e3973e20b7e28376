import { open } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { LIST_LIMITS } from '../../lists/limits.ts';
import { UploadRefused } from '../../lists/model.ts';
import type { ReceiveBody, ReceivedList } from '../../lists/uploads.ts';

/** What multipart adds around a file: boundaries, part headers, the other fields. */
const MULTIPART_OVERHEAD_BYTES = 64 * 1024;
const MAX_PARTS = 20;

/** Streams a JSON body to disk; it is parsed in a worker thread. */
export function receiveJson(body: Readable, headers: IncomingHttpHeaders): ReceiveBody {
  refuseLength(headers, LIST_LIMITS.jsonBytes);
  return async (path) => {
    const failure = await save(body, path, LIST_LIMITS.jsonBytes);
    if (failure !== null) throw failure;
    return { format: 'json' };
  };
}

/** Streams the `file` part of a multipart body to disk and collects the other fields. */
export function receiveMultipart(body: Readable, headers: IncomingHttpHeaders): ReceiveBody {
  refuseLength(headers, LIST_LIMITS.fileBytes + MULTIPART_OVERHEAD_BYTES);
  return async (path) => {
    const fields = new Map<string, string>();
    let filename: string | undefined;
    let part: Readable | undefined;
    let saved: Promise<Error | null> = Promise.resolve(null);
    const form = openForm(headers);
    form.on('field', (name, value, _nameTruncated, valueTruncated) => {
      fields.set(name, valueTruncated ? '\0too long' : value);
    });
    form.on('file', (name, stream, sentName) => {
      if (name !== 'file' || part !== undefined) {
        stream.resume();
        return;
      }
      part = stream;
      filename = sentName || 'upload.csv';
      saved = save(stream, path, LIST_LIMITS.fileBytes);
    });
    const broken = await pipeline(body, form).then(
      () => false,
      () => true,
    );
    // A client that hung up leaves the part open: it is ended here, or its reader would wait for ever.
    if (broken) part?.destroy(new Error('the body ended early'));
    const failure = await saved;
    if (broken) throw new UploadRefused(400, 'the body is not valid multipart/form-data');
    if (failure !== null) throw failure;
    return checkedForm(filename, fields);
  };
}

/**
 * Writes a stream to a file. After a failure, such as a full disk or too many bytes, the rest is read and thrown away,
 * so that the client is there to hear the answer; one that never stops is cut off. Gives the failure instead of
 * throwing it.
 */
async function save(stream: Readable, path: string, limit: number): Promise<Error | null> {
  let failure: Error | null = null;
  let received = 0;
  try {
    await using file = await open(path, 'w', 0o600);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limit) failure ??= new UploadRefused(413, 'The body is too large: at most 100 MB of CSV, or 64 MB of JSON');
      if (received > 2 * limit) stream.destroy();
      if (failure === null) await file.appendFile(chunk).catch((error: Error) => void (failure = error));
    }
  } catch (error) {
    failure ??= error as Error;
  }
  return failure;
}

function openForm(headers: IncomingHttpHeaders): BusboyInstance {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { fileSize: LIST_LIMITS.fileBytes + 1, files: 1, fields: MAX_PARTS, parts: MAX_PARTS, fieldSize: LIST_LIMITS.fieldBytes },
    });
  } catch {
    throw new UploadRefused(400, 'the multipart boundary is missing in Content-Type');
  }
}

function checkedForm(filename: string | undefined, fields: ReadonlyMap<string, string>): ReceivedList {
  if (filename === undefined) throw new UploadRefused(400, 'file is required');
  for (const [name, value] of fields) {
    if (value.includes('\0'))
      throw new UploadRefused(400, `${name.slice(0, 40)} is longer than ${LIST_LIMITS.fieldBytes} bytes, or not text`);
  }
  const phoneColumn = fields.get('phone_column');
  if (!phoneColumn) throw new UploadRefused(400, 'phone_column is required');
  const skip = fields.get('skip_mobile_lookup') ?? 'false';
  if (skip !== 'true' && skip !== 'false') throw new UploadRefused(400, 'skip_mobile_lookup must be true or false');
  const name = fields.get('filename_override') || filename;
  return { format: 'csv', filename: name.slice(0, LIST_LIMITS.filenameLength), phoneColumn, skipMobileLookup: skip === 'true' };
}

function refuseLength(headers: IncomingHttpHeaders, limit: number): void {
  if (Number(headers['content-length'] ?? 0) > limit)
    throw new UploadRefused(413, 'The body is too large: at most 100 MB of CSV, or 64 MB of JSON');
}
