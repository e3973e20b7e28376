/**
 * Array parameters of values that need no quotes: ids, numbers, times. The driver's own conversion looks at every
 * character of every element, which shows at a hundred thousand of them a second.
 */
export function plainArray(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => value ?? 'null').join(',')}}`;
}

/** Unix milliseconds as an array of `timestamptz`. */
export function timeArray(times: readonly (number | null)[]): string {
  return plainArray(times.map((time) => (time === null ? null : new Date(time).toISOString())));
}
