/**
 * Durations by power of the square root of two, from a millisecond to a minute: 33 numbers say any percentile to within
 * a fifth, and the histograms of hours and endpoints add up.
 */
const STEPS_PER_DOUBLING = 2;
export const BUCKETS = 33;

export function bucketOf(durationMs: number): number {
  return Math.max(0, Math.min(BUCKETS - 1, Math.ceil(STEPS_PER_DOUBLING * Math.log2(Math.max(1, durationMs)))));
}

/** The duration, in milliseconds, that this share of the attempts took at most; null without attempts. */
export function percentile(latencies: readonly number[], share: number): number | null {
  const total = latencies.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = total * share;
  const bucket = latencies.findIndex((count) => (left -= count) <= 0);
  // The middle of the bucket, on the scale that it is of.
  return Math.round(2 ** ((bucket - 0.5) / STEPS_PER_DOUBLING) * 10) / 10;
}
