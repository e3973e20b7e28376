import { openDatabase, type Database } from '@dialhook/engine';
import { eventually } from '@dialhook/testing';
import { median, saveResult, table } from '../report.ts';
import { fillHistory } from './history.ts';
import { System } from './system.ts';

const LOAD = { batch: 100, connections: 8, window: 2_000, warmUpMs: 4_000, measureMs: 8_000 };
const ROUNDS = 3;
const SIZES = [0, 1_000_000, 10_000_000];
const BACKLOG = 1_000_000;
const MIN_WITH_HISTORY = 0.9;
const MIN_DRAIN = 0.8;
const DRAIN_TIMEOUT_MS = 10 * 60_000;

/** Does it get slower with what is stored? Fresh rates with 0, 1 and 10 million deliveries in the history; a backlog being drained. */
export async function benchGrowth(): Promise<boolean> {
  console.log(
    `\ngrowth: fresh rate with ${SIZES.join(', ')} stored deliveries, fresh processes; then ${BACKLOG} due retries are drained\n`,
  );
  const rows: Record<string, string | number>[] = [];
  const raw: Record<string, number[]> = {};
  for (const size of SIZES) {
    const system = await System.start({ database: 'postgres', nodes: 1, fanOut: 1 });
    const database = await openDatabase({ url: system.databaseUrl, dataDir: '' });
    try {
      await fillHistory(database, size);
      // As old history is: vacuumed and written out long ago.
      await database.query({ text: 'vacuum (freeze, analyze)' });
      await database.query({ text: 'checkpoint' });
      const rates: number[] = [];
      for (let round = 0; round < ROUNDS; round++) rates.push(Math.round((await system.load(LOAD)).deliveredPerSecond));
      raw[`${size} stored`] = rates;
      const listMs = await timed(() => system.call('GET', `/organizations/${system.organizations[0]}/deliveries?limit=50`));
      const bytes = await database.query<{ bytes: number }>({
        text: `select sum(pg_total_relation_size(inhrelid))::bigint as bytes from pg_inherits join pg_class p on p.oid = inhparent where p.relkind = 'p'`,
      });
      rows.push({
        what: `${size} stored`,
        'deliveries/s': median(rates),
        ratio: Number((median(rates) / median(raw['0 stored']!)).toFixed(2)),
        'size, GB': Number((bytes[0]!.bytes / 1e9).toFixed(2)),
        'newest 50, ms': Math.round(listMs),
      });
      if (size !== SIZES[1]) continue;
      const drained = await drain(system, database);
      raw.drain = [Math.round(drained)];
      const ratio = Number((drained / median(rates)).toFixed(2));
      rows.push({
        what: `draining ${BACKLOG} due retries`,
        'deliveries/s': Math.round(drained),
        ratio,
        'size, GB': '',
        'newest 50, ms': '',
      });
    } finally {
      await database.close();
      await system.stop();
    }
  }
  table(rows);
  saveResult('growth', { raw, summary: rows });
  const ratioOf = (what: string) => Number(rows.find((row) => String(row.what).startsWith(what))!.ratio);
  return ratioOf(`${SIZES.at(-1)} `) >= MIN_WITH_HISTORY && ratioOf('draining') >= MIN_DRAIN;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Deliveries whose retry is due, of events that are stored: how fast they go. */
async function drain(system: System, database: Database): Promise<number> {
  const slugs = system.organizations;
  const endpoints = await Promise.all(
    slugs.map(async (slug) => (await system.call<{ data: { id: string }[] }>('GET', `/organizations/${slug}/endpoints`)).data[0]!.id),
  );
  const verb = (what: 'pause' | 'resume') =>
    Promise.all(slugs.map((slug, n) => system.call('POST', `/organizations/${slug}/endpoints/${endpoints[n]}/${what}`, {})));
  await verb('pause');
  await database.query({
    text: `insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, created_at, attempt_count, scheduled_at, due_at)
           select gen.id, e.organization_id, e.endpoint_id, e.event_id, e.event_type, now(), 1, now() - interval '1 hour', now() - interval '1 hour'
             from (select *, row_number() over () as n from finished_deliveries order by id desc limit ${BACKLOG}) e
             cross join lateral (select overlay(gen_random_uuid()::text placing
               left(rpad(lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0'), 32, '0')::uuid::text, 13) || '-7' from 1 for 15)::uuid as id where e.n > 0) gen`,
  });
  await database.query({ text: 'vacuum analyze deliveries' });
  const count = async () => (await database.query<{ count: number }>({ text: 'select count(*) as count from deliveries' }))[0]!.count;
  const began = performance.now();
  await verb('resume');
  await eventually('the backlog is drained', async () => (await count()) === 0, DRAIN_TIMEOUT_MS);
  return (BACKLOG / (performance.now() - began)) * 1000;
}
