import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface OpenApi {
  readonly components: object;
  readonly paths: Record<
    string,
    Record<string, { readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }> }>
  >;
}

export interface ApiResponse<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/**
 * A client over real sockets that holds every answer against `openapi.json`: an undescribed route, status or shape
 * fails the test that met it.
 */
export class ApiClient {
  readonly #base: string;
  readonly #token: string;
  readonly #description: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #validators = new Map<object, ValidateFunction>();

  private constructor(base: string, token: string, description: OpenApi) {
    this.#base = base;
    this.#token = token;
    this.#description = description;
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
  }

  static async connect(base: string, token: string): Promise<ApiClient> {
    const response = await fetch(`${base}/openapi.json`);
    return new ApiClient(base, token, (await response.json()) as OpenApi);
  }

  as(token: string): ApiClient {
    return new ApiClient(this.#base, token, this.#description);
  }

  get<T>(path: string): Promise<ApiResponse<T>> {
    return this.send<T>('GET', path);
  }

  /** Sends a request without a body and holds its answer against nothing. */
  raw(method: string, path: string): Promise<Response> {
    return fetch(this.#base + path, { method, headers: { authorization: `Bearer ${this.#token}` } });
  }

  /** Sends JSON, or what is given as it is when it is text, bytes or a form. */
  async send<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiResponse<T>> {
    const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData || body instanceof ReadableStream;
    const typed = body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' };
    const response = await fetch(this.#base + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...typed, ...headers },
      ...(body !== undefined && { body: raw ? body : JSON.stringify(body), duplex: 'half' }),
    } as RequestInit);
    const text = await response.text();
    const parsed: unknown = text === '' ? null : JSON.parse(text);
    checkHeaders(`${method} ${path}`, response.headers);
    this.#check(method, path.split('?')[0]!, response, parsed);
    return { status: response.status, headers: response.headers, body: parsed as T };
  }

  #check(method: string, path: string, response: Response, body: unknown): void {
    const operation = Object.entries(this.#description.paths).find(
      ([template, operations]) =>
        new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path) && method.toLowerCase() in operations,
    )?.[1][method.toLowerCase()];
    if (operation === undefined) {
      if (response.status === 404) return; // a route that does not exist, on purpose
      throw new Error(`${method} ${path} is not in openapi.json`);
    }
    const described = operation.responses[String(response.status)];
    const where = `${method} ${path} answered ${response.status}`;
    if (described === undefined) throw new Error(`${where}, which openapi.json does not know: ${JSON.stringify(body)}`);
    if (described.content === undefined) {
      if (body !== null) throw new Error(`${where} with a body: ${JSON.stringify(body)}`);
      return;
    }
    const [type, media] = Object.entries(described.content)[0]!;
    if (!response.headers.get('content-type')?.startsWith(type) && body !== null)
      throw new Error(`${where} as ${response.headers.get('content-type')}, not ${type}`);
    const validate = this.#validators.get(media.schema) ?? this.#ajv.compile({ ...media.schema, components: this.#description.components });
    this.#validators.set(media.schema, validate);
    if (!validate(body)) throw new Error(`${where} in another shape: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  }
}

/** Every answer of an API, whatever it says: browsers take it for what it is, and nobody keeps it who was not asked to. */
function checkHeaders(where: string, headers: Headers): void {
  if (headers.get('x-content-type-options') !== 'nosniff') throw new Error(`${where} answered without nosniff`);
  const cache = headers.get('cache-control');
  if (cache !== 'no-store' && !(cache === 'private, no-cache' && headers.has('etag')))
    throw new Error(`${where} answered with cache-control: ${cache}`);
}
