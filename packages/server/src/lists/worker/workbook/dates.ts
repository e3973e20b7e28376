/** Formats that every workbook knows by number and that show a day or a time (ECMA-376, 18.8.30). */
const BUILT_IN: readonly (readonly [from: number, to: number])[] = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
];

/** Parts of a format that are shown as they are, or that say a color, a condition or a locale. `[h]` is a time. */
const LITERALS = /"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi;

const DAY_MS = 86_400_000;
/** Day 0 of a workbook; the day 29 February 1900, which never was, is day 60. */
const EPOCH_1900 = Date.UTC(1899, 11, 30);
const EPOCH_1904 = Date.UTC(1904, 0, 1);
/** 31 December 9999, where a workbook's calendar ends. */
const LAST_DAY = 2_958_466;

/** Whether a number format shows its number as a day or a time. */
export function isDateFormat(id: number, code: string | undefined): boolean {
  if (code === undefined) return BUILT_IN.some(([from, to]) => id >= from && id <= to);
  return /[dmyhs]/i.test(
    code
      .split(';')[0]!
      .replaceAll(LITERALS, '')
      .replaceAll(/general/gi, ''),
  );
}

/**
 * The moment of a serial number as text: `2026-05-02`, `2026-05-02 09:14:58`, or `09:14:58` for a time without a day. A workbook's times
 * have no zone. Null for numbers outside of its calendar.
 */
export function dateText(serial: number, is1904: boolean): string | null {
  if (!(serial >= 0 && serial < LAST_DAY)) return null;
  // Before March 1900 a day is off by one, because of the day that never was.
  const shift = !is1904 && serial < 60 ? 1 : 0;
  const ms = Math.round((serial + shift) * 86_400) * 1_000;
  const iso = new Date((is1904 ? EPOCH_1904 : EPOCH_1900) + ms).toISOString();
  const [day, time] = [iso.slice(0, 10), iso.slice(11, 19)];
  if (serial < 1 && !is1904) return time;
  return ms % DAY_MS === 0 ? day : `${day} ${time}`;
}
