import type { FastifyInstance } from 'fastify';
import type { Clock } from '@dialhook/engine';
import { HTTP_LIMITS } from './limits.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** See `RunningServer.leave`. */
    leave: (hurry: AbortSignal) => Promise<void>;
  }
}

/**
 * Lets a process give its clients to others that listen on the same port, without one that is refused or cut off. A server
 * that is closed ends idle connections at once, some of them just when their clients send the next call. Here new
 * connections go to the other processes, and those that are open go on until an answer has told their client to close.
 */
export function letLeave(app: FastifyInstance, clock: Clock): void {
  let isLeaving = false;
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isLeaving) reply.header('connection', 'close');
    done(null, payload);
  });
  app.decorate('leave', async (hurry: AbortSignal) => {
    if (hurry.aborted) return;
    isLeaving = true;
    // Of a process that takes no more, `node:cluster` gives new connections to the next one.
    app.server.maxConnections = 0;
    const deadline = clock.monotonic() + HTTP_LIMITS.leaveMs;
    while (!hurry.aborted && clock.monotonic() < deadline && (await countConnections(app)) > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(HTTP_LIMITS.leaveLookMs, resolve);
      await promise;
    }
  });
}

function countConnections(app: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
