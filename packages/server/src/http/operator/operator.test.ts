import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { standard as scheme, verify } from '@dialhook/webhooks';
import { DATABASE_KINDS, eventually, Receiver, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
}
interface Page {
  readonly data: { readonly id: string; readonly status: string; readonly event_type: string }[];
  readonly next_cursor: string | null;
}
interface Created {
  readonly endpoint: { readonly id: string; readonly is_active: boolean; readonly events: string[] | null };
  readonly secret: string;
}

for (const kind of DATABASE_KINDS) {
  describe(`operator API on ${kind}`, () => {
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

    async function refuses(
      status: number,
      code: string,
      field: string | undefined,
      method: string,
      path: string,
      body?: unknown,
    ): Promise<void> {
      const answer = await operator.send<Problem>(method, `/operator/v1${path}`, body);
      assert.deepEqual(
        [answer.status, answer.body.code, answer.body.field],
        [status, code, field],
        `${method} ${path} ${JSON.stringify(body)?.slice(0, 80)} ${answer.body.detail}`,
      );
    }

    test('only the operator token opens it', async () => {
      const { key } = await place.organization();
      for (const token of ['', 'wrong', key]) {
        const answer = await operator.as(token).get<Problem>('/operator/v1/organizations');
        assert.deepEqual([answer.status, answer.body.code, answer.headers.get('www-authenticate')], [401, 'unauthorized', 'Bearer']);
      }
    });

    test('an organization with members, keys and credits, from creation to the last owner', async () => {
      const { body: created } = await operator.send<{ id: string; plan: string; credits: number }>('POST', '/operator/v1/organizations', {
        slug: 'north-star',
        name: 'North Star',
        credits: 5,
      });
      assert.deepEqual([created.plan, created.credits], ['list_processing', 5]);
      await refuses(409, 'slug_taken', undefined, 'POST', '/organizations', { slug: 'north-star' });
      assert.equal(
        (await operator.send<{ credits: number }>('POST', '/operator/v1/organizations/north-star/credits', { amount: 10 })).body.credits,
        15,
      );
      await refuses(402, 'insufficient_credits', undefined, 'POST', '/organizations/north-star/credits', { amount: -16 });
      assert.equal((await operator.send<{ plan: null }>('PATCH', '/operator/v1/organizations/north-star', { plan: null })).body.plan, null);

      const base = '/operator/v1/organizations/north-star';
      const { body: member } = await operator.send<{ user_id: string }>('POST', `${base}/members`, {
        email: 'm@example.com',
        role: 'member',
      });
      await refuses(409, 'email_taken', undefined, 'POST', '/organizations/north-star/members', { email: 'm@example.com', role: 'owner' });
      await refuses(409, 'email_taken', undefined, 'POST', '/organizations/north-star/members', { email: 'M@Example.COM', role: 'owner' });
      await refuses(409, 'not_an_owner', undefined, 'POST', '/organizations/north-star/api-keys', {
        kind: 'optimaldial',
        user_id: member.user_id,
      });
      const { body: members } = await operator.get<{ data: { user_id: string; role: string }[] }>(`${base}/members`);
      const owner = members.data.find(({ role }) => role === 'owner')!;
      await refuses(409, 'last_owner', undefined, 'DELETE', `/organizations/north-star/members/${owner.user_id}`);
      assert.equal((await operator.send('DELETE', `${base}/members/${member.user_id}`)).status, 204);
      const forms = { optimaldial: /^od_live_[\w-]{32}$/, outboundiq: /^oiq_[\w-]{32}$/, dialnexa: /^key_[\w-]{12}:[\w-]{32}$/ };
      for (const [keyKind, form] of Object.entries(forms)) {
        const { body: key } = await operator.send<{ key: string; prefix: string }>('POST', `${base}/api-keys`, { kind: keyKind });
        assert.match(key.key, form);
        assert.equal(key.prefix, key.key.slice(0, 12));
      }
      assert.ok(!JSON.stringify((await operator.get(`${base}/api-keys`)).body).includes('"key"'), 'a key is shown once');
    });

    test('bad input is named', async () => {
      await place.operator.send('POST', '/operator/v1/organizations', { slug: 'inputs' });
      const cases: [number, string, string | undefined, string, string, unknown][] = [
        [400, 'malformed_json', undefined, 'POST', '/organizations', '{'],
        [400, 'malformed_json', undefined, 'POST', '/organizations', ''],
        [400, 'invalid_request', 'slug', 'POST', '/organizations', {}],
        [400, 'invalid_request', 'slug', 'POST', '/organizations', { slug: 'Not A Slug' }],
        [400, 'invalid_request', 'slug', 'POST', '/organizations', { slug: 5 }],
        [400, 'invalid_request', 'credits', 'POST', '/organizations', { slug: 'x', credits: -1 }],
        [400, 'invalid_request', 'credits', 'POST', '/organizations', { slug: 'x', credits: '5' }],
        [400, 'invalid_request', 'plan', 'POST', '/organizations', { slug: 'x', plan: 'gold' }],
        [400, 'invalid_request', 'sulg', 'POST', '/organizations', { slug: 'x', sulg: 'x' }],
        [400, 'invalid_request', 'kind', 'POST', '/organizations/inputs/api-keys', { kind: 'other' }],
        [400, 'invalid_request', 'expires_at', 'POST', '/organizations/inputs/api-keys', { kind: 'optimaldial', expires_at: 'tomorrow' }],
        [400, 'invalid_request', 'dialect', 'POST', '/organizations/inputs/endpoints', { dialect: 'morse', url: 'https://example.com/' }],
        [400, 'invalid_request', 'url', 'POST', '/organizations/inputs/endpoints', { dialect: 'standard', url: 'ftp://example.com/' }],
        [
          400,
          'invalid_request',
          'url',
          'POST',
          '/organizations/inputs/endpoints',
          { dialect: 'standard', url: 'http://no-such-host.invalid/' },
        ],
        [
          400,
          'invalid_request',
          'events',
          'POST',
          '/organizations/inputs/endpoints',
          { dialect: 'standard', url: receiver.url(), events: ['Not A Type'] },
        ],
        [
          400,
          'invalid_request',
          'secret',
          'POST',
          '/organizations/inputs/endpoints',
          { dialect: 'standard', url: receiver.url(), secret: 'x' },
        ],
        [
          400,
          'invalid_request',
          'headers',
          'POST',
          '/organizations/inputs/endpoints',
          { dialect: 'standard', url: receiver.url(), headers: { Host: 'x' } },
        ],
        [
          400,
          'invalid_request',
          'headers',
          'POST',
          '/organizations/inputs/endpoints',
          { dialect: 'standard', url: receiver.url(), headers: { 'Webhook-Id': 'x' } },
        ],
        [
          400,
          'invalid_request',
          'headers',
          'POST',
          '/organizations/inputs/endpoints',
          { dialect: 'standard', url: receiver.url(), headers: { 'X-A': 'a\r\nX-B: b' } },
        ],
        [400, 'ping_failed', 'url', 'POST', '/organizations/inputs/endpoints', { dialect: 'optimaldial', url: 'http://127.0.0.1:9/' }],
        [400, 'invalid_request', 'limit', 'GET', '/organizations/inputs/deliveries?limit=0', undefined],
        [400, 'invalid_request', 'cursor', 'GET', '/organizations/inputs/deliveries?cursor=x', undefined],
        [400, 'invalid_request', 'status', 'GET', '/organizations/inputs/deliveries?status=lost', undefined],
        [
          400,
          'invalid_request',
          'entries.0.contacts',
          'POST',
          '/contact-history',
          { entries: [{ number: '3125550142', dials: 1, contacts: 2 }] },
        ],
        [404, 'not_found', undefined, 'GET', '/organizations/nobody', undefined],
        [404, 'not_found', undefined, 'GET', '/organizations/inputs/endpoints/nonsense', undefined],
        [404, 'not_found', undefined, 'GET', '/organizations/inputs/deliveries/nonsense', undefined],
        [404, 'not_found', undefined, 'POST', '/events', { organization: 'nobody', type: 'a', data: {} }],
        [400, 'invalid_request', undefined, 'POST', '/events', { organization: 'inputs', type: 'Not A Type', data: {} }],
        [400, 'invalid_request', undefined, 'POST', '/events', { organization: 'inputs', type: 'a' }],
        [400, 'invalid_request', 'data', 'POST', '/events', { organization: 'inputs', type: 'a', data: 'x'.repeat(1_100_000) }],
        [413, 'body_too_large', undefined, 'POST', '/organizations', { slug: 'x'.repeat(1_100_000) }],
      ];
      for (const [status, code, field, method, path, body] of cases) {
        const answer = await operator.send<Problem>(method, `/operator/v1${path}`, body);
        assert.deepEqual(
          [answer.status, answer.body.code],
          [status, code],
          `${method} ${path} ${JSON.stringify(body)?.slice(0, 80)} ${JSON.stringify(answer.body)}`,
        );
        if (field !== undefined) assert.equal(answer.body.field, field, `${path} ${answer.body.detail}`);
      }
    });

    test('events one by one and by the thousand reach endpoints of any dialect; the log pages through them', async () => {
      await operator.send('POST', '/operator/v1/organizations', { slug: 'sender' });
      const base = '/operator/v1/organizations/sender';
      const { body: all } = await operator.send<Created>('POST', `${base}/endpoints`, {
        dialect: 'standard',
        url: receiver.url('/all'),
        headers: { 'X-Api-Key': 'k' },
      });
      await operator.send<Created>('POST', `${base}/endpoints`, {
        dialect: 'standard',
        url: receiver.url('/some'),
        events: ['campaign.done'],
      });
      const one = await operator.send<{ id: string }>('POST', '/operator/v1/events', {
        organization: 'sender',
        type: 'campaign.started',
        data: { n: 1 },
      });
      assert.equal(one.status, 202);
      const many = Array.from({ length: 1000 }, (_, n) => ({
        organization: 'sender',
        type: n % 2 ? 'campaign.done' : 'campaign.dial',
        data: n,
      }));
      const { body: ids } = await operator.send<{ ids: string[] }>('POST', '/operator/v1/events', many);
      assert.equal(new Set(ids.ids).size, 1000);
      const to = (path: string) => receiver.received.filter((request) => request.path === path);
      await receiver.until(() => to('/all').length === 1001 && to('/some').length === 500);
      for (const { body, headers } of to('/all').slice(0, 5)) {
        await verify(scheme, { secret: all.secret, body, headers });
        assert.equal(headers['x-api-key'], 'k');
      }
      const seen = new Set<string>();
      await eventually('everything is recorded', async () => {
        seen.clear();
        for (let cursor: string | null = ''; cursor !== null;) {
          const page: { body: Page } = await operator.get(
            `${base}/deliveries?limit=200&status=delivered${cursor ? `&cursor=${cursor}` : ''}`,
          );
          for (const { id } of page.body.data) seen.add(id);
          cursor = page.body.next_cursor;
        }
        return seen.size === 1501;
      });
      const filtered = await operator.get<Page>(`${base}/deliveries?endpoint=${all.endpoint.id}&event_type=campaign.started`);
      assert.equal(filtered.body.data.length, 1);
      const detail = await operator.get<{ attempts: unknown[] }>(`${base}/deliveries/${filtered.body.data[0]!.id}`);
      assert.equal(detail.body.attempts.length, 1);
    });

    test('one bad event of many stores none of them', async () => {
      await operator.send('POST', '/operator/v1/organizations', { slug: 'atomic' });
      const endpoint = await operator.send<Created>('POST', '/operator/v1/organizations/atomic/endpoints', {
        dialect: 'standard',
        url: receiver.url('/atomic'),
      });
      const events = [
        { organization: 'atomic', type: 'a', data: 1 },
        { organization: 'nobody', type: 'a', data: 1 },
      ];
      assert.equal((await operator.send('POST', '/operator/v1/events', events)).status, 404);
      assert.equal((await operator.send('POST', '/operator/v1/events', [])).status, 400);
      assert.deepEqual(
        (await operator.get<Page>(`/operator/v1/organizations/atomic/deliveries?endpoint=${endpoint.body.endpoint.id}`)).body.data,
        [],
      );
    });

    test('a repeated call with an Idempotency-Key is answered and not done again', async () => {
      const path = '/operator/v1/organizations';
      const call = (slug: string, key: string) =>
        operator.send<{ id: string; key?: string }>('POST', path, { slug }, { 'idempotency-key': key });
      const first = await call('once', 'k-1');
      const again = await call('once', 'k-1');
      assert.deepEqual([again.status, again.body, again.headers.get('idempotent-replayed')], [201, first.body, 'true']);
      assert.equal((await call('other', 'k-1')).status, 422);
      assert.equal((await call('once', 'k-2')).status, 409, 'a refusal is an answer too');
      assert.equal((await call('once', 'k-2')).headers.get('idempotent-replayed'), 'true');
      assert.equal((await call('x', 'k'.repeat(256))).status, 400);
      const keys = await Promise.all(
        [1, 2, 3].map(() =>
          operator.send<{ key?: string }>('POST', `${path}/once/api-keys`, { kind: 'optimaldial' }, { 'idempotency-key': 'k-3' }),
        ),
      );
      assert.equal(new Set(keys.filter(({ status }) => status === 201).map(({ body }) => body.key)).size, 1, 'one key was made');
      assert.equal((await operator.get<{ data: unknown[] }>(`${path}/once/api-keys`)).body.data.length, 1);
    });

    test('a change with If-Match is only made while nobody else changed the endpoint', async () => {
      await operator.send('POST', '/operator/v1/organizations', { slug: 'etags' });
      const { body: made } = await operator.send<Created>('POST', '/operator/v1/organizations/etags/endpoints', {
        dialect: 'standard',
        url: receiver.url('/e'),
      });
      const path = `/operator/v1/organizations/etags/endpoints/${made.endpoint.id}`;
      const etag = (await operator.get(path)).headers.get('etag')!;
      const changed = await operator.send('PATCH', path, { name: 'a' }, { 'if-match': etag });
      assert.equal(changed.status, 200);
      assert.notEqual(changed.headers.get('etag'), etag);
      assert.equal((await operator.send('PATCH', path, { name: 'b' }, { 'if-match': etag })).status, 412);
      assert.equal((await operator.send('PATCH', path, { name: 'b' }, { 'if-match': 'junk' })).status, 412);
      assert.equal((await operator.send('PATCH', path, { name: 'b' })).status, 200);
    });

    test('an endpoint is changed, rotated and deleted; another organization’s is not found', async () => {
      await operator.send('POST', '/operator/v1/organizations', { slug: 'mine' });
      await operator.send('POST', '/operator/v1/organizations', { slug: 'theirs' });
      const { body: made } = await operator.send<Created>('POST', '/operator/v1/organizations/mine/endpoints', {
        dialect: 'standard',
        url: receiver.url('/mine'),
      });
      const path = `/organizations/mine/endpoints/${made.endpoint.id}`;
      for (const [method, suffix, body] of [
        ['GET', '', undefined],
        ['PATCH', '', {}],
        ['POST', '/rotate-secret', {}],
        ['DELETE', '', undefined],
      ] as const) {
        await refuses(404, 'not_found', undefined, method, path.replace('mine', 'theirs') + suffix, body);
      }
      assert.equal(
        (await operator.send<Created['endpoint']>('PATCH', `/operator/v1${path}`, { is_active: false, events: ['a.b'] })).body.is_active,
        false,
      );
      const rotated = await operator.send<Created>('POST', `/operator/v1${path}/rotate-secret`, {});
      assert.notEqual(rotated.body.secret, made.secret);
      assert.equal((await operator.send('DELETE', `/operator/v1${path}`)).status, 204);
      await refuses(404, 'not_found', undefined, 'GET', path);
    });
  });
}
