import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const VERSION = 1; // of the sealed form, so that keys can be rotated one day
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts secrets at rest: AES-256-GCM, bound to the row they belong to. */
export class Sealer {
  readonly #key: Buffer;

  /** `key` is 32 bytes. */
  constructor(key: Buffer) {
    if (key.length !== 32) throw new Error(`The secret key has ${key.length} bytes and must have 32.`);
    this.#key = key;
  }

  /** Version, nonce, ciphertext, tag. `context` must be the same when it is opened, such as the row's id. */
  seal(text: string, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws when the bytes were changed, moved to another row or sealed with another key. */
  open(sealed: Buffer, context: string): string {
    if (sealed[0] !== VERSION) throw new Error('Sealed by an unknown version of Dialhook.');
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }
}
