/** Every number and time that the panel shows is formatted here. */

const whole = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const hourMinute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'narrow' });

export const formatNumber = (value: number) => whole.format(value);
export const formatCompact = (value: number) => compact.format(value);
export const formatTime = (iso: string) => dateTime.format(new Date(iso));
export const formatHour = (iso: string) => hourMinute.format(new Date(iso));
export const formatPercent = (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
export const formatMs = (ms: number | null) => (ms === null ? '–' : ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

/** "3 min. ago"; within a second it is now. */
export function formatAgo(iso: string, now = Date.now()): string {
  const away = Date.parse(iso) - now;
  const [unit, size] = STEPS.find(([, step]) => Math.abs(away) >= step) ?? ['second', 1_000];
  return relative.format(Math.round(away / size), unit);
}

/** `call.completed` reads better than `CALL_COMPLETED`, and `awaiting_confirmation` as words. */
export const words = (code: string) => code.replaceAll('_', ' ');
