import type { LeasedDelivery } from '../../core/delivery.ts';
import { byteArray, intArray, textArray, timeArray, uuidArray } from '../binary-arrays.ts';

/** What became of a delivery that this node had taken. Times are Unix milliseconds. */
export interface DeliveryResult {
  /** `released`: nothing was sent, and any node may take it. */
  readonly outcome: 'delivered' | 'retry' | 'exhausted' | 'released';
  /** When the attempt began; null when nothing was sent. */
  readonly startedAt: number | null;
  readonly durationMs: number | null;
  readonly status: number | null;
  readonly error: string | null;
  readonly responseBody: string | null;
  /** When the next attempt is due; null when there is none. */
  readonly dueAt: number | null;
  /** What the endpoint was when this was sent to it; null when nothing was sent. */
  readonly endpointVersion: number | null;
  /** What signed it, 32 bytes for each secret; null when nothing was sent. */
  readonly signature: Buffer | null;
  /** Disables the endpoint after so many failures in a row; null for never. */
  readonly disableAfterFailures: number | null;
  /** Whether 410 Gone disables the endpoint. */
  readonly goneDisables: boolean;
}

/** A result with the delivery that it belongs to, ready to be written. */
export interface Result extends DeliveryResult {
  readonly delivery: LeasedDelivery;
}

/** What is written of a delivery to which nothing was sent. */
export const NOTHING_SENT = {
  startedAt: null,
  durationMs: null,
  status: null,
  error: null,
  responseBody: null,
  dueAt: null,
  endpointVersion: null,
  signature: null,
  disableAfterFailures: null,
  goneDisables: false,
} as const satisfies Partial<DeliveryResult>;

/** What a recording statement has to tell. */
export interface Recorded {
  /** Batches that are no longer this node's: their results were not stored. */
  readonly lostBatches: readonly string[];
  /** Endpoints that are switched off now. */
  readonly disabled: readonly string[];
  /** Endpoints that failed and are deleted: what waits for them is to be ended. */
  readonly missing: readonly string[];
}

/** One row of a recording statement's answer. */
export interface RecordedRow {
  readonly id: string;
  readonly what: 'held' | 'disabled' | 'missing';
}

/** $1 to $11: columns that both statements have, see `RESULT_COLUMNS`. */
export function resultValues(results: readonly Result[]): unknown[] {
  return [
    uuidArray(results.map((r) => r.delivery.id)),
    textArray(results.map((r) => r.outcome)),
    intArray(results.map((r) => r.delivery.attempt)),
    timeArray(results.map((r) => r.startedAt)),
    intArray(results.map((r) => r.durationMs)),
    intArray(results.map((r) => r.status)),
    textArray(results.map((r) => r.error)),
    textArray(results.map((r) => r.responseBody)),
    timeArray(results.map((r) => r.dueAt)),
    intArray(results.map((r) => r.endpointVersion)),
    byteArray(results.map((r) => r.signature)),
  ];
}

export const RESULT_ARRAYS = `$1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::int[], $6::int[], $7::text[], $8::text[],
  $9::timestamptz[], $10::int[], $11::bytea[]`;
export const RESULT_COLUMNS = `id, outcome, attempt, started_at, duration_ms, status, error, body, due_at, version, signature`;
