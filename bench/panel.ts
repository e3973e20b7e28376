import { openDatabase, type Database } from '@dialhook/engine';
import { fillHistory } from './delivery/history.ts';
import { System } from './delivery/system.ts';
import { median, saveResult, table } from './report.ts';

const STORED = 1_000_000;
const ENDPOINTS = 5;
const ROUNDS = 15;
/** The goal, for the median of every request of every page. */
const MAX_MS = 200;

/** What each page of the panel asks for, with a million deliveries of one organization stored. */
export async function benchPanel(): Promise<boolean> {
  console.log(`\npanel: the data requests of every page, with ${STORED} deliveries of one organization stored\n`);
  const system = await System.start({ database: 'postgres', nodes: 1, fanOut: ENDPOINTS, organizations: 1 });
  const database = await openDatabase({ url: system.databaseUrl, dataDir: '' });
  try {
    await fillHistory(database, STORED);
    await fillStatistics(database);
    await database.query({ text: 'vacuum (freeze, analyze)' });
    const slug = system.organizations[0]!;
    const get = await signIn(system, slug);
    const [delivery] = ((await (await get('/deliveries?limit=1')).json()) as { data: { id: string; endpoint_id: string }[] }).data;
    const hour = 3_600_000;
    const between = `since=${new Date(Date.now() - 80 * hour).toISOString()}&until=${new Date(Date.now() - 60 * hour).toISOString()}`;
    const requests: Record<string, string> = {
      overview: '/overview?hours=24',
      'overview, 7 days': '/overview?hours=168',
      deliveries: '/deliveries?limit=50',
      'deliveries, undelivered': '/deliveries?limit=50&status=undelivered',
      'deliveries of an endpoint': `/deliveries?limit=50&endpoint=${delivery!.endpoint_id}`,
      'deliveries of a time': `/deliveries?limit=50&${between}`,
      'deliveries with a code that none has': '/deliveries?limit=50&response_status=418',
      'deliveries with a text that none has': '/deliveries?limit=50&search=%2B13125550142',
      delivery: `/deliveries/${delivery!.id}`,
      'its request': `/deliveries/${delivery!.id}/request`,
      endpoints: '/endpoints',
      'their health': '/endpoints/health',
      keys: '/api-keys',
      team: '/members',
      lists: '/lists',
      dials: '/outboundiq/dials?limit=50&order=newest',
      calls: '/dialnexa/calls?limit=25',
      campaigns: '/dialnexa/campaigns?limit=25',
      workflows: '/dialnexa/workflows?limit=25',
      translations: '/translations/campaigns',
    };
    const raw: Record<string, number[]> = {};
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, path] of Object.entries(requests)) {
        const began = performance.now();
        const answer = await get(path);
        await answer.arrayBuffer();
        if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}.`);
        if (round > 0) (raw[name] ??= []).push(performance.now() - began); // the first one warms up
      }
    }
    table(
      Object.entries(raw).map(([what, times]) => ({
        what,
        'median, ms': median(times).toFixed(1),
        'worst, ms': Math.max(...times).toFixed(1),
      })),
    );
    saveResult('panel', { stored: STORED, endpoints: ENDPOINTS, raw });
    return Object.values(raw).every((times) => median(times) <= MAX_MS);
  } finally {
    await database.close();
    await system.stop();
  }
}

/** Signs an owner in as a browser would, and gives what reads below the organization. */
async function signIn(system: System, slug: string): Promise<(path: string) => Promise<Response>> {
  const base = system.nodes[0]!.url;
  const link = await system.call<{ url: string }>('POST', `/organizations/${slug}/sign-in-links`, {});
  const answer = await fetch(`${base}/panel/links/redeem`, {
    method: 'POST',
    headers: { origin: base, 'content-type': 'application/json' },
    body: JSON.stringify({ token: link.url.slice(link.url.indexOf('#') + 1) }),
  });
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
  return (path) => fetch(`${base}/panel/organizations/${slug}${path}`, { headers: { cookie } });
}

/** A week of hourly counts for every endpoint. */
async function fillStatistics(database: Database): Promise<void> {
  await database.query({
    text: `insert into endpoint_hours (organization_id, endpoint_id, hour, delivered, failed, exhausted, latencies)
           select organization_id, id, date_trunc('hour', now()) - h * interval '1 hour', 1000, 20, 1, (select array_agg(n) from generate_series(1, 33) n)
             from endpoints, generate_series(0, 167) h`,
  });
}
