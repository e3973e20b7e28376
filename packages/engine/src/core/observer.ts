import type { AttemptError } from './errors.ts';

/** Everything about one attempt that may be seen outside: no URL, no body, no secret. */
export interface AttemptReport {
  readonly delivery: string;
  readonly event: string;
  readonly type: string;
  readonly endpoint: string;
  readonly organization: string;
  readonly dialect: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly outcome: 'delivered' | 'retry' | 'exhausted';
  readonly status: number | null;
  readonly error: AttemptError | null;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Milliseconds from the event to this attempt's start. */
  readonly age: number;
}

/** Statements of the hot path. */
export type HotStatement = 'publish' | 'claim' | 'record';

/** Whoever counts what the engine does. Called on the hot path: must return at once and not throw. */
export interface Observer {
  attempted(report: AttemptReport): void;
  /** A statement ended, for better or worse. */
  executed(statement: HotStatement, rows: number, durationMs: number): void;
}
