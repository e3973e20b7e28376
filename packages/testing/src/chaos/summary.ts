import type { ChaosReport } from './run.ts';

/** Of what is unexplained for one reason so many lines are shown, so long; all of it is in the raw values. */
const SHOWN = 3;
const SHOWN_CHARACTERS = 400;

/** A report for people. */
export function summarize(report: ChaosReport): string {
  const { answers, events, faults, verdict } = report;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  const excused = Object.entries(verdict.excused).map(
    ([reason, { atMs, count }]) => `${reason} ${count} (at ${atMs.map((at) => (at / 1000).toFixed(0)).join(', ')} s)`,
  );
  const lines = [
    `seed ${report.seed}, ${report.minutes} minutes, ${report.seconds} s in all, ${report.isDrained ? 'drained in' : 'NOT drained after'} ${report.secondsToDrain} s${report.without.length > 0 ? `, without ${report.without.join(', ')}` : ''}`,
    `done to it:   ${list(faults)}`,
    `events:       ${events.published} published, ${events.accepted} accepted, ${events.refused} refused, ${events.unknown} unknown; answers: ${list(answers)}; 503 without Retry-After: ${report.withoutRetryAfter}`,
    `deliveries:   ${verdict.deliveries}, ${verdict.expected} expected; ${verdict.delivered} delivered, ${verdict.givenUp} given up, ${verdict.waiting} waiting`,
    `excused:      ${excused.join('; ') || 'none'}`,
    `requests:     ${report.requests}; repeats: ${list(verdict.repeats as Record<string, number>)}`,
    `refused, and stored all the same: ${verdict.refusedButStored}`,
    ...report.unaskedEnds.map(
      ({ at, code, node, output }) => `node ${node} ended by itself at ${Math.round(at)} ms with ${code}: ${output.slice(-2000)}`,
    ),
    `unexplained:  ${verdict.unexplained.length}`,
    ...grouped(verdict.unexplained),
  ];
  return lines.join('\n');
}

/** The same reason with other numbers is one group. */
function grouped(unexplained: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const what of unexplained) {
    const reason = what.replaceAll(/[\w-]*\d[\w-]*/g, '…').slice(0, SHOWN_CHARACTERS / 2);
    groups.set(reason, [...(groups.get(reason) ?? []), what]);
  }
  return [...groups.values()].flatMap((group) => [
    `  ${group.length} like these:`,
    ...group.slice(0, SHOWN).map((what) => `    ${what.slice(0, SHOWN_CHARACTERS)}`),
  ]);
}
