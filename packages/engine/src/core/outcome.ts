import type { Dialect } from './dialect.ts';
import type { AttemptError } from './errors.ts';

/** What came back from one attempt. */
export interface AttemptResult {
  /** The answer's status, or null when no complete answer head came. */
  readonly status: number | null;
  readonly error: AttemptError | null;
  /**
   * True when nothing says that the receiver failed: our name server answers no name at all, no network leads out of this
   * machine, its sockets are used up, or the operator's proxy is away. It is a strong hint and no proof: whoever spares a
   * receiver because of it must still bound how often.
   */
  readonly ours?: boolean | undefined;
  /** The beginning of the answer's body. */
  readonly responseBody: string;
  /** `Retry-After` in milliseconds, when the answer had one. */
  readonly retryAfterMs: number | null;
  readonly startedAt: number;
  readonly durationMs: number;
}

/** What a result means for its delivery. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** `pauseMs`: how long the receiver asked to be left alone; 0 when it did not, or when the dialect does not listen. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly pauseMs: number }
  | { readonly kind: 'exhausted' };

/** A `Retry-After` beyond this is not waited for in full: a receiver must not park a delivery for weeks. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * Decides what follows attempt number `attempt` (1 for the first). `scale` multiplies the delays (for trying retries
 * out), `random` gives [0, 1).
 */
export function outcomeOf(dialect: Dialect, attempt: number, result: AttemptResult, scale: number, random: () => number): Outcome {
  if (isSuccess(result)) return { kind: 'delivered' };
  if (result.status === 410 && dialect.goneDisables) return { kind: 'exhausted' };
  const delay = dialect.retryDelaysMs[attempt - 1];
  if (delay === undefined) return { kind: 'exhausted' };
  const jittered = delay * (1 + dialect.jitter * (2 * random() - 1)) * scale;
  const asked = dialect.honoursRetryAfter && (result.status === 429 || result.status === 503) ? (result.retryAfterMs ?? 0) : 0;
  return { kind: 'retry', delayMs: Math.round(Math.max(jittered, Math.min(asked, MAX_RETRY_AFTER_MS))), pauseMs: asked };
}

/** 2xx and a complete head; redirects are not followed, so 3xx fails. */
export function isSuccess(result: Pick<AttemptResult, 'status' | 'error'>): boolean {
  return result.error === null && result.status !== null && result.status >= 200 && result.status < 300;
}

/** Reads `Retry-After`: seconds or an HTTP date. Null when it is neither. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
