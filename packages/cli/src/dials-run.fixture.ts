import { strict as assert } from 'node:assert';
import { Agent, request } from 'node:http';
import type { TestContext } from 'node:test';
import { ApiClient, eventually, freePort, freshPlace, openAdmin, Receiver, ServerProcess } from '@dialhook/testing';

const TOKEN = 'operator-token-for-dials';
const COMPANIES = 5;
const WEBHOOKS = 3;
const POSTERS = 64;
const FAILING = 0.05;
const MAX_BATCH = 100;

interface Batch {
  readonly deliveryId: string;
  readonly dials: readonly { readonly companySlug: string; readonly callId: string }[];
}
/** What a webhook saw of one delivery id. */
interface Seen {
  readonly body: string;
  readonly callIds: readonly string[];
  sent: number;
  accepted: number;
}

/**
 * So many dials of five companies with three webhooks each; receivers fail at random, and the server is killed twice.
 * What must come out is known exactly.
 */
export async function runDials(t: TestContext, total: number): Promise<void> {
  const place = await freshPlace('postgres');
  const receiver = await Receiver.start();
  const webhooks = new Map<string, Map<string, Seen>>();
  const wrong: string[] = [];
  let random = 42;
  const fails = () => (random = (random * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31 < FAILING;
  receiver.answer = ({ body, headers, path }) => {
    receiver.received.length = 0; // a hundred megabytes of bodies are looked at once and not kept
    const seen = webhooks.get(path)!;
    const { deliveryId, dials } = JSON.parse(body) as Batch;
    if (headers['x-outboundiq-delivery-id'] !== deliveryId) wrong.push(`${path}: header and body differ`);
    if (dials.length < 1 || dials.length > MAX_BATCH) wrong.push(`${path}: a batch of ${dials.length}`);
    if (dials.some(({ companySlug }) => !path.startsWith(`/${companySlug}/`))) wrong.push(`${path}: mixed companies`);
    let entry = seen.get(deliveryId);
    if (entry === undefined) seen.set(deliveryId, (entry = { body, callIds: dials.map(({ callId }) => callId), sent: 0, accepted: 0 }));
    else if (entry.body !== body) wrong.push(`${path}: other bytes under the same id`);
    entry.sent += 1;
    if (fails()) return 500;
    entry.accepted += 1;
    return 200;
  };

  const port = await freePort();
  const env = {
    ...place.env,
    PORT: String(port),
    DIALHOOK_OPERATOR_TOKEN: TOKEN,
    DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
    DIALHOOK_LOG_LEVEL: 'error',
  };
  let server = await ServerProcess.start(env);
  t.after(async () => {
    await server.kill();
    await receiver.stop();
    await place.remove();
  });
  const operator = await ApiClient.connect(server.url, TOKEN);
  const slugs = Array.from({ length: COMPANIES }, (_, n) => `company-${n}`);
  const keys: string[] = [];
  for (const slug of slugs) {
    await operator.send('POST', '/operator/v1/organizations', { slug });
    for (let n = 0; n < WEBHOOKS; n++) {
      webhooks.set(`/${slug}/${n}`, new Map());
      await operator.send('POST', `/operator/v1/organizations/${slug}/endpoints`, {
        dialect: 'outboundiq',
        url: receiver.url(`/${slug}/${n}`),
      });
    }
    keys.push(
      (await operator.send<{ key: string }>('POST', `/operator/v1/organizations/${slug}/api-keys`, { kind: 'outboundiq' })).body.key,
    );
  }

  const agent = new Agent({ keepAlive: true, maxSockets: POSTERS });
  const killAt = [Math.floor(total / 3), Math.floor((2 * total) / 3)];
  let posted = 0;
  let next = 0;
  let restarting = Promise.resolve();
  const poster = async () => {
    while (next < total) {
      const n = next++;
      while ((await post(agent, port, keys[n % COMPANIES]!, n).catch(() => 0)) !== 200) {
        await restarting;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      posted += 1;
      if (posted === killAt[0] || posted === killAt[1]) {
        restarting = server.kill().then(async () => {
          server = await ServerProcess.start(env);
        });
      }
    }
  };
  await Promise.all(Array.from({ length: POSTERS }, poster));
  await restarting;
  agent.destroy();

  const database = await openAdmin(place);
  t.after(() => database.close());
  const count = async (table: string) => (await database.query<{ n: number }>({ text: `select count(*) as n from ${table}` }))[0]!.n;
  await eventually('every dial is in a batch', async () => (await count('dial_inbox')) + (await count('dial_gathered')) === 0, 60_000);
  // One statement: of two, a delivery that goes from one state to the other in between would be in neither.
  await eventually(
    'nothing is unfinished',
    async () => (await count('(select from deliveries union all select from batches) d')) === 0,
    60_000,
  );
  for (const [index, slug] of slugs.entries()) {
    const api = operator.as(keys[index]!);
    const expected = new Set(Array.from({ length: total / COMPANIES }, (_, n) => `d${n * COMPANIES + index}`));
    const listed = await eventually(
      `all dials of ${slug} are cleaned`,
      async () => {
        const all = await listAll(api);
        return all.length >= expected.size && all;
      },
      60_000,
    );
    assert.equal(listed.length, expected.size, 'each dial once, however often it was posted');
    assert.deepEqual(new Set(listed), expected);
    // Each dial is in exactly one event, and each event has one delivery for each webhook.
    const [organization] = await database.query<{ id: string }>({ text: 'select id from organizations where slug = $1', values: [slug] });
    const ofIt = { values: [organization!.id] };
    const events = await database.query<{ id: string; data: string }>({
      text: 'select id, data from events where organization_id = $1',
      ...ofIt,
    });
    const callIds = new Map(events.map(({ data, id }) => [id, (JSON.parse(data) as { callId: string }[]).map(({ callId }) => callId)]));
    const published = [...callIds.values()].flat();
    assert.equal(published.length, expected.size, 'each dial in exactly one batch');
    assert.deepEqual(new Set(published), expected);
    const deliveries = await database.query<{ id: string; event: string; url: string; status: string; error: string | null }>({
      text: `select f.id, f.event_id as event, e.url, f.status, f.last_error as error
               from finished_deliveries f join endpoints e on e.id = f.endpoint_id where f.organization_id = $1`,
      ...ofIt,
    });
    assert.equal(deliveries.length, events.length * WEBHOOKS);
    for (const { error, event, id, status, url } of deliveries) {
      const seen = webhooks.get(new URL(url).pathname)!.get(id);
      assert.ok(seen !== undefined, `a ${status} batch never came: ${error}`);
      assert.deepEqual(seen.callIds, callIds.get(event), 'the batch that was published');
      if (status === 'delivered') assert.ok(seen.accepted > 0, 'what counts as delivered was accepted');
      // An answer that the kill swallowed is asked for again, and that may fail twice.
      else if (seen.accepted > 0) assert.ok(seen.sent > 2, 'what was accepted is not given up');
    }
  }
  assert.deepEqual(wrong, []);
  const batches = [...webhooks.values()].reduce((sum, seen) => sum + seen.size, 0);
  t.diagnostic(`${batches} batches, ${((total * WEBHOOKS) / batches).toFixed(1)} dials each`);
}

function post(agent: Agent, port: number, key: string, n: number): Promise<number> {
  const body = `{"campaign_id":"c","campaign_name":"Autumn","agent_name":"Ana","ani":"3125550142","prospect_phone":"773555${String(n % 10_000).padStart(4, '0')}","disposition_name":"SALE","datetime":"2026-05-02 09:14:58","call_direction":"Outbound","zip":"60614","sys_created_date_original":"2026-04-20","total_dial_attempts":1,"skill_name":"s","lead_source":"web","dial_id":"d${n}"}`;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': body.length };
    const call = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/dials', headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

async function listAll(api: ApiClient): Promise<string[]> {
  const all: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body }: { body: { dials: { callId: string }[]; next_cursor: string | null } } = await api.get(
      `/dials?limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    all.push(...body.dials.map(({ callId }) => callId));
    cursor = body.next_cursor;
  }
  return all;
}
