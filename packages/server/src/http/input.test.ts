import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';

const NUL = '\u0000';
const HALF = '\ud800';
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

for (const kind of DATABASE_KINDS) {
  describe(`odd requests on ${kind}`, () => {
    let place: TestServer;
    let dials: ApiClient;
    let calls: ApiClient;
    let lists: ApiClient;
    let slug: string;
    before(async () => {
      place = await startTestServer(kind);
      ({ api: dials, slug } = await place.organization({ kind: 'outboundiq' }));
      ({ api: calls } = await place.organization({ kind: 'dialnexa' }));
      ({ api: lists } = await place.organization());
    });
    after(() => place.stop());

    test('text that cannot be stored is refused with the field’s name in each surface’s own words, and nothing of it is stored', async () => {
      const { operator } = place;
      for (const bad of [NUL, HALF]) {
        const path = encodeURIComponent(NUL); // half of a pair cannot be written in an address
        const events = [
          { organization: slug, type: 'a.b', data: {} },
          { organization: slug + bad, type: 'a.b', data: {} },
        ];
        await problem(await operator.send('POST', '/operator/v1/events', events), '1.organization');
        await problem(
          await operator.send('POST', '/operator/v1/events', { organization: slug, type: 'a.b', data: { deep: [{ er: bad }] } }),
          'data.deep.0.er',
        );
        await problem(await operator.send('POST', '/operator/v1/organizations', { slug: 'a-slug', name: `x${bad}` }), 'name');
        assert.equal((await operator.get(`/operator/v1/organizations/${path}/deliveries`)).status, 404);
        await problem(await operator.get(`/operator/v1/organizations/${slug}/deliveries?cursor=${path}`), 'cursor');
        const dispo = { id: `1${bad}`, name: 'x', type: 'Agent', contact: true, success: true };
        iq(await dials.send('POST', '/custom/dispos', dispo), 'id');
        iq(await dials.get(`/custom/dispos?id=${path}`), 'id');
        iq(await dials.send('POST', '/dials', { dial_id: bad }), 'dial_id');
        const campaign = { name: bad, agent_id: 'a' };
        nexa(await calls.send('POST', '/v1/campaigns', campaign), 'name');
        nexa(await calls.send('POST', '/v1/calls', { metadata: { [bad]: 'x' } }), 'metadata');
        assert.equal((await calls.get(`/v1/calls/${path}`)).status, 404);
        od(await lists.send('POST', '/api/v1/webhooks', { url: 'https://x.example', description: bad }), 'description');
        assert.equal((await lists.get(`/api/v1/uploads/${path}`)).status, 404);
        const numbers = Array.from({ length: 100 }, (_, n) => `+1312555${1_000 + n}`);
        od(await lists.send('POST', '/api/v1/uploads', { phone_numbers: numbers, filename: `a${bad}` }), 'filename');
      }
      const form = new FormData();
      form.set('phone_column', 'phone');
      form.set('file', new Blob(['phone\n3125550100\n']), `a${NUL}.csv`);
      od(await lists.send('POST', '/api/v1/uploads', form), 'file');
      assert.deepEqual((await lists.get<{ data: unknown[] }>('/api/v1/uploads')).body.data, []);
      assert.deepEqual((await lists.get('/api/v1/webhooks')).body, []);
      assert.deepEqual((await calls.get<{ data: unknown[] }>('/v1/campaigns')).body.data, []);
      // Whole pairs are text like any other.
      const { status } = await operator.send('POST', '/operator/v1/events', { organization: slug, type: 'a.b', data: { ok: '😀' } });
      assert.equal(status, 202);
    });

    test('JSON of thousands of levels is refused on every surface', async () => {
      const json = (name: string) => `{"${name}":${deep(5_000)}}`;
      await problem(await place.operator.send('POST', '/operator/v1/events', deep(5_000)), '0.0');
      await problem(
        await place.operator.send('POST', '/operator/v1/events', `{"organization":"${slug}","type":"a.b","data":${deep(5_000)}}`),
        'data',
      );
      iq(await dials.send('POST', '/dials', json('dial_id')), 'dial_id');
      nexa(await calls.send('POST', '/v1/calls', json('metadata')), 'metadata');
      od(await lists.send('POST', '/api/v1/webhooks', json('url')), 'url');
      od(await lists.send('POST', '/api/v1/uploads', json('phone_numbers')), 'phone_numbers');
    });

    test('an id is the same in upper case, and an id of any length is one that a surface does not know', async () => {
      const { operator } = place;
      const endpoints = `/operator/v1/organizations/${slug}/endpoints`;
      const add = async (path: string) => {
        const body = { dialect: 'standard', url: `http://127.0.0.1:9/${path}` };
        return (await operator.send<{ endpoint: { id: string } }>('POST', endpoints, body)).body.endpoint.id;
      };
      const [id, bystander] = [await add('a'), await add('b')];
      const before = (await operator.get(`${endpoints}/${bystander}`)).body;
      const upper = `${endpoints}/${id.toUpperCase()}`;
      const changed = await operator.send<{ id: string; description: string }>('PATCH', upper, { description: 'new' });
      assert.deepEqual([changed.status, changed.body.id, changed.body.description], [200, id, 'new']);
      assert.equal((await operator.send('POST', `${upper}/rotate-secret`, {})).status, 200);
      assert.equal((await operator.send('POST', `${upper}/pause`)).status, 200);
      assert.equal((await operator.send('POST', `${upper}/resume`)).status, 200);
      assert.equal((await operator.send('DELETE', upper)).status, 204);
      assert.deepEqual((await operator.get(`${endpoints}/${bystander}`)).body, before);
      const long = 'x'.repeat(5_000);
      const unknown = [
        [operator, `${endpoints}/${long}`, 'detail'],
        [calls, `/v1/calls/${long}`, 'statusCode'],
        [lists, `/api/v1/uploads/${long}`, 'detail'],
      ] as const;
      for (const [api, path, name] of unknown) {
        const { body, status } = await api.get<Record<string, unknown>>(path);
        assert.equal(status, 404);
        assert.ok(name in body, JSON.stringify(body));
      }
    });

    test('a method that an address does not have is 405 with Allow in the surface’s own words; no address is 404', async () => {
      const cases = [
        [place.operator, 'PUT', '/operator/v1/organizations', 'GET, HEAD, POST', { code: 'method_not_allowed' }],
        [lists, 'PUT', '/api/v1/uploads/1', 'DELETE, GET, HEAD', { detail: 'Method Not Allowed' }],
        [dials, 'DELETE', '/dials', 'GET, HEAD, POST', { success: false, message: 'Method Not Allowed' }],
        [
          calls,
          'PATCH',
          '/v1/user-webhooks',
          'GET, HEAD, POST',
          { statusCode: 405, message: 'Method Not Allowed', error: 'Method Not Allowed' },
        ],
        [place.operator, 'GET', '/panel/session', 'DELETE, POST', { code: 'method_not_allowed' }],
        [place.operator, 'GET', '/panel/none', null, { code: 'not_found' }],
        [place.operator, 'POST', '/healthz', 'GET, HEAD', { detail: 'Method Not Allowed' }],
        [place.operator, 'GET', '/nowhere', null, { detail: 'Not found' }],
        [lists, 'GET', '/api/v1/nowhere', null, { detail: 'Route not found' }],
      ] as const;
      for (const [api, method, path, allow, expected] of cases) {
        const answer = await api.raw(method, path);
        const where = `${method} ${path}`;
        assert.deepEqual([where, answer.status, answer.headers.get('allow')], [where, allow === null ? 404 : 405, allow]);
        const body = (await answer.json()) as Record<string, unknown>;
        for (const [name, value] of Object.entries(expected)) assert.equal(body[name], value, `${where}: ${JSON.stringify(body)}`);
      }
      nexa(await answerOf(await calls.raw('GET', '/v1/calls/%ff')), 'path');
      iq(await answerOf(await dials.raw('GET', '/custom/%ff')), 'path');
    });

    test('an empty cursor is the first page, and a foreign one is refused', async () => {
      const first = await place.operator.get('/operator/v1/organizations');
      assert.deepEqual((await place.operator.get('/operator/v1/organizations?cursor=')).body, first.body);
      assert.deepEqual((await lists.get('/api/v1/uploads?cursor=')).body, { data: [], next_cursor: null });
      assert.equal((await dials.get('/dials?cursor=')).status, 200);
      od(await lists.get('/api/v1/uploads?cursor=abc'), 'cursor');
      iq(await dials.get('/dials?cursor=abc'), 'cursor');
      await problem(await place.operator.get('/operator/v1/organizations?cursor=AAAA'), 'cursor');
    });
  });
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, body: await response.json() };
}

async function problem({ body, status }: Answer, field: string): Promise<void> {
  const { code, detail, field: named } = body as { code: string; detail: string; field: string };
  assert.deepEqual([status, code], [400, 'invalid_request'], JSON.stringify(body));
  assert.ok(named.startsWith(field) && detail.startsWith(field), `${named}: ${detail}`);
}

function iq({ body, status }: Answer, field: string): void {
  const { message, success } = body as { success: boolean; message: string };
  assert.deepEqual([status, success], [400, false], JSON.stringify(body));
  assert.ok(message.startsWith(field), message);
}

function nexa({ body, status }: Answer, field: string): void {
  const { error, message, statusCode } = body as { statusCode: number; message: string[]; error: string };
  assert.deepEqual([status, statusCode, error], [400, 400, 'Bad Request'], JSON.stringify(body));
  assert.ok(message[0]!.startsWith(field), String(message));
}

function od({ body, status }: Answer, field: string): void {
  const { detail } = body as { detail: string };
  assert.equal(status, 400, JSON.stringify(body));
  assert.ok(detail.startsWith(field), detail);
}
