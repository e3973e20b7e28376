import { ApiClient, type ApiResponse } from './api-client.ts';

/** A browser without a screen: keeps the cookie, and says where its requests come from. */
export class PanelClient {
  readonly #base: string;
  readonly #api: ApiClient;
  #cookie: string | undefined;
  /** The last `Set-Cookie`, as it came. */
  setCookie = '';

  private constructor(base: string, api: ApiClient, cookie: string | undefined) {
    this.#base = base;
    this.#api = api;
    this.#cookie = cookie;
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
      ...(this.#cookie !== undefined && { cookie: `dialhook_session=${this.#cookie}` }),
    };
    const answer = await this.#api.send<T>(method, path, body, sent);
    const setCookie = answer.headers.get('set-cookie');
    if (setCookie !== null) {
      this.setCookie = setCookie;
      this.#cookie = /^dialhook_session=([^;]*)/.exec(setCookie)?.[1] || undefined;
    }
    return answer;
  }

  /** Opens server-sent events. */
  async follow(path: string): Promise<{ until(pattern: RegExp): Promise<string>; close(): void }> {
    const abort = new AbortController();
    const response = await fetch(this.#base + path, { headers: { cookie: `dialhook_session=${this.#cookie}` }, signal: abort.signal });
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
