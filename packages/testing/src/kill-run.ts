import { ApiClient } from './api-client.ts';
import { freshPlace, type DatabaseKind } from './databases.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { Receiver } from './receiver.ts';
import { ServerProcess } from './server-process.ts';

export interface KillReport {
  readonly kills: number;
  readonly nodes: number;
  /** Uploads that were answered with 200. */
  readonly accepted: number;
  /** Uploads that exist; those whose answer the kill swallowed are among them. */
  readonly existing: number;
  /** Accepted uploads whose completion never arrived. */
  readonly lost: string[];
  /** Uploads with more than one completion event. */
  readonly doubled: string[];
  /** Events that an endpoint did not get although another did, or that were made and reached nobody. */
  readonly missedEvents: number;
  /** Requests beyond the first for one event and endpoint: at-least-once. */
  readonly repeats: number;
  /** Credits that are gone without an upload, or the other way round. */
  readonly creditGap: number;
}

const TOKEN = 'operator-token-for-kill-runs';
const ORGANIZATIONS = 4;
const KEYS_EACH = 10; // 60 writes a minute for each
const OPENING = 1_000_000;
const NUMBERS = Array.from({ length: 100 }, (_, n) => `+1555${String(n).padStart(7, '0')}`);
const ENDPOINT_PATHS = ['/first', '/second'];

interface Organization {
  readonly slug: string;
  readonly keys: string[];
}

/**
 * Uploads lists as fast as they are taken while nodes are killed (SIGKILL) at random moments, then waits until everything
 * that exists is done, and counts what went missing or came twice. Several nodes share one PostgreSQL and one folder
 * of files; the embedded database has one node.
 */
export async function killRun(
  kind: DatabaseKind,
  options: { readonly kills: number; readonly nodes?: number; readonly random: () => number },
): Promise<KillReport> {
  const { kills, nodes = 1, random } = options;
  const place = await freshPlace(kind);
  const receiver = await Receiver.start();
  const environments: Record<string, string>[] = [];
  for (let n = 0; n < nodes; n++) {
    environments.push({
      ...place.env,
      PORT: String(await freePort()),
      DIALHOOK_OPERATOR_TOKEN: TOKEN,
      DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
      DIALHOOK_LOG_LEVEL: 'error',
      DIALHOOK_RETRY_DELAY_SCALE: '0.01',
    });
  }
  const servers = await Promise.all(environments.map((env) => ServerProcess.start(env)));
  try {
    const clients = await Promise.all(servers.map(({ url }) => ApiClient.connect(url, TOKEN)));
    const operator = clients[0]!;
    const organizations: Organization[] = [];
    for (let n = 0; n < ORGANIZATIONS; n++) organizations.push(await makeOrganization(operator, receiver, `kill-${n}`));

    const accepted = new Set<string>();
    let loading = true;
    const load = organizations.map(async ({ keys }) => {
      for (let n = 0; loading; n++) {
        const answer = await clients[n % nodes]!.as(keys[n % keys.length]!)
          .send<{ id: string }>('POST', '/api/v1/uploads', { phone_numbers: NUMBERS })
          .catch(() => null); // the node is down: try again
        if (answer?.status === 200) accepted.add(answer.body.id);
        await new Promise((resolve) => setTimeout(resolve, answer === null ? 20 : 50));
      }
    });
    for (let n = 0; n < kills; n++) {
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * 1500));
      const victim = Math.floor(random() * nodes);
      await servers[victim]!.kill();
      servers[victim] = await ServerProcess.start(environments[victim]!);
    }
    loading = false;
    await Promise.all(load);

    const existing = await eventually('every list is finished', () => finishedUploads(operator, organizations), 120_000);
    await eventually('every delivery is finished', () => noPendingDeliveries(operator, organizations), 120_000);
    return { ...(await judge(operator, receiver, organizations, accepted, existing)), kills, nodes };
  } finally {
    for (const server of servers) await server.stop();
    await receiver.stop();
    await place.remove();
  }
}

async function makeOrganization(operator: ApiClient, receiver: Receiver, slug: string): Promise<Organization> {
  await operator.send('POST', '/operator/v1/organizations', { slug, credits: OPENING });
  const base = `/operator/v1/organizations/${slug}`;
  for (const path of ENDPOINT_PATHS) {
    const events = ['upload.created', 'upload.completed'];
    await operator.send('POST', `${base}/endpoints`, { dialect: 'optimaldial', url: receiver.url(`${path}/${slug}`), events });
  }
  const keys: string[] = [];
  for (let n = 0; n < KEYS_EACH; n++)
    keys.push((await operator.send<{ key: string }>('POST', `${base}/api-keys`, { kind: 'optimaldial' })).body.key);
  return { slug, keys };
}

interface Upload {
  readonly id: string;
  readonly status: string;
}

async function uploadsOf(operator: ApiClient, { keys }: Organization): Promise<Upload[]> {
  const all: Upload[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { body: { data: Upload[]; next_cursor: string | null } } = await operator
      .as(keys[0]!)
      .get(`/api/v1/uploads?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`);
    all.push(...page.body.data);
    cursor = page.body.next_cursor;
  }
  return all;
}

async function finishedUploads(operator: ApiClient, organizations: readonly Organization[]): Promise<Map<string, string> | false> {
  const owner = new Map<string, string>();
  for (const organization of organizations) {
    for (const upload of await uploadsOf(operator, organization)) {
      if (upload.status !== 'completed') return false;
      owner.set(upload.id, organization.slug);
    }
  }
  return owner;
}

async function noPendingDeliveries(operator: ApiClient, organizations: readonly Organization[]): Promise<boolean> {
  for (const { slug } of organizations) {
    // What goes from in flight to pending between the first two looks is there at the third.
    for (const status of ['pending', 'in_flight', 'pending']) {
      const { body } = await operator.get<{ data: unknown[] }>(`/operator/v1/organizations/${slug}/deliveries?status=${status}&limit=1`);
      if (body.data.length > 0) return false;
    }
  }
  return true;
}

async function judge(
  operator: ApiClient,
  receiver: Receiver,
  organizations: readonly Organization[],
  accepted: ReadonlySet<string>,
  existing: ReadonlyMap<string, string>,
): Promise<Omit<KillReport, 'kills' | 'nodes'>> {
  /** Completion events by upload, and requests by event and endpoint. */
  const completions = new Map<string, Set<string>>();
  const requests = new Map<string, Map<string, number>>();
  for (const { body, headers, path } of receiver.received) {
    const event = JSON.parse(body) as { id: string; type: string; data: { upload?: { id: string } } };
    if (event.data.upload === undefined) continue; // a ping
    if (event.type === 'upload.completed') {
      const ids = completions.get(event.data.upload.id) ?? new Set();
      completions.set(event.data.upload.id, ids.add(event.id));
    }
    const byPath = requests.get(String(headers['x-optimaldial-event-id'])) ?? new Map<string, number>();
    requests.set(event.id, byPath.set(path, (byPath.get(path) ?? 0) + 1));
  }
  let repeats = 0;
  let missedEvents = existing.size * 2 - requests.size; // created and completed for each list
  for (const byPath of requests.values()) {
    if (byPath.size !== ENDPOINT_PATHS.length) missedEvents += 1;
    for (const count of byPath.values()) repeats += count - 1;
  }
  let creditGap = 0;
  for (const { slug } of organizations) {
    const { body } = await operator.get<{ credits: number }>(`/operator/v1/organizations/${slug}`);
    const uploads = [...existing.values()].filter((owner) => owner === slug).length;
    creditGap += Math.abs(OPENING - body.credits - uploads * NUMBERS.length);
  }
  return {
    accepted: accepted.size,
    existing: existing.size,
    lost: [...accepted].filter((id) => !completions.has(id)),
    doubled: [...completions].filter(([, ids]) => ids.size > 1).map(([id]) => id),
    missedEvents,
    repeats,
    creditGap,
  };
}
