import { Transform, type Readable } from 'node:stream';
import type { Clock } from '@dialhook/engine';
import { UploadRefused } from '../lists/model.ts';
import { HTTP_LIMITS } from './limits.ts';

/** Begins to read a body; not called for one that is refused before, such as for its length. */
export type OpenBody = () => Readable;

/**
 * The body of an upload, which fails with 408 when nothing comes for a minute, or too little in a minute. A client that hung up makes it
 * fail too. Time in which we do not read, such as while the disk is slow, is not the client's.
 */
export function watchUpload(body: Readable, clock: Clock): OpenBody {
  return () => watch(body, clock);
}

function watch(body: Readable, clock: Clock): Readable {
  const least = (HTTP_LIMITS.uploadStallMs / 1000) * HTTP_LIMITS.uploadBytesPerSecond;
  let bytes = 0;
  let heardAt = clock.monotonic();
  let windowBegan = heardAt;
  let cancelCheck = () => {};
  const watched = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      heardAt = clock.monotonic();
      done(null, chunk);
    },
  });
  const check = () => {
    const reason = whatIsWrong();
    if (reason === null) cancelCheck = clock.after(HTTP_LIMITS.uploadCheckMs, check);
    else watched.destroy(new UploadRefused(408, reason));
  };
  const whatIsWrong = (): string | null => {
    const now = clock.monotonic();
    if (watched.writableNeedDrain) heardAt = windowBegan = now;
    if (now - heardAt >= HTTP_LIMITS.uploadStallMs) return 'The upload brought nothing for a minute';
    if (now - windowBegan < HTTP_LIMITS.uploadStallMs) return null;
    if (bytes < least) return `The upload is too slow: at least ${HTTP_LIMITS.uploadBytesPerSecond / 1024} KiB a second are needed`;
    windowBegan = now;
    bytes = 0;
    return null;
  };
  cancelCheck = clock.after(HTTP_LIMITS.uploadCheckMs, check);

  body.once('end', () => cancelCheck());
  body.once('close', () => {
    if (!body.readableEnded) watched.destroy(new Error('the body ended early'));
  });
  body.on('error', () => {}); // told by `close`
  watched.on('error', () => {}); // its reader hears of it when it reads, which may be a moment later
  watched.once('close', () => {
    cancelCheck();
    body.unpipe(watched);
    // One that is too slow gets its answer; one that we gave up without a reason for it, such as too many bytes, is cut off.
    if (!watched.readableEnded && watched.errored === null) body.destroy();
  });
  return body.pipe(watched);
}
