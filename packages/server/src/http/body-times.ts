import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '@dialhook/engine';
import { HTTP_LIMITS } from './limits.ts';

/** A body did not arrive in its time. Every surface answers 408 in its own shape. */
export class BodyTooSlow extends Error {
  override readonly name = 'BodyTooSlow';
  readonly statusCode = 408;
  constructor() {
    super('The body did not arrive in time');
  }
}

/**
 * Gives every body a time. Node's own limit is one for all requests, and as long as the longest upload needs: without this, a few bytes
 * now and then would hold a connection for a quarter of an hour. Bodies that a handler streams are the handler's to watch.
 */
export function limitBodyTimes(app: FastifyInstance, clock: Clock): void {
  const reading = new Map<FastifyRequest, number>();
  const answered = new Map<IncomingMessage, number>();
  let cancelSweep: (() => void) | undefined;

  const sweep = () => {
    cancelSweep = undefined;
    const now = clock.monotonic();
    for (const [request, until] of reading) {
      const { raw } = request;
      if (raw.complete || raw.destroyed) reading.delete(request);
      // Without a listener nobody reads yet: the call waits for us, not for the client.
      else if (until <= now && raw.listenerCount('error') > 0) {
        reading.delete(request);
        raw.emit('error', new BodyTooSlow()); // its reader answers with it
      }
    }
    for (const [raw, until] of answered) {
      if (raw.complete || raw.destroyed) answered.delete(raw);
      else if (until <= now) {
        answered.delete(raw);
        raw.destroy(); // with its connection
      }
    }
    arm();
  };
  const arm = () => {
    if (reading.size + answered.size > 0) cancelSweep ??= clock.after(HTTP_LIMITS.bodySweepMs, sweep);
  };

  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request;
    const length = headers['content-length'];
    if ((length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined) {
      reading.set(request, clock.monotonic() + HTTP_LIMITS.bodyMs + (Number(length ?? 0) / HTTP_LIMITS.bodyBytesPerSecond) * 1000);
      arm();
    }
    done();
  });
  app.addHook('preValidation', (request, _reply, done) => {
    reading.delete(request); // read, or handed on as a stream
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.statusCode === 408) reply.header('connection', 'close'); // the rest of the body is not waited for
    done(null, payload);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    reading.delete(request);
    if (!request.raw.complete && !request.raw.destroyed) {
      answered.set(request.raw, clock.monotonic() + HTTP_LIMITS.bodyMs);
      arm();
    }
    done();
  });
  app.addHook('onClose', async () => cancelSweep?.());
}
