import type { Call } from '../model.ts';

/**
 * What dials. It finds its work among the calls that wait, and tells `Calls.report` how they go. There are two: the
 * operator's own dialler, which asks over HTTP, and a simulator.
 */
export interface CallEngine {
  readonly name: 'external' | 'simulator';
  start(): void;
  stop(): Promise<void>;
  /** Calls that wait were committed. */
  wake(): void;
  /** Hands calls to whoever asks for them, or null when they are not handed out. Those not heard of in `forMs` are handed out again. */
  take(limit: number, forMs: number): Promise<Call[] | null>;
}
