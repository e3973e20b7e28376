import { killRun } from '@dialhook/testing';
import { globalSetup, globalTeardown } from '@dialhook/testing/global-setup';
import { saveResult, table } from './report.ts';

const RUNS = [
  { database: 'postgres', nodes: 1, kills: 50 },
  { database: 'postgres', nodes: 3, kills: 100 },
  { database: 'embedded', nodes: 1, kills: 50 },
] as const;

/** SIGKILLs at random moments under load: one node on each database, and three nodes on one. True when nothing was lost or completed twice. */
export async function benchKill(): Promise<boolean> {
  console.log('\nkill: SIGKILLs at random moments under load\n');
  await globalSetup();
  const reports: Record<string, unknown>[] = [];
  try {
    for (const { database, kills, nodes } of RUNS) {
      const report = await killRun(database, { kills, nodes, random: Math.random });
      reports.push({ database, ...report, lost: report.lost.length, doubled: report.doubled.length });
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
