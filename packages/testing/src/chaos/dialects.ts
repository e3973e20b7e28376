/** What the documents promise for each dialect, written down once more: the checker must not take the engine's word for it. */
export interface DialectFacts {
  /** The event types that the run publishes for it; a standard endpoint takes every type. */
  readonly types: readonly string[];
  /** Attempts until a delivery is given up. */
  readonly attempts: number;
  /** The longest wait between two attempts, in ms, before the scale and with its jitter. */
  readonly longestDelayMs: number;
  /** What waits is given up when the endpoint is switched off. */
  readonly dropsWhenDisabled: boolean;
  /** 410 ends the delivery and switches the endpoint off. */
  readonly goneEnds: boolean;
  readonly needsSecret: boolean;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const DIALECTS = {
  standard: { types: [], attempts: 10, longestDelayMs: 24 * HOUR * 1.1, dropsWhenDisabled: false, goneEnds: true, needsSecret: false },
  optimaldial: {
    types: ['upload.completed', 'upload.failed'],
    attempts: 6,
    longestDelayMs: 12 * HOUR,
    dropsWhenDisabled: false,
    goneEnds: false,
    needsSecret: false,
  },
  outboundiq: { types: ['dial.batch'], attempts: 2, longestDelayMs: 500, dropsWhenDisabled: true, goneEnds: false, needsSecret: false },
  dialnexa: { types: ['call.completed'], attempts: 4, longestDelayMs: MINUTE, dropsWhenDisabled: true, goneEnds: false, needsSecret: true },
} as const satisfies Record<string, DialectFacts>;
export type DialectName = keyof typeof DIALECTS;
export const DIALECT_NAMES = Object.keys(DIALECTS) as DialectName[];

/** Of the published types; `thing.done` is for standard endpoints alone. */
export const EVENT_TYPES = ['upload.completed', 'dial.batch', 'call.completed', 'thing.done'] as const;

/** `Retry-After` is honoured by `standard` alone, and holds up its endpoint for this long at most. */
export const LONGEST_HOLD_MS = 30_000;
