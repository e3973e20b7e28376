import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { Problem } from './problems.ts';
import { beginCall, finishCall, forgetCall } from './store/idempotency-keys.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while this request does a call that carries an Idempotency-Key. */
    idempotencyKey: string | null;
  }
}

export const IDEMPOTENCY = {
  /** How long an answer is kept. */
  keepMs: 24 * 3_600_000,
  /** A call without an answer after this time was abandoned by a node that died: it may be done again. */
  abandonedMs: 60_000,
  /** Characters of a key. */
  keyLength: 255,
} as const;

const KEY = /^[\x21-\x7e]+$/;

/**
 * `Idempotency-Key` on every POST of a surface: the first call is done and its answer kept, a repeat gets the same
 * answer. A call that failed on our side is not kept. After a crash between doing and keeping, a repeat is done
 * again: at least once, like delivery.
 */
export function addIdempotency(app: FastifyInstance, { clock, database, sealer }: Context): void {
  app.decorateRequest('idempotencyKey', null);

  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || key === undefined) return;
    if (typeof key !== 'string' || key.length > IDEMPOTENCY.keyLength || !KEY.test(key)) {
      throw new Problem('invalid_request', `Idempotency-Key must be 1 to ${IDEMPOTENCY.keyLength} printable characters`, 'Idempotency-Key');
    }
    const fingerprint = createHash('sha256')
      .update(`${request.method} ${request.url} ${JSON.stringify(request.body)}`)
      .digest();
    const now = clock.now();
    const earlier = await beginCall(database, key, fingerprint, new Date(now), new Date(now - IDEMPOTENCY.abandonedMs));
    if (earlier === null) {
      request.idempotencyKey = key;
      return;
    }
    if (!earlier.fingerprint.equals(fingerprint)) throw new Problem('idempotency_mismatch');
    if (earlier.status === null || earlier.sealedBody === null) throw new Problem('idempotency_in_progress');
    const type = earlier.status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json';
    await reply
      .code(earlier.status)
      .type(type)
      .header('idempotent-replayed', 'true')
      .send(JSON.parse(sealer.open(earlier.sealedBody, key)));
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const key = request.idempotencyKey;
    if (key === null) return payload;
    request.idempotencyKey = null; // once, whatever becomes of it
    // A database in trouble is not waited for: the call counts as abandoned after a minute.
    if (reply.statusCode === 503) void forgetCall(database, key).catch(() => {});
    else if (reply.statusCode >= 500) await forgetCall(database, key);
    else await finishCall(database, key, reply.statusCode, sealer.seal(typeof payload === 'string' ? payload : 'null', key));
    return payload;
  });
}
