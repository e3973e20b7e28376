import { DATABASE_KINDS, killRun } from '@dialhook/testing';
import { globalSetup, globalTeardown } from '@dialhook/testing/global-setup';
import { saveResult, table } from './report.ts';

const KILLS = 50;

/** Fifty SIGKILLs at random moments under load, on each database. True when nothing was lost or completed twice. */
export async function benchKill(): Promise<boolean> {
  console.log(`\nkill: ${KILLS} SIGKILLs at random moments under load\n`);
  await globalSetup();
  const reports: Record<string, unknown>[] = [];
  try {
    for (const kind of DATABASE_KINDS) {
      const report = await killRun(kind, KILLS, Math.random);
      reports.push({ database: kind, ...report, lost: report.lost.length, doubled: report.doubled.length });
    }
  } finally {
    await globalTeardown();
  }
  table(reports as Record<string, string | number>[]);
  saveResult('kill', { reports });
  return reports.every(
    ({ creditGap, doubled, lost, missedEvents }) => creditGap === 0 && doubled === 0 && lost === 0 && missedEvents === 0,
  );
}
