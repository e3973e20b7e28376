import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { dialnexa as scheme, verify } from '@dialhook/webhooks';
import { DATABASE_KINDS, eventually, Receiver, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';
import { DIALNEXA_EVENTS } from '../../dialects/dialnexa.ts';
import { DIALNEXA_RATE } from './rate-limit.ts';

interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly events: string[];
  readonly is_active: boolean;
  readonly created_at: string;
}
interface Page {
  readonly data: Webhook[];
  readonly meta: { readonly page: number; readonly limit: number; readonly total: number; readonly totalPages: number };
}
interface Refused {
  readonly statusCode: number;
  readonly message: string | string[];
  readonly error: string;
}

/** The vendor's snippet, as it stands in its documentation, with lines that call it. */
const PYTHON = `import hmac, hashlib

def verify_signature(payload_body: bytes, secret: str, signature_header: str) -> bool:
    expected = hmac.new(secret.encode(), payload_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature_header)

import sys
print(verify_signature(sys.stdin.buffer.read(), sys.argv[2], sys.argv[1]))`;

for (const kind of DATABASE_KINDS) {
  describe(`DialNexa user webhooks on ${kind}`, () => {
    let place: TestServer;
    let receiver: Receiver;
    before(async () => {
      place = await startTestServer(kind);
      receiver = await Receiver.start();
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    const organization = () => place.organization({ kind: 'dialnexa' });
    const to = (path: string) => receiver.received.filter((request) => request.path === path);
    const create = async (api: ApiClient, path: string, more: object = {}) => {
      const answer = await api.send<Webhook>('POST', '/v1/user-webhooks', {
        url: receiver.url(path),
        events: ['call.completed', 'campaign.paused'],
        secret: 'whsec_demo_value_1',
        ...more,
      });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return answer.body;
    };
    const publish = (slug: string, type: string, data: object = { call: { id: 'call_1' } }) =>
      place.operator.send('POST', '/operator/v1/events', { organization: slug, type, data });

    test('created, listed, read, changed and deleted; the secret is in no answer', async () => {
      const { api, slug } = await organization();
      const webhook = await create(api, `/${slug}`, { events: ['call.completed', 'call.completed', 'campaign.paused'] });
      assert.deepEqual(Object.keys(webhook), ['id', 'url', 'events', 'is_active', 'created_at']);
      assert.match(webhook.id, /^whk_[a-z0-9]{12}$/);
      assert.deepEqual([webhook.events, webhook.is_active], [['call.completed', 'campaign.paused'], true]);
      const path = `/v1/user-webhooks/${webhook.id}`;
      assert.deepEqual((await api.get<Webhook>(path)).body, webhook);
      await create(api, `/${slug}/off`, { is_active: false });
      const first = await api.get<Page>('/v1/user-webhooks?limit=1');
      assert.deepEqual(first.body.meta, { page: 1, limit: 1, total: 2, totalPages: 2 });
      assert.equal(first.body.data[0]!.is_active, false, 'newest first');
      assert.deepEqual((await api.get<Page>('/v1/user-webhooks?limit=1&page=2')).body.data, [webhook]);
      assert.deepEqual((await api.get<Page>('/v1/user-webhooks?is_active=true')).body.data, [webhook]);
      assert.deepEqual((await api.send<Webhook>('PATCH', path, {})).body, webhook, 'an empty change changes nothing');
      const changed = await api.send<Webhook>('PATCH', path, { events: ['call.failed'], secret: 'another one' });
      assert.deepEqual(changed.body, { ...webhook, events: ['call.failed'] });
      const stranger = await organization();
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const answer = await stranger.api.send<Refused>(method, path, method === 'PATCH' ? {} : undefined);
        assert.deepEqual([answer.status, answer.body.error], [404, 'Not Found']);
      }
      assert.deepEqual((await api.send<object>('DELETE', path)).body, { message: 'Webhook deleted.' });
      assert.equal((await api.send('DELETE', path)).status, 404);
    });

    test('every one of the six events arrives in the envelope, signed as the vendor’s snippet verifies', async (t) => {
      const { api, slug } = await organization();
      const secret = 'geheim-✓-1';
      await create(api, `/${slug}`, { events: [...DIALNEXA_EVENTS], secret });
      for (const type of DIALNEXA_EVENTS) await publish(slug, type);
      await receiver.until(() => to(`/${slug}`).length === DIALNEXA_EVENTS.length);
      const hasPython = spawnSync('python3', ['--version']).status === 0;
      if (!hasPython) t.diagnostic('python3 is not installed here: the vendor’s snippet was not run');
      for (const { body, headers } of to(`/${slug}`)) {
        const event = JSON.parse(body) as Record<string, unknown>;
        assert.deepEqual(Object.keys(event), ['id', 'event', 'created_at', 'organization_id', 'data']);
        assert.match(String(event.id), /^evt_[0-9a-f]{24}$/);
        assert.match(String(event.organization_id), /^org_/);
        assert.deepEqual(event.data, { call: { id: 'call_1' } });
        assert.deepEqual([headers['x-dialnexa-event'], headers['user-agent']], [event.event, 'DialNexa-Webhook/1.0']);
        assert.match(String(headers['x-dialnexa-delivery-id']), /^[0-9a-f-]{36}$/);
        await verify(scheme, { secret, body, headers });
        if (!hasPython) continue;
        const run = (text: string) =>
          spawnSync('python3', ['-c', PYTHON, String(headers['x-dialnexa-signature']), secret], {
            input: text,
            encoding: 'utf8',
          }).stdout.trim();
        assert.deepEqual([run(body), run(body.replace('call_1', 'call_2'))], ['True', 'False']);
      }
    });

    test('a new secret signs the very next delivery; switched off, retries are dropped and nothing is made up for', async () => {
      const { api, slug } = await organization();
      const path = `/${slug}`;
      const webhook = await create(api, path);
      await api.send('PATCH', `/v1/user-webhooks/${webhook.id}`, { secret: 'the second one' });
      await publish(slug, 'call.completed');
      await receiver.until(() => to(path).length === 1);
      await verify(scheme, { secret: 'the second one', body: to(path)[0]!.body, headers: to(path)[0]!.headers });
      receiver.answer = (request) => (request.path === path ? 500 : 200);
      await publish(slug, 'call.completed');
      await receiver.until(() => to(path).length === 3); // the second attempt comes after a second
      const [, second, third] = to(path);
      assert.equal(second!.body, third!.body);
      assert.equal(second!.headers['x-dialnexa-delivery-id'], third!.headers['x-dialnexa-delivery-id']);
      await api.send('PATCH', `/v1/user-webhooks/${webhook.id}`, { is_active: false });
      receiver.answer = () => 200;
      await publish(slug, 'call.completed');
      const log = async () =>
        (
          await place.operator.get<{ data: { status: string; last_error: string | null }[] }>(
            `/operator/v1/organizations/${slug}/deliveries`,
          )
        ).body.data;
      await eventually('the retry is dropped', async () => (await log())[0]!.status === 'exhausted');
      assert.equal((await log())[0]!.last_error, 'endpoint_disabled');
      await api.send('PATCH', `/v1/user-webhooks/${webhook.id}`, { is_active: true });
      await publish(slug, 'campaign.paused');
      await receiver.until(() => to(path).length === 4);
      assert.match(to(path)[3]!.body, /"campaign.paused"/);
    });

    test('a test send is one signed sample, and says how it went', async () => {
      const { api, slug } = await organization();
      const webhook = await create(api, `/${slug}`);
      receiver.answer = () => 204;
      const good = await api.send('POST', `/v1/user-webhooks/${webhook.id}/test`, {});
      assert.deepEqual([good.status, good.body], [200, { success: true, status_code: 204 }]);
      receiver.answer = () => 503;
      assert.deepEqual((await api.send('POST', `/v1/user-webhooks/${webhook.id}/test`, {})).body, { success: false, status_code: 503 });
      receiver.answer = () => 200;
      assert.equal(to(`/${slug}`).length, 2);
      assert.match(to(`/${slug}`)[0]!.body, /"event":"call.completed".*"test":true/);
    });

    test('every bad field is named in one answer, and other keys are refused', async () => {
      const { api } = await organization();
      const refused = async (status: number, error: string, pattern: RegExp, method: string, path: string, body?: unknown, as = api) => {
        const answer = await as.send<Refused>(method, path, body);
        assert.deepEqual([answer.status, answer.body.statusCode, answer.body.error], [status, status, error], JSON.stringify(answer.body));
        assert.match(String(answer.body.message), pattern);
        return answer;
      };
      const all = await refused(400, 'Bad Request', /url is required/, 'POST', '/v1/user-webhooks', { events: ['nope'], secret: '' });
      assert.equal((all.body.message as string[]).length, 3);
      const valid = { url: receiver.url('/x'), events: ['call.failed'], secret: 'long enough' };
      for (const [change, pattern] of [
        [{ url: 'ftp://x.example/' }, /url/],
        [{ url: 'nonsense' }, /url/],
        [{ events: [] }, /events/],
        [{ events: ['call.started'] }, /events.0 must be one of/],
        [{ secret: 'x'.repeat(257) }, /secret/],
        [{ secret: 'x'.repeat(7) }, /secret/],
        [{ is_active: 'yes' }, /is_active/],
      ] as const)
        await refused(400, 'Bad Request', pattern, 'POST', '/v1/user-webhooks', { ...valid, ...change });
      await refused(400, 'Bad Request', /not valid JSON/, 'POST', '/v1/user-webhooks', '{');
      await refused(400, 'Bad Request', /limit/, 'GET', '/v1/user-webhooks?limit=101');
      await refused(404, 'Not Found', /not found/, 'GET', '/v1/user-webhooks/whk_aaaaaaaaaaaa');
      await refused(401, 'Unauthorized', /^Unauthorized$/, 'GET', '/v1/user-webhooks', undefined, api.as('key_x:y'));
      const { key } = await place.organization();
      await refused(401, 'Unauthorized', /^Unauthorized$/, 'GET', '/v1/user-webhooks', undefined, api.as(key));
      assert.deepEqual((await api.get<Page>('/v1/user-webhooks')).body.data, []);
    });

    test('calls of a key are counted and bounded', async () => {
      const { api } = await organization();
      const answers = await Promise.all(
        Array.from({ length: DIALNEXA_RATE.callsPerWindow + 3 }, () => api.get<Refused>('/v1/user-webhooks')),
      );
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(refused.length, 3);
      assert.deepEqual([refused[0]!.body.message, refused[0]!.body.error], ['Too Many Requests', 'Too Many Requests']);
      assert.ok(Number(refused[0]!.headers.get('retry-after')) >= 1);
      const { headers } = answers[0]!;
      assert.equal(headers.get('x-ratelimit-limit'), String(DIALNEXA_RATE.callsPerWindow));
      assert.ok(Number(headers.get('x-ratelimit-reset')) > Date.now() / 1000);
      const other = await organization();
      assert.equal((await other.api.get('/v1/user-webhooks')).status, 200);
    });
  });
}
