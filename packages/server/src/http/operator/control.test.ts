import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, eventually, openAdmin, Receiver, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';

interface Page {
  readonly data: { readonly id: string; readonly status: string }[];
}
interface Replay {
  readonly id: string;
  readonly status: string;
  readonly total: number;
  readonly replayed: number;
}

for (const kind of DATABASE_KINDS) {
  describe(`operator verbs on ${kind}`, () => {
    let place: TestServer;
    let receiver: Receiver;
    let operator: ApiClient;
    before(async () => {
      place = await startTestServer(kind);
      receiver = await Receiver.start();
      operator = place.operator;
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    async function organization(): Promise<{ slug: string; path: string; endpoint: string }> {
      const { slug } = await place.organization();
      const path = `/operator/v1/organizations/${slug}`;
      const created = await operator.send<{ endpoint: { id: string } }>('POST', `${path}/endpoints`, {
        dialect: 'standard',
        url: receiver.url(`/${slug}`),
      });
      return { slug, path, endpoint: created.body.endpoint.id };
    }
    const publish = (slug: string, type = 'call.ended') =>
      operator.send('POST', '/operator/v1/events', { organization: slug, type, data: {} });
    const list = async (path: string, query: string) => (await operator.get<Page>(`${path}/deliveries?${query}`)).body.data;
    const refused = async (status: number, code: string, field: string | undefined, method: string, path: string, body?: unknown) => {
      const answer = await operator.send<{ code: string; field?: string }>(method, path, body);
      assert.deepEqual([answer.status, answer.body.code, answer.body.field], [status, code, field]);
    };

    test('pause, resume and rate limit of an endpoint', async () => {
      const { endpoint, path, slug } = await organization();
      const paused = await operator.send<{ paused_at: string | null }>('POST', `${path}/endpoints/${endpoint}/pause`, {});
      assert.ok(paused.body.paused_at);
      await publish(slug);
      assert.equal((await list(path, 'status=pending')).length, 1);
      const resumed = await operator.send<{ paused_at: string | null }>('POST', `${path}/endpoints/${endpoint}/resume`, {});
      assert.equal(resumed.body.paused_at, null);
      await eventually('it is delivered', async () => (await list(path, 'status=delivered')).length === 1);
      const limited = await operator.send<{ rate_limit: number | null }>('PATCH', `${path}/endpoints/${endpoint}`, { rate_limit: 2.5 });
      assert.equal(limited.body.rate_limit, 2.5);
      await refused(400, 'invalid_request', 'rate_limit', 'PATCH', `${path}/endpoints/${endpoint}`, { rate_limit: 0 });
      await refused(404, 'not_found', undefined, 'POST', `${path}/endpoints/${randomUUID()}/pause`, {});
    });

    test('resend one, count and replay many, list what is undelivered in a time range', async () => {
      const { endpoint, path, slug } = await organization();
      await publish(slug);
      await eventually('it is delivered', async () => (await list(path, 'status=delivered')).length === 1);
      const [first] = await list(path, '');
      const again = await operator.send<{ id: string }>('POST', `${path}/deliveries/${first!.id}/resend`, {});
      assert.equal(again.status, 202);
      await eventually('it is delivered again', async () => (await list(path, 'status=delivered')).length === 2);
      await refused(404, 'not_found', undefined, 'POST', `${path}/deliveries/${randomUUID()}/resend`, {});
      await refused(404, 'not_found', undefined, 'POST', `${path}/deliveries/nonsense/resend`, {});

      receiver.answer = () => 410;
      await publish(slug);
      await eventually('it is given up', async () => (await list(path, 'status=exhausted')).length === 1);
      receiver.answer = () => 200;
      const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
      assert.equal((await list(path, `status=undelivered&since=${hourAgo}`)).length, 1);
      assert.equal((await list(path, `status=undelivered&until=${hourAgo}`)).length, 0);
      await refused(
        409,
        'not_resendable',
        undefined,
        'POST',
        `${path}/deliveries/${(await list(path, 'status=exhausted'))[0]!.id}/resend`,
        {},
      );
      await operator.send('PATCH', `${path}/endpoints/${endpoint}`, { is_active: true });

      const count = await operator.send<{ count: number; at_least: boolean }>('POST', `${path}/replays/count`, {
        since: hourAgo,
        status: 'exhausted',
      });
      assert.deepEqual(count.body, { count: 1, at_least: false });
      const started = await operator.send<Replay>('POST', `${path}/replays`, { since: hourAgo, status: 'exhausted' });
      assert.deepEqual([started.status, started.body.total], [202, 1]);
      await eventually(
        'it is completed',
        async () => (await operator.get<Replay>(`${path}/replays/${started.body.id}`)).body.status === 'completed',
      );
      await eventually('it is delivered', async () => (await list(path, 'status=delivered')).length === 3);
      assert.equal((await operator.get<{ data: Replay[] }>(`${path}/replays`)).body.data.length, 1);
      assert.equal((await operator.send<Replay>('POST', `${path}/replays/${started.body.id}/cancel`, {})).body.status, 'completed');
      await refused(400, 'invalid_request', 'since', 'POST', `${path}/replays`, { since: new Date(Date.now() + 60_000).toISOString() });
      await refused(400, 'invalid_request', 'since', 'POST', `${path}/replays`, {});
      await refused(404, 'not_found', undefined, 'GET', `${path}/replays/${randomUUID()}`);
      const other = await organization();
      await refused(404, 'not_found', undefined, 'GET', `${other.path}/replays/${started.body.id}`);
    });

    test('how long history is kept: less than everybody’s, not more', async () => {
      const { path } = await organization();
      assert.equal((await operator.get<{ days: number }>(`${path}/retention`)).body.days, 30);
      assert.equal((await operator.send<{ days: number }>('PUT', `${path}/retention`, { days: 7 })).body.days, 7);
      assert.equal((await operator.get<{ days: number }>(`${path}/retention`)).body.days, 7);
      await refused(400, 'invalid_request', 'days', 'PUT', `${path}/retention`, { days: 31 });
      await refused(400, 'invalid_request', 'days', 'PUT', `${path}/retention`, { days: 3 });
      await refused(400, 'invalid_request', 'days', 'PUT', `${path}/retention`, { days: 0 });
      assert.equal((await operator.send<{ days: number }>('PUT', `${path}/retention`, { days: null })).body.days, 30);
    });

    test('metrics count attempts, name no customer, and show what waits', async () => {
      const { endpoint, path, slug } = await organization();
      await publish(slug);
      await eventually('it is delivered', async () => (await list(path, 'status=delivered')).length === 1);
      receiver.answer = () => 500;
      await publish(slug);
      await eventually('it has failed', async () => (await list(path, 'status=undelivered')).length === 1);
      receiver.answer = () => 200;
      const answer = await fetch(`${place.url}/metrics`);
      assert.match(answer.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
      // What waits is read behind the answer, which waits for nothing: the first one has no value.
      const text = await eventually('the backlog is known', async () => {
        const scraped = await (await fetch(`${place.url}/metrics`)).text();
        return !scraped.includes('dialhook_deliveries_pending Nan') && scraped;
      });
      const value = (line: string) =>
        Number(
          text
            .split('\n')
            .find((one) => one.startsWith(`${line} `))
            ?.slice(line.length),
        );
      assert.ok(value('dialhook_attempts_total{dialect="standard",outcome="delivered"}') >= 1);
      assert.ok(value('dialhook_attempt_failures_total{reason="http_5xx"}') >= 1);
      assert.ok(value('dialhook_deliveries_pending') >= 1);
      assert.equal(value('dialhook_oldest_due_seconds'), 0);
      assert.ok(value('dialhook_statement_duration_seconds_count{statement="record"}') >= 2);
      assert.ok(value('dialhook_first_attempt_delay_seconds_count') >= 2);
      assert.equal(value('dialhook_sending_nodes'), 1);
      for (const name of [slug, endpoint]) assert.ok(!text.includes(name), 'no series for each customer');
    });
  });
}

test('readyz says what is wrong: a node whose database is gone is alive and not ready', async () => {
  const place = await startTestServer('postgres');
  assert.equal((await fetch(`${place.url}/readyz`)).status, 200);
  const { operator } = place;
  const restore = await cutDatabase(place);
  await eventually('it is not ready', async () => (await fetch(`${place.url}/readyz`)).status === 503);
  assert.deepEqual(await (await fetch(`${place.url}/readyz`)).json(), { status: 'the database does not answer' });
  assert.equal((await fetch(`${place.url}/healthz`)).status, 200);
  await restore();
  await eventually('it is ready again', async () => (await fetch(`${place.url}/readyz`)).status === 200);
  assert.equal((await operator.get('/operator/v1/organizations')).status, 200);
  await place.stop();
});

/** Refuses the node's database until the returned function is called. */
async function cutDatabase(place: TestServer): Promise<() => Promise<void>> {
  const url = new URL(place.databaseUrl!);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const admin = await openAdmin({ env: { DATABASE_URL: url.href } });
  await admin.query({ text: `alter database ${name} allow_connections false` });
  await admin.query({ text: 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', values: [name] });
  return async () => {
    await admin.query({ text: `alter database ${name} allow_connections true` });
    await admin.close();
  };
}
