import type { Measurements, Snapshot } from '@dialhook/server';

/** What the supervisor says to a server process. */
export type ToProcess =
  /** Take nothing new, finish, end. */
  | { readonly type: 'stop' }
  /** Give the clients to the others first. */
  | { readonly type: 'leave' }
  | { readonly type: 'measure'; readonly id: number; readonly withCommon: boolean }
  /** The answer to `gather`. */
  | { readonly type: 'gathered'; readonly id: number; readonly snapshots: readonly Snapshot[] };

/** What a server process says to the supervisor. */
export type FromProcess =
  | { readonly type: 'ready'; readonly url: string }
  /** It cannot start, or cannot stop, and ends. `isPassing`: it may go well later, such as with a database that is away. */
  | { readonly type: 'failed'; readonly message: string; readonly isPassing: boolean }
  /** The answer to `measure`; without an id it is the last one before the end. */
  | { readonly type: 'measured'; readonly id: number | null; readonly measurements: Measurements }
  /** Somebody asked this process for the metrics of all. */
  | { readonly type: 'gather'; readonly id: number };
