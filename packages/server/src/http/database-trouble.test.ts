import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { ApiClient, eventually, openAdmin, PanelClient, startTestServer, TcpProxy, templates, type TestServer } from '@dialhook/testing';

/** Whatever the database's trouble is, every surface says so with 503 in its own form, within seconds, and is back soon. */

/** The longest statement and our patience beyond it, a try to connect, and a busy machine. */
const ANSWER_MS = 25_000;
const BACK_MS = 30_000;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
}

describe('database trouble', () => {
  let proxy: TcpProxy;
  let place: TestServer;
  let call: (name: string) => Promise<Answer>;
  let names: string[];

  before(async () => {
    proxy = await TcpProxy.start(templates().postgresUrl);
    place = await startTestServer('postgres', ({ DATABASE_URL }) => ({ DATABASE_URL: proxy.url(DATABASE_URL!) }));
    const made = await Promise.all(['optimaldial', 'outboundiq', 'dialnexa'].map((kind) => place.organization({ kind })));
    const [optimaldial, outboundiq, dialnexa] = made.map(({ api }) => api);
    const { slug } = made[0]!;
    const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
    const panel = await PanelClient.connect(place.url);
    await panel.send('POST', '/panel/links/redeem', { token: body.url.slice(body.url.indexOf('#') + 1) });
    const system = await ApiClient.connect(place.url, 'none');
    const event = { organization: slug, type: 'a.b', data: {} };
    let keys = 0;
    const dial = JSON.parse(
      `{"campaign_id":"c","campaign_name":"Autumn","agent_name":"Ana","ani":"3125550142","prospect_phone":"7735550199","disposition_name":"SALE","datetime":"2026-05-02 09:14:58","call_direction":"Outbound","zip":"60614","sys_created_date_original":"2026-04-20","total_dial_attempts":1,"skill_name":"s","lead_source":"web"}`,
    ) as object;
    const calls: Record<string, () => ReturnType<ApiClient['get']>> = {
      'OptimalDial reads': () => optimaldial!.get('/api/v1/uploads'),
      'OptimalDial writes': () => optimaldial!.send('POST', '/api/v1/uploads', { phone_numbers: ['+13125550142'] }),
      'outboundIQ dials': () => outboundiq!.send('POST', '/dials', dial),
      'DialNexa reads': () => dialnexa!.get('/v1/campaigns'),
      'operator events': () => place.operator.send('POST', '/operator/v1/events', event),
      'operator, once': () => place.operator.send('POST', '/operator/v1/events', event, { 'idempotency-key': `key-${keys++}` }),
      'operator reads': () => place.operator.get(`/operator/v1/organizations/${slug}/deliveries`),
      'panel, signed in': () => panel.get(`/panel/organizations/${slug}/deliveries`),
      'panel, signing in': () => panel.send('POST', '/panel/session', { email: 'nobody@example.com', password: 'correct horse battery' }),
      readyz: () => system.get('/readyz'),
    };
    names = Object.keys(calls);
    call = async (name) => {
      const { body: answer, headers, status } = await calls[name]!();
      return { status, retryAfter: headers.get('retry-after'), body: answer as Record<string, unknown> };
    };
    for (const name of names) {
      const { body: answer, status } = await call(name);
      assert.ok(status !== 400 && status < 500, `${name}: ${status} ${JSON.stringify(answer)}`);
    }
  });
  after(async () => {
    proxy.mode = 'pass';
    await place.stop();
    await proxy.stop();
  });

  /** Until the trouble has reached every connection, a call may still get through. */
  async function everySurfaceSaysSo(): Promise<void> {
    const answered = async (name: string) => {
      const began = performance.now();
      const answer = await call(name);
      const ms = performance.now() - began;
      assert.ok(ms < ANSWER_MS, `${name} was answered after ${ms} ms`);
      assert.ok(
        answer.status < 300 || answer.status === 401 || answer.status === 422 || answer.status === 503,
        `${name}: ${answer.status} ${JSON.stringify(answer.body)}`,
      );
      return answer;
    };
    const said = await Promise.all(
      names.map((name) =>
        eventually(
          `${name} says so`,
          async () => {
            const answer = await answered(name);
            return answer.status === 503 && answer;
          },
          2 * ANSWER_MS,
        ),
      ),
    );
    for (const [index, { body, retryAfter }] of said.entries()) {
      const name = names[index]!;
      if (name === 'readyz') {
        assert.equal(body.status, 'the database does not answer');
        continue;
      }
      assert.ok(Number(retryAfter) >= 1 && Number(retryAfter) <= 60, `${name}: Retry-After ${retryAfter}`);
      if (name.startsWith('OptimalDial')) assert.match(String(body.detail), /database does not answer/);
      if (name.startsWith('outboundIQ')) assert.deepEqual([body.success, /database/.test(String(body.message))], [false, true]);
      if (name.startsWith('DialNexa')) assert.deepEqual([body.statusCode, body.error], [503, 'Service Unavailable']);
      if (/^(operator|panel)/.test(name)) assert.equal(body.code, 'database_unavailable');
    }
  }

  async function everySurfaceIsBack(): Promise<void> {
    const began = performance.now();
    const back = async (name: string) => eventually(`${name} is back`, async () => (await call(name)).status < 500, BACK_MS);
    await Promise.all(names.map(back));
    assert.ok(performance.now() - began < BACK_MS);
  }

  test('its host vanishes without a word', async () => {
    proxy.mode = 'swallow';
    await everySurfaceSaysSo();
    proxy.mode = 'pass';
    await everySurfaceIsBack();
  });

  for (const [what, code] of [
    ['is out of connections', '53300'],
    ['is being started', '57P03'],
    ['is being shut down', '57P01'],
  ] as const)
    test(`it ${what}`, async () => {
      proxy.mode = { refuse: code };
      await everySurfaceSaysSo();
      proxy.mode = 'pass';
      await everySurfaceIsBack();
    });

  test('it is away', async () => {
    proxy.mode = 'reset';
    await everySurfaceSaysSo();
    proxy.mode = 'pass';
    await everySurfaceIsBack();
  });

  test('it became read-only, under connections that are open', async () => {
    const admin = await openAdmin({ env: { DATABASE_URL: place.databaseUrl! } });
    const [row] = await admin.query<{ name: string }>({ text: 'select current_database() as name' });
    await admin.query({ text: `alter database ${row!.name} set default_transaction_read_only = on` });
    const cut = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
    await admin.query({ text: cut });
    await everySurfaceSaysSo();
    await admin.query({ text: `alter database ${row!.name} reset default_transaction_read_only` });
    await everySurfaceIsBack();
    await admin.close();
  });
});
