import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@dialhook/engine';
import { SESSION_LIMITS } from './session-limits.ts';

/** What a browser is asked to solve: find a number so that the SHA-256 of `<challenge>:<number>` begins with `bits` zeros. */
export interface ProofChallenge {
  readonly challenge: string;
  readonly bits: number;
}

/** `<until>.<random>.<signature>:<number>` */
const PROOF = /^((([0-9a-z]{1,12})\.[\w-]{16})\.([\w-]{43})):\d{1,12}$/;

/**
 * Proofs of work for strangers who sign in while many do. A challenge is signed and dated, so that nothing is kept until
 * it is solved; a solved one is kept until it is too old, so that it counts once on each node.
 */
export class Proofs {
  readonly #key: Buffer;
  readonly #clock: Clock;
  /** Used ones with the time when they are too old anyway, oldest first. */
  readonly #used = new Map<string, number>();

  constructor(key: Buffer, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  challenge(): ProofChallenge {
    const until = this.#clock.now() + SESSION_LIMITS.proofMs;
    const text = `${until.toString(36)}.${randomBytes(12).toString('base64url')}`;
    return { challenge: `${text}.${this.#signature(text)}`, bits: SESSION_LIMITS.proofBits };
  }

  /** Whether `<challenge>:<number>` is a challenge of ours, solved, and not used before. Uses it. */
  use(proof: string): boolean {
    const [, challenge, text, until, signature] = PROOF.exec(proof) ?? [];
    if (challenge === undefined) return false;
    const now = this.#clock.now();
    const endsAt = Number.parseInt(until!, 36);
    if (endsAt <= now || !timingSafeEqual(Buffer.from(this.#signature(text!)), Buffer.from(signature!))) return false;
    if (leadingZeros(createHash('sha256').update(proof).digest()) < SESSION_LIMITS.proofBits) return false;
    for (const [old, end] of this.#used) {
      if (end > now) break;
      this.#used.delete(old);
    }
    if (this.#used.has(challenge)) return false;
    this.#used.set(challenge, endsAt);
    return true;
  }

  #signature(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function leadingZeros(bytes: Buffer): number {
  return Math.clz32(bytes.readUInt32BE(0));
}
