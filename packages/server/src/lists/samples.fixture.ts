/** The numbers of the vendor's getting-started page: +1555 and seven digits, counted from 0000000. */
export function sampleNumbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => `+1555${String(from + n).padStart(7, '0')}`);
}

/** A CSV with a header and real-looking rows. */
export function sampleCsv(count: number, phoneColumn = 'phone'): string {
  return `name,${phoneColumn}\n${sampleNumbers(count)
    .map((number, n) => `Person ${n},${number}`)
    .join('\n')}\n`;
}
