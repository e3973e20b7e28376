import { setTimeout as wait } from 'node:timers/promises';
import { openDatabase, uuidv7, type Database } from '@dialhook/engine';
import { System } from './delivery/system.ts';
import { median, saveResult, table } from './report.ts';

const CAMPAIGNS = 1_000;
const LEADS_EACH = 100;
const ROUNDS = 3;
const IDLE_MS = 10_000;
const LOAD = { batch: 10, connections: 16, window: 2_000, warmUpMs: 3_000, measureMs: 6_000 };
/** The goals: of a core while idle, and of the events a second. */
const MAX_IDLE_SHARE = 0.01;
const MIN_RATE = 0.9;

interface Measured {
  /** Of one core, node and database together. */
  readonly idleShare: number;
  readonly eventsPerSecond: number;
  /** Rows that the campaigns' tables were asked for while idle, and how often a whole one was read. */
  readonly scannedRows: number;
  readonly tableScans: number;
}

/** What a thousand active campaigns cost that wait for their time: the same node idle and loaded, without and with them in turn. */
export async function benchCampaigns(): Promise<boolean> {
  console.log(`\ncampaigns: ${CAMPAIGNS} that wait, half for their start and half for a retry, ${LEADS_EACH} leads each\n`);
  const system = await System.start({ database: 'postgres', nodes: 1, fanOut: 1 });
  const database = await openDatabase({ url: system.databaseUrl, dataDir: '' });
  try {
    const rounds: { without: Measured; with: Measured }[] = [];
    const progress = { published: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const without = await measure(system, database, progress);
      await addCampaigns(database);
      rounds.push({ without, with: await measure(system, database, progress) });
      await database.query({ text: 'truncate campaigns, campaign_leads' });
    }
    const middle = (which: 'without' | 'with', what: keyof Measured) => median(rounds.map((round) => round[which][what]));
    table(
      TITLES.map(([what, title, format]) => ({
        what: title,
        none: format(middle('without', what)),
        [`${CAMPAIGNS} waiting`]: format(middle('with', what)),
      })),
    );
    saveResult('campaigns', { campaigns: CAMPAIGNS, leadsEach: LEADS_EACH, rounds });
    return (
      middle('with', 'idleShare') - middle('without', 'idleShare') <= MAX_IDLE_SHARE &&
      middle('with', 'eventsPerSecond') >= MIN_RATE * middle('without', 'eventsPerSecond') &&
      rounds.every((round) => round.with.scannedRows === 0)
    );
  } finally {
    await database.close();
    await system.stop();
  }
}

const TITLES: readonly [keyof Measured, string, (value: number) => string][] = [
  ['idleShare', 'idle, % of a core', (value) => (value * 100).toFixed(2)],
  ['eventsPerSecond', 'events a second, under load', (value) => value.toFixed(0)],
  ['scannedRows', 'rows of campaigns and leads read while idle', String],
  ['tableScans', 'whole tables of them read while idle', String],
];

async function measure(system: System, database: Database, progress: { published: number }): Promise<Measured> {
  const loaded = await system.load(LOAD);
  progress.published += loaded.published;
  await system.checkRecorded(progress.published);
  // What the database does later because of the load is done now.
  await database.query({ text: 'vacuum' });
  await database.query({ text: 'checkpoint' });
  const [scansBefore, cpuBefore] = [await scans(database), system.cpuMs()];
  await wait(IDLE_MS);
  const [cpuAfter, scansAfter] = [system.cpuMs(), await scans(database)];
  return {
    idleShare: (cpuAfter - cpuBefore) / IDLE_MS,
    eventsPerSecond: loaded.deliveredPerSecond,
    scannedRows: scansAfter.rows - scansBefore.rows,
    tableScans: scansAfter.whole - scansBefore.whole,
  };
}

async function scans(database: Database): Promise<{ rows: number; whole: number }> {
  const [row] = await database.query<{ rows: number; whole: number }>({
    text: `select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint as rows, coalesce(sum(seq_scan), 0)::bigint as whole
             from pg_stat_user_tables where relname in ('campaigns', 'campaign_leads')`,
  });
  return row!;
}

async function addCampaigns(database: Database): Promise<void> {
  const [organization] = await database.query<{ id: string }>({ text: 'select id from organizations limit 1' });
  const now = Date.now();
  const later = new Date(now + 7 * 86_400_000);
  const ids = Array.from({ length: CAMPAIGNS }, () => uuidv7(now));
  await database.query({
    text: `insert into campaigns (id, organization_id, name, agent_id, status, max_concurrent_calls, max_retries, retry_interval_minutes,
             scheduled_at, pending_leads, due_at, created_at, updated_at)
           select id, $2, 'waiting', 'agt_1', case when place % 2 = 0 then 'active' else 'running' end, 20, 3, 60,
             case when place % 2 = 0 then $3::timestamptz end, $4, $3, now(), now()
             from unnest($1::uuid[]) with ordinality as i (id, place)`,
    values: [ids, organization!.id, later, LEADS_EACH],
  });
  await database.query({
    text: `insert into campaign_leads (id, organization_id, campaign_id, phone_number, notes, status, attempts, due_at, created_at)
           select gen_random_uuid(), $2, c, '+447700900123', '{}', 'pending', 1, $3, now() from unnest($1::uuid[]) c, generate_series(1, $4)`,
    values: [ids, organization!.id, later, LEADS_EACH],
  });
  await database.query({ text: 'analyze campaigns, campaign_leads' });
}
