import { open } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { LIST_LIMITS } from '../lists/limits.ts';
import { UploadRefused } from '../lists/model.ts';
import { isFitText, UNFIT_TEXT } from '../text.ts';
import type { OpenBody } from './watched-upload.ts';

/** What multipart adds around a file: boundaries, part headers, the other fields. */
const MULTIPART_OVERHEAD_BYTES = 64 * 1024;
const MAX_PARTS = 20;

/** The bound of a body, and what is answered beyond it. */
export interface SizeLimit {
  readonly bytes: number;
  readonly refusal: string;
}

export interface ReceivedForm {
  readonly filename: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Streams the `file` part of a multipart body to disk and collects the other fields. Throws `UploadRefused`. */
export async function receiveFile(openBody: OpenBody, headers: IncomingHttpHeaders, path: string, limit: SizeLimit): Promise<ReceivedForm> {
  refuseLength(headers, { ...limit, bytes: limit.bytes + MULTIPART_OVERHEAD_BYTES });
  const fields = new Map<string, string>();
  let filename: string | undefined;
  let part: Readable | undefined;
  let saved: Promise<Error | null> = Promise.resolve(null);
  const form = openForm(headers, limit.bytes);
  form.on('field', (name, value, _nameTruncated, valueTruncated) => {
    fields.set(name, valueTruncated ? '\0too long' : value);
  });
  form.on('file', (name, stream, sentName) => {
    if (name !== 'file' || part !== undefined) {
      stream.resume();
      return;
    }
    part = stream;
    // A client may hang up before the reader below has opened its file; without a listener that would end the process.
    stream.on('error', () => {});
    filename = sentName || 'upload.csv';
    saved = saveBody(stream, path, limit);
  });
  const broken = await pipeline(openBody(), form).then(
    () => null,
    (error: Error) => error,
  );
  // A client that hung up leaves the part open: it is ended here, or its reader would wait for ever.
  if (broken !== null) part?.destroy(new Error('the body ended early'));
  const failure = await saved;
  if (broken instanceof UploadRefused) throw broken;
  if (broken !== null) throw new UploadRefused(400, 'the body is not valid multipart/form-data');
  if (failure !== null) throw failure;
  if (filename === undefined) throw new UploadRefused(400, 'file is required');
  if (!isFitText(filename)) throw new UploadRefused(400, `file name ${UNFIT_TEXT}`);
  for (const [name, value] of fields) {
    if (value.includes('\0'))
      throw new UploadRefused(400, `${name.slice(0, 40)} is longer than ${LIST_LIMITS.fieldBytes} bytes, or not text`);
  }
  return { filename, fields };
}

/**
 * Writes a stream to a file. After a failure, such as a full disk or too many bytes, the rest is read and thrown away,
 * so that the client is there to hear the answer; one that never stops is cut off. Gives the failure instead of
 * throwing it.
 */
export async function saveBody(stream: Readable, path: string, limit: SizeLimit): Promise<Error | null> {
  let failure: Error | null = null;
  let received = 0;
  try {
    await using file = await open(path, 'w', 0o600);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limit.bytes) failure ??= new UploadRefused(413, limit.refusal);
      if (received > 2 * limit.bytes) stream.destroy();
      if (failure === null) await file.appendFile(chunk).catch((error: Error) => void (failure = error));
    }
  } catch (error) {
    failure ??= error as Error;
  }
  return failure;
}

/** Before a byte is read, where the client says how much it will send. */
export function refuseLength(headers: IncomingHttpHeaders, limit: SizeLimit): void {
  if (Number(headers['content-length'] ?? 0) > limit.bytes) throw new UploadRefused(413, limit.refusal);
}

function openForm(headers: IncomingHttpHeaders, fileBytes: number): BusboyInstance {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { fileSize: fileBytes + 1, files: 1, fields: MAX_PARTS, parts: MAX_PARTS, fieldSize: LIST_LIMITS.fieldBytes },
    });
  } catch {
    throw new UploadRefused(400, 'the multipart boundary is missing in Content-Type');
  }
}
