/** The operator API as the run's tenants and publishers use it. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
}
/** Nothing was sent, or nobody knows what became of it. */
export type NoAnswer = 'not_sent' | 'unknown';

const TIMEOUT_MS = 15_000;

export async function callApi(url: string, token: string, method: string, path: string, body?: unknown): Promise<ApiAnswer | NoAnswer> {
  try {
    const response = await fetch(`${url}/operator/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text), retryAfter: response.headers.get('retry-after') };
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    return cause?.code === 'ECONNREFUSED' ? 'not_sent' : 'unknown';
  }
}
