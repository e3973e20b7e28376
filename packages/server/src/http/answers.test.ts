import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { startTestServer, type TestServer } from '@dialhook/testing';

/** What every answer says about itself, on every surface. */
describe('answers', () => {
  let place: TestServer;
  const keys: Record<string, string> = {};
  let slug: string;
  before(async () => {
    place = await startTestServer('postgres');
    for (const kind of ['optimaldial', 'outboundiq', 'dialnexa']) ({ key: keys[kind]!, slug } = await place.organization({ kind }));
    keys.operator = 'operator-token-for-tests';
  });
  after(() => place.stop());

  const headersOf = async (path: string, key?: string, headers: Record<string, string> = {}) => {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${keys[key]}` };
    const response = await fetch(place.url + path, { headers: { ...authorization, ...headers } });
    await response.arrayBuffer();
    return {
      status: response.status,
      sniff: response.headers.get('x-content-type-options'),
      cache: response.headers.get('cache-control'),
      etag: response.headers.get('etag'),
    };
  };

  const CALLS: readonly [path: string, key: string | undefined, status: number][] = [
    ['/api/v1/webhooks', 'optimaldial', 200],
    ['/api/v1/uploads', undefined, 401],
    ['/api/v1/none', 'optimaldial', 404],
    ['/dials', 'outboundiq', 200],
    ['/dials', 'dialnexa', 403],
    ['/v1/campaigns', 'dialnexa', 200],
    ['/v1/campaigns', undefined, 401],
    ['/operator/v1/organizations', 'operator', 200],
    ['/operator/v1/organizations', 'dialnexa', 401],
    ['/panel/me', undefined, 401],
    ['/none', undefined, 404],
    ['/healthz', undefined, 200],
    ['/metrics', undefined, 200],
    ['/files/a/b?expires=1&signature=x', undefined, 403],
  ];
  for (const [path, key, status] of CALLS) {
    test(`${path} with ${key ?? 'no'} key: taken for what it is, and kept by nobody`, async () => {
      const got = await headersOf(path, key);
      assert.deepEqual([got.status, got.sniff, got.cache], [status, 'nosniff', 'no-store']);
    });
  }

  test('an answer with a tag may be asked for again by the caller alone', async () => {
    const { body } = await place.operator.send<{ endpoint: { id: string } }>('POST', `/operator/v1/organizations/${slug}/endpoints`, {
      dialect: 'standard',
      url: 'http://127.0.0.1:9/',
    });
    const got = await headersOf(`/operator/v1/organizations/${slug}/endpoints/${body.endpoint.id}`, 'operator');
    assert.deepEqual([got.status, got.sniff, got.cache], [200, 'nosniff', 'private, no-cache']);
    const logs = await headersOf('/v1/call-logs', 'dialnexa');
    assert.deepEqual([logs.status, logs.cache], [200, 'private, no-cache']);
    const again = await headersOf('/v1/call-logs', 'dialnexa', { 'if-none-match': logs.etag! });
    assert.deepEqual([again.status, again.sniff, again.cache], [304, 'nosniff', 'private, no-cache']);
  });

  test("the panel's files, which are named by their content, are kept for good", async () => {
    const page = await (await fetch(`${place.url}/sign-in`)).text();
    const asset = /\/assets\/[\w.-]+\.js/.exec(page)![0];
    const got = await headersOf(asset);
    assert.deepEqual([got.status, got.sniff], [200, 'nosniff']);
    assert.match(got.cache!, /^public, max-age=31536000, immutable$/);
    assert.equal((await headersOf('/sign-in')).cache, 'private, no-cache');
  });
});
