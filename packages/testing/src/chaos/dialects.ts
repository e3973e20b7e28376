/** What the documents promise for each dialect, written down once more: the checker must not take the engine's word for it. */
export interface DialectFacts {
  /** The event types that the run publishes for it; a standard endpoint takes every type. */
  readonly types: readonly string[];
  /** The waits between attempts, in ms, before the scale: one attempt more than waits is made. */
  readonly delaysMs: readonly number[];
  /** The part of a wait that is random. */
  readonly jitter: number;
  /** What waits is given up when the endpoint is switched off. */
  readonly dropsWhenDisabled: boolean;
  /** 410 ends the delivery and switches the endpoint off. */
  readonly goneEnds: boolean;
  readonly needsSecret: boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const DIALECTS = {
  standard: {
    types: [],
    delaysMs: [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
    jitter: 0.1,
    dropsWhenDisabled: false,
    goneEnds: true,
    needsSecret: false,
  },
  optimaldial: {
    types: ['upload.completed', 'upload.failed'],
    delaysMs: [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR],
    jitter: 0,
    dropsWhenDisabled: false,
    goneEnds: false,
    needsSecret: false,
  },
  outboundiq: { types: ['dial.batch'], delaysMs: [500], jitter: 0, dropsWhenDisabled: true, goneEnds: false, needsSecret: false },
  dialnexa: {
    types: ['call.completed'],
    delaysMs: [SECOND, 10 * SECOND, MINUTE],
    jitter: 0,
    dropsWhenDisabled: true,
    goneEnds: false,
    needsSecret: true,
  },
} as const satisfies Record<string, DialectFacts>;
export type DialectName = keyof typeof DIALECTS;
export const DIALECT_NAMES = Object.keys(DIALECTS) as DialectName[];

/** Of the published types; `thing.done` is for standard endpoints alone. */
export const EVENT_TYPES = ['upload.completed', 'dial.batch', 'call.completed', 'thing.done'] as const;

/** `Retry-After` is honoured by `standard` alone, and holds up its endpoint for this long at most. */
export const LONGEST_HOLD_MS = 30_000;
