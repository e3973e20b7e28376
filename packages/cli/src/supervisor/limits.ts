/** Bounds of running several server processes, each with its reason. */
export const PROCESS_LIMITS = {
  /** For a process to stop: it answers calls and finishes its requests, each at most 15 seconds, and writes the results. Then it is killed. */
  stopMs: 60_000,
  /** Before a process that ended is started again: doubled each time that it ends soon after its start, up to the second. */
  restartMs: 100,
  maxRestartMs: 10_000,
  /** A process that lives for so long after its start did not end soon. */
  soonMs: 10_000,
  /** One that ends so often in a row soon after its start ends all: nothing is mended by trying again. */
  soonEnds: 5,
  /** For a process to say what it measures; then what it said last counts. */
  measureMs: 1_000,
  /** For the supervisor to say what all of them measure. */
  gatherMs: 3_000,
} as const;
