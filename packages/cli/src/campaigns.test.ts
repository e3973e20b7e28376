import { strict as assert } from 'node:assert';
import { test, type TestContext } from 'node:test';
import {
  ApiClient,
  Dialler,
  eventually,
  freePort,
  freshPlace,
  openAdmin,
  Receiver,
  refusedBySeed,
  ServerProcess,
  type Received,
} from '@dialhook/testing';

const TOKEN = 'operator-token-for-campaigns';
const SECRET = 'whsec_demo_value_1';
const NODES = 2;
const EVENTS = ['call.completed', 'call.failed', 'call.no_answer', 'campaign.completed', 'campaign.paused', 'workflow.lead.completed'];

const number = (n: number) => `+4477009${String(n).padStart(5, '0')}`;

/** Two nodes on one PostgreSQL, killed and started again, and an organization with a webhook for everything. */
class Fleet {
  readonly place: Awaited<ReturnType<typeof freshPlace>>;
  readonly receiver: Receiver;
  readonly #t: TestContext;
  readonly #environments: Record<string, string>[];
  readonly #servers: ServerProcess[];
  readonly operators: ApiClient[];
  /** Resolves when no node is being started. */
  restarting: Promise<void> = Promise.resolve();
  key = '';

  private constructor(
    t: TestContext,
    place: Fleet['place'],
    receiver: Receiver,
    environments: Record<string, string>[],
    servers: ServerProcess[],
    operators: ApiClient[],
  ) {
    this.#t = t;
    this.place = place;
    this.receiver = receiver;
    this.#environments = environments;
    this.#servers = servers;
    this.operators = operators;
  }

  static async start(t: TestContext, env: (receiver: Receiver) => Record<string, string> = () => ({})): Promise<Fleet> {
    const place = await freshPlace('postgres');
    const receiver = await Receiver.start();
    const environments: Record<string, string>[] = [];
    for (let n = 0; n < NODES; n++) {
      environments.push({
        ...place.env,
        PORT: String(await freePort()),
        DIALHOOK_OPERATOR_TOKEN: TOKEN,
        DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
        DIALHOOK_LOG_LEVEL: 'error',
        DIALHOOK_RETRY_DELAY_SCALE: '0.0001',
        ...env(receiver),
      });
    }
    const servers = await Promise.all(environments.map((one) => ServerProcess.start(one)));
    const operators = await Promise.all(servers.map(({ url }) => ApiClient.connect(url, TOKEN)));
    const fleet = new Fleet(t, place, receiver, environments, servers, operators);
    t.after(async () => {
      await fleet.restarting;
      for (const server of fleet.#servers) await server.kill();
      await receiver.stop();
      await place.remove();
    });
    await operators[0]!.send('POST', '/operator/v1/organizations', { slug: 'acme' });
    fleet.key = (
      await operators[0]!.send<{ key: string }>('POST', '/operator/v1/organizations/acme/api-keys', { kind: 'dialnexa' })
    ).body.key;
    await fleet.send('POST', '/v1/user-webhooks', { url: receiver.url('/hook'), events: EVENTS, secret: SECRET });
    return fleet;
  }

  /** SIGKILL, and a new start with the same environment. */
  kill(n: number): void {
    this.restarting = this.#servers[n]!.kill().then(async () => {
      this.#servers[n] = await ServerProcess.start(this.#environments[n]!);
    });
  }

  /** As the customer, on whichever node is there. */
  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.whicheverIsThere((operator) =>
      operator
        .as(this.key)
        .send<T>(method, path, body)
        .then((answer) => answer.body),
    );
  }

  async whicheverIsThere<T>(work: (operator: ApiClient) => Promise<T>): Promise<T> {
    return eventually('a node answers', async () => {
      for (const operator of this.operators) {
        const result = await work(operator).then(
          (value) => ({ value }),
          () => null, // it was killed: the other one is asked
        );
        if (result !== null) return result;
      }
      return null;
    }).then(({ value }) => value);
  }

  upload<T>(path: string, csv: string): Promise<T> {
    const form = new FormData();
    form.append('file', new Blob([csv]), 'leads.csv');
    return this.send<T>('POST', path, form);
  }

  /** What the webhook got, by type: the event ids for each thing that the events are about. */
  async eventIds(idOf: (data: Record<string, { id: string }>) => string): Promise<Map<string, Map<string, Set<string>>>> {
    const hooks = this.receiver.received.filter(({ path }) => path === '/hook');
    const refused = await refusedBySeed(
      SECRET,
      hooks.map((one) => ({ signature: String(one.headers['x-dialnexa-signature']), body: one.body })),
    );
    if (refused === null) this.#t.diagnostic('python3 is not installed here: the vendor’s snippet was not run');
    else assert.equal(refused, 0, 'the vendor’s snippet accepts every delivery');
    const types = new Map<string, Map<string, Set<string>>>();
    for (const { data, event, id } of hooks.map(parse)) {
      const things = types.get(event) ?? new Map<string, Set<string>>();
      types.set(event, things.set(idOf(data), (things.get(idOf(data)) ?? new Set()).add(id)));
    }
    return types;
  }

  /** One statement: of two, a delivery that goes from one state to the other in between would be in neither. */
  async noneWaits(): Promise<void> {
    const database = await openAdmin(this.place);
    const left = { text: 'select count(*) as n from (select from deliveries union all select from batches) d' };
    await eventually('every delivery is finished', async () => (await database.query<{ n: number }>(left))[0]!.n === 0, 60_000);
    await database.close();
  }
}

function parse({ body }: Received) {
  return JSON.parse(body) as { id: string; event: string; data: Record<string, { id: string }> };
}

const single = (ids: Map<string, Set<string>> | undefined) => [...(ids?.values() ?? [])].every((one) => one.size === 1);

/** How many of these intervals overlap at most; one that begins when another ends does not overlap it. */
function overlap(intervals: readonly { readonly from: Date; readonly to: Date }[]): number {
  const edges = intervals.flatMap(({ from, to }) => [
    { at: from.getTime(), change: 1 },
    { at: to.getTime(), change: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at || a.change - b.change);
  let open = 0;
  return edges.reduce((most, { change }) => Math.max(most, (open += change)), 0);
}

interface Counts {
  readonly id: string;
  readonly status: string;
  readonly total_leads: number;
  readonly completed_calls: number;
  readonly failed_calls: number;
  readonly pending_calls: number;
}

test(
  '10,000 leads, 20 calls at once, two nodes, three kills: every lead has its outcome, every call its event',
  { timeout: 175_000 },
  async (t) => {
    const LEADS = 10_000;
    const LINES = 20;
    const RETRIES = 2;
    const fleet = await Fleet.start(t);
    const campaign = await fleet.send<Counts>('POST', '/v1/campaigns', {
      name: 'Autumn',
      agent_id: 'agt_1',
      from_phone_number: '+442079460001',
      max_concurrent_calls: LINES,
      retry_config: { max_retries: RETRIES, retry_interval_minutes: 1 },
    });
    await fleet.upload(
      `/v1/campaigns-leads/upload-file/${campaign.id}`,
      `phone_number\n${Array.from({ length: LEADS }, (_, n) => number(n)).join('\n')}\n`,
    );

    /** What the dialled say: of a hundred, 30 do not answer the first time, 10 the second, 3 are busy, 4 have a bad number. */
    const outcome = (to: string, attempt: number) => {
      const n = Number(to.slice(-5)) % 100;
      if (n < (attempt === 1 ? 30 : 10)) return 'no_answer';
      return n >= 93 && n < 96 && attempt === 1 ? 'busy' : n >= 96 ? 'failed' : 'completed';
    };
    /** Calls by id: open from being taken to their end. */
    const calls = new Map<string, { readonly to: string; readonly attempt: number; open: boolean }>();
    let most = 0;
    let ended = 0;
    const killAt = [LEADS * 0.25, LEADS * 0.6, LEADS * 0.9];
    let isOver = false;
    const dial = async (first: number) => {
      for (let turn = first; !isOver; turn++) {
        const dialler = new Dialler(fleet.operators[turn % NODES]!);
        // A call whose answer a kill swallowed comes again after five seconds.
        const taken = await dialler.take(LINES, 5).catch(() => null);
        if (taken === null) continue;
        const fresh = taken.filter(({ id }) => !calls.has(id));
        for (const { attempt, id, to_phone_number: to } of fresh) calls.set(id, { to, attempt, open: true });
        most = Math.max(most, [...calls.values()].filter(({ open }) => open).length);
        if (taken.length === 0) {
          isOver = (await fleet.send<Counts>('GET', `/v1/campaigns/${campaign.id}/status`)).status === 'completed';
          continue;
        }
        // A call is over when it has ended, whoever knows of it yet: the answer to the report may come after the next calls.
        for (const { id } of taken) {
          const call = calls.get(id)!;
          if (call.open) ended += 1;
          call.open = false;
        }
        const reports = taken.map(({ attempt, id, to_phone_number: to }) => ({ call_id: id, status: outcome(to, attempt) }));
        // Once, or twice in one request, or again because nobody knows whether it arrived.
        const twice = reports.flatMap((report, index) => (index % 5 === 0 ? [report, report] : [report]));
        const results = await fleet.whicheverIsThere((operator) => new Dialler(operator).report(...twice));
        assert.ok(
          results.every((result) => result === 'applied' || result === 'late'),
          results.join(),
        );
        if (killAt[0] !== undefined && ended >= killAt[0]) fleet.kill(killAt.shift() === LEADS * 0.6 ? 1 : 0);
      }
    };
    await Promise.all([dial(0), dial(1)]);
    await fleet.restarting;
    assert.deepEqual(killAt, []);
    assert.ok(most <= LINES, `${most} calls at once`);

    const counts = await fleet.send<Counts>('GET', `/v1/campaigns/${campaign.id}`);
    await fleet.noneWaits();
    const database = await openAdmin(fleet.place);
    const rows = await database.query<{ phone_number: string; status: string; attempts: number }>({
      text: 'select phone_number, status, attempts from campaign_leads',
    });
    const stored = await database.query<{ status: string; from: Date; to: Date; attempt: number; to_number: string }>({
      text: 'select status, created_at as "from", ended_at as "to", attempt, to_phone_number as to_number from calls',
    });
    await database.close();
    assert.equal(rows.length, LEADS);
    const expected = new Map(Array.from({ length: LEADS }, (_, n) => [number(n), walk(number(n), outcome, RETRIES)]));
    for (const { attempts, phone_number: to, status } of rows) assert.deepEqual({ status, attempts }, expected.get(to), to);
    const completed = rows.filter(({ status }) => status === 'completed').length;
    assert.deepEqual(
      [counts.status, counts.total_leads, counts.completed_calls, counts.failed_calls, counts.pending_calls],
      ['completed', LEADS, completed, LEADS - completed, 0],
    );
    const attempts = [...expected.values()].reduce((sum, lead) => sum + lead.attempts, 0);
    assert.equal(stored.length, attempts, 'one call for each attempt');
    assert.ok(stored.every(({ attempt, status, to_number: to }) => status === outcome(to, attempt)));
    assert.ok(overlap(stored) <= LINES, `${overlap(stored)} calls at once, says the log`);

    const ids = await fleet.eventIds((data) => (data.call ?? data.campaign)!.id);
    const events = ['call.completed', 'call.no_answer', 'call.failed'].map((type) => ids.get(type)!);
    assert.equal(
      events.reduce((sum, things) => sum + things.size, 0),
      attempts,
      'one event for each call',
    );
    assert.ok(events.every(single) && single(ids.get('campaign.completed')), 'one event id for each thing');
    assert.deepEqual([...ids.get('campaign.completed')!.keys()], [campaign.id]);
    t.diagnostic(`${attempts} calls, ${fleet.receiver.received.length} deliveries`);
  },
);

function walk(to: string, outcome: (to: string, attempt: number) => string, retries: number): { status: string; attempts: number } {
  for (let attempts = 1; ; attempts++) {
    const status = outcome(to, attempts);
    if (status === 'completed' || status === 'failed') return { status, attempts };
    if (attempts > retries) return { status: 'failed', attempts };
  }
}

test(
  '5,000 leads through six nodes, two nodes, three kills, a pause and a resume: every lead arrives once',
  { timeout: 175_000 },
  async (t) => {
    const LEADS = 5_000;
    const fleet = await Fleet.start(t, (receiver) => ({
      DIALHOOK_CALL_ENGINE: 'simulator',
      DIALHOOK_SIMULATOR_SPEED: '5000',
      DIALHOOK_APPLICATION_URL: receiver.url('/application'),
    }));
    const refuses = (body: string) => Number(/"phone_number":"\+\d*?(\d{5})"/.exec(body)![1]) % 1_000 === 1;
    fleet.receiver.answer = ({ body, path }) => (path === '/application' && refuses(body) ? 500 : 200);
    const { id } = await fleet.send<{ id: string }>('POST', '/v1/workflows', { title: 'Trial follow-up' });
    const node = async (node_type: string, config: object = {}) =>
      (await fleet.send<{ id: string }>('POST', `/v1/workflows/${id}/nodes`, { node_type, label: node_type, config })).id;
    const edge = (from_node_id: string, to_node_id: string, label: string | null = null) =>
      fleet.send('POST', `/v1/workflows/${id}/edges`, { from_node_id, to_node_id, label });
    const call = await node('VOICE_CALL', { agent_id: 'agt_1', from_phone_number: '+442079460001' });
    const wait = await node('TIME', { delay_hours: 0.0005 });
    const plan = await node('CONDITIONAL', { condition_field: 'plan', branches: ['pro', 'free'] });
    const ask = await node('APPLICATION', { action: 'create_deal' });
    const won = await node('CONVERTED');
    const lost = await node('DROPPED');
    await edge(call, plan, 'COMPLETED');
    await edge(call, wait, 'NO_ANSWER');
    await edge(call, lost, 'FAILED');
    await edge(wait, plan);
    await edge(plan, ask, 'pro');
    await edge(plan, won, 'free');
    await edge(ask, won, 'success');
    await edge(ask, lost, 'failure');
    await fleet.send('POST', `/v1/workflows/${id}/activate`);
    await fleet.upload(
      `/v1/workflows/${id}/leads`,
      `phone_number,plan\n${Array.from({ length: LEADS }, (_, n) => `${number(n)},${n % 2 ? 'pro' : 'free'}`).join('\n')}\n`,
    );

    const database = await openAdmin(fleet.place);
    t.after(() => database.close());
    const count = async (text: string) => (await database.query<{ n: number }>({ text: `select count(*) as n from ${text}` }))[0]!.n;
    const reaches = (share: number) =>
      eventually(
        `${share} of the leads have arrived`,
        async () => (await count(`workflow_leads where phase = 'ended'`)) >= LEADS * share,
        90_000,
      );
    await reaches(0.2);
    fleet.kill(0);
    await fleet.restarting;
    await reaches(0.4);
    assert.equal((await fleet.send<{ status: string }>('POST', `/v1/workflows/${id}/pause`)).status, 'paused');
    await eventually('the calls under way have ended', async () => (await count('live_calls')) === 0);
    const before = [await count('calls'), await count(`workflow_leads where phase = 'ended'`)];
    assert.ok(before[1]! < LEADS, 'the pause is in the middle');
    // A kill and a start take seconds, in which nothing may move.
    fleet.kill(1);
    await fleet.restarting;
    assert.deepEqual([await count('calls'), await count(`workflow_leads where phase = 'ended'`)], before, 'a paused workflow stands still');
    await fleet.send('POST', `/v1/workflows/${id}/resume`);
    await reaches(0.7);
    fleet.kill(0);
    await fleet.restarting;
    await reaches(1);
    await fleet.noneWaits();

    const leads = await database.query<{ id: string; phone_number: string; status: string; outcome: string }>({
      text: 'select id, phone_number, status, outcome from workflow_leads',
    });
    const stored = await database.query<{ status: string; to: string }>({
      text: 'select status, to_phone_number as "to" from calls where status <> \'cancelled\'',
    });
    assert.equal(stored.length, LEADS, 'one call for each lead');
    const ends = new Map(stored.map(({ status, to }) => [to, status]));
    for (const { phone_number: to, status } of leads) {
      const isLost = ends.get(to) === 'failed' || ends.get(to) === 'busy' || Number(to.slice(-5)) % 1_000 === 1;
      assert.equal(status, isLost ? 'dropped' : 'completed', `${to} ${ends.get(to)}`);
    }
    assert.equal(await count('workflow_steps where exited_at is null'), 0);
    assert.deepEqual((await database.query({ text: 'select calling_leads from workflows' }))[0], { calling_leads: 0 });
    const ids = await fleet.eventIds((data) => (data.call ?? data.lead)!.id);
    const completed = ids.get('workflow.lead.completed')!;
    assert.deepEqual(
      new Set(completed.keys()),
      new Set(leads.filter(({ status }) => status === 'completed').map(({ id: lead }) => `wlead_${lead.replaceAll('-', '')}`)),
    );
    assert.ok([...ids.values()].every(single), 'one event id for each thing');
    t.diagnostic(`${completed.size} completed of ${LEADS}, ${fleet.receiver.received.length} requests`);
  },
);
