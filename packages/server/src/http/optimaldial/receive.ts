import { createWriteStream } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Transform, type Readable } from 'node:stream';
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
    await pipeline(body, atMost(LIST_LIMITS.jsonBytes), createWriteStream(path, { mode: 0o600 }));
    return { format: 'json' };
  };
}

/** Streams the `file` part of a multipart body to disk and collects the other fields. */
export function receiveMultipart(body: Readable, headers: IncomingHttpHeaders): ReceiveBody {
  refuseLength(headers, LIST_LIMITS.fileBytes + MULTIPART_OVERHEAD_BYTES);
  return async (path) => {
    const fields = new Map<string, string>();
    let filename: string | undefined;
    let tooLarge = false;
    let part: Readable | undefined;
    let write: Promise<unknown> = Promise.resolve(null);
    const form = openForm(headers);
    form.on('field', (name, value, _nameTruncated, valueTruncated) => {
      fields.set(name, valueTruncated ? '\0too long' : value);
    });
    form.on('file', (name, stream, sentName) => {
      if (name !== 'file' || filename !== undefined) {
        stream.resume();
        return;
      }
      filename = sentName || 'upload.csv';
      stream.once('limit', () => (tooLarge = true));
      part = stream;
      // Settles with the error as a value, so that whoever looks first does not matter.
      write = pipeline(stream, createWriteStream(path, { mode: 0o600 })).then(
        () => null,
        (error: unknown) => {
          body.destroy(); // such as on a full disk: the rest of the body is of no use
          return error;
        },
      );
    });
    try {
      await pipeline(body, form);
    } catch {
      // A client that hung up leaves the part open: it is ended here, or its write would wait for ever.
      part?.destroy(new Error('the body ended early'));
      const failure = await write;
      if (isStorageError(failure)) throw failure;
      throw new UploadRefused(400, 'the body is not valid multipart/form-data');
    }
    const failure = await write;
    if (failure !== null) throw failure;
    if (tooLarge) throw new UploadRefused(413, 'file may have at most 100 MB');
    return checkedForm(filename, fields);
  };
}

function openForm(headers: IncomingHttpHeaders): BusboyInstance {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { fileSize: LIST_LIMITS.fileBytes, files: 1, fields: MAX_PARTS, parts: MAX_PARTS, fieldSize: LIST_LIMITS.fieldBytes },
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

/** Lets so many bytes through; the body of a chunked request says its length only by ending. */
function atMost(limit: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > limit) done(new UploadRefused(413, 'The body is too large'));
      else done(null, chunk);
    },
  });
}

function isStorageError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO' || code === 'EFBIG';
}
