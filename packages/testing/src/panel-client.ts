import { createHash } from 'node:crypto';
import { ApiClient, type ApiResponse } from './api-client.ts';

/** A browser without a screen: keeps the cookie, and says where its requests come from. */
export class PanelClient {
  readonly #base: string;
  readonly #api: ApiClient;
  /** `name=value` */
  #cookie: string | undefined;
  /** The last `Set-Cookie`, as it came. */
  setCookie = '';

  private constructor(base: string, api: ApiClient, cookie: string | undefined) {
    this.#base = base;
    this.#api = api;
    this.#cookie = cookie === undefined ? undefined : `dialhook_session=${cookie}`;
  }

  static async connect(base: string, cookie?: string): Promise<PanelClient> {
    return new PanelClient(base, await ApiClient.connect(base, 'none'), cookie);
  }

  get<T>(path: string): Promise<ApiResponse<T>> {
    return this.send<T>('GET', path);
  }

  /** `origin` undefined in the headers: none is sent. */
  async send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: { readonly origin?: string | undefined } = { origin: this.#base },
  ): Promise<ApiResponse<T>> {
    const sent: Record<string, string> = {
      ...(headers.origin !== undefined && { origin: headers.origin }),
      ...(this.#cookie !== undefined && { cookie: this.#cookie }),
    };
    const answer = await this.#api.send<T>(method, path, body, sent);
    const setCookie = answer.headers.get('set-cookie');
    if (setCookie !== null) {
      this.setCookie = setCookie;
      this.#cookie = /^[^=]+=[^;]+/.exec(setCookie)?.[0];
    }
    return answer;
  }

  /** Signs in as the panel's page does: with a proof of work when one is asked for. */
  async signIn(email: string, password: string): Promise<ApiResponse<{ readonly code: string } | null>> {
    const answer = await this.send<{ code: string } | null>('POST', '/panel/session', { email, password });
    if (answer.body?.code !== 'proof_needed') return answer;
    const { body } = await this.get<{ challenge: string; bits: number }>('/panel/session/challenge');
    return this.send('POST', '/panel/session', { email, password, proof: solve(body) });
  }

  /** Opens server-sent events. */
  async follow(path: string): Promise<{ until(pattern: RegExp): Promise<string>; close(): void }> {
    const abort = new AbortController();
    const response = await fetch(this.#base + path, { headers: { cookie: this.#cookie ?? '' }, signal: abort.signal });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    return {
      until: async (pattern) => {
        while (!pattern.test(text)) {
          const { done, value } = await reader.read();
          if (done) throw new Error(`The events ended: ${text}`);
          text += value;
        }
        return text;
      },
      close: () => abort.abort(),
    };
  }
}

/** Tries numbers until the hash begins with so many zero bits. */
function solve({ bits, challenge }: { readonly challenge: string; readonly bits: number }): string {
  for (let n = 0; ; n++) {
    const proof = `${challenge}:${n}`;
    if (Math.clz32(createHash('sha256').update(proof).digest().readUInt32BE(0)) >= bits) return proof;
  }
}
