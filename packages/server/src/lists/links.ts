import { createHmac, timingSafeEqual } from 'node:crypto';
import { isUuid, type Clock } from '@dialhook/engine';
import { LIST_LIMITS } from './limits.ts';
import { UPLOAD_FILES, type UploadFile } from './model.ts';

export interface SignedLink {
  readonly url: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** Makes and checks links that let whoever has one download one file for about an hour, without a key. */
export class DownloadLinks {
  readonly #baseUrl: () => string;
  readonly #key: Buffer;
  readonly #clock: Clock;

  constructor(options: { readonly baseUrl: () => string; readonly key: Buffer; readonly clock: Clock }) {
    this.#baseUrl = options.baseUrl;
    this.#key = options.key;
    this.#clock = options.clock;
  }

  sign(uploadId: string, file: UploadFile): SignedLink {
    const expiresAt = Math.floor(this.#clock.now() / 1000) + LIST_LIMITS.linkSeconds;
    const signature = this.#signature(uploadId, file, String(expiresAt)).toString('hex');
    return { url: `${this.#baseUrl()}/files/${uploadId}/${file}?expires=${expiresAt}&signature=${signature}`, expiresAt };
  }

  /** Whether the link was made here, for this file, and is still valid. */
  verify(uploadId: string, file: string, expires: string, signature: string): file is UploadFile {
    if (!isUuid(uploadId) || !(file in UPLOAD_FILES) || !/^\d{1,12}$/.test(expires) || !/^[0-9a-f]{64}$/.test(signature)) return false;
    const expected = this.#signature(uploadId, file, expires);
    return timingSafeEqual(expected, Buffer.from(signature, 'hex')) && Number(expires) >= this.#clock.now() / 1000;
  }

  #signature(uploadId: string, file: string, expires: string): Buffer {
    return createHmac('sha256', this.#key).update(`${uploadId}/${file}/${expires}`).digest();
  }
}
