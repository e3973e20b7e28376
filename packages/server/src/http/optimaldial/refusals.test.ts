import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, eventually, Receiver, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';
import { LIST_LIMITS } from '../../lists/limits.ts';
import { sampleCsv, sampleNumbers } from '../../lists/samples.fixture.ts';

interface Detail {
  readonly detail: string & { readonly error: string; readonly underlying_error: string | null; readonly status_code: number | null };
}
interface Upload {
  readonly id: string;
  readonly status: string;
  readonly valid_row_count: number;
  readonly invalid_row_count: number;
}

const UNKNOWN_ID = '00000000-0000-7000-8000-000000000000';

for (const kind of DATABASE_KINDS) {
  describe(`refusals on ${kind}`, () => {
    let place: TestServer;
    let receiver: Receiver;
    let slug: string;
    let key: string;
    let api: ApiClient;

    before(async () => {
      place = await startTestServer(kind);
      receiver = await Receiver.start();
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    /** A fresh organization: the rate limit counts per key. */
    async function fresh(options?: Parameters<TestServer['organization']>[0]): Promise<void> {
      ({ api, key, slug } = await place.organization(options));
    }
    const credits = async () => (await place.operator.get<{ credits: number }>(`/operator/v1/organizations/${slug}`)).body.credits;
    const uploadFolders = () => {
      try {
        return readdirSync(join(place.server.config.dataDir, 'files/uploads')).length;
      } catch {
        return 0;
      }
    };
    function form(fields: Record<string, string>, file?: string | Uint8Array): FormData {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.append(name, value);
      if (file !== undefined) body.append('file', new Blob([file as string], { type: 'text/csv' }), 'list.csv');
      return body;
    }

    test('every way to lack a key is the same 401', async () => {
      await fresh();
      const { api: outbound } = await place.organization({ kind: 'outboundiq' });
      for (const client of [api.as(''), api.as('od_live_wrong'), api.as(`${key}x`), api.as(key.toUpperCase()), outbound]) {
        const refused = await client.get<Detail>('/api/v1/webhooks');
        assert.equal(refused.status, 401);
        assert.deepEqual(refused.body, { detail: 'Invalid or missing API key' });
        assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
      }
      assert.equal(
        (await api.as('x').send('POST', '/api/v1/uploads', 'x', { 'content-type': 'text/plain' })).status,
        401,
        '401 comes before 415',
      );
    });

    test('a revoked, an expired and a leaver’s key are refused', async () => {
      await fresh();
      const base = `/operator/v1/organizations/${slug}`;
      const { body: expired } = await place.operator.send<{ key: string }>('POST', `${base}/api-keys`, {
        kind: 'optimaldial',
        expires_at: '2020-01-01T00:00:00Z',
      });
      assert.equal((await api.as(expired.key).get('/api/v1/webhooks')).status, 401);
      const { body: member } = await place.operator.send<{ user_id: string }>('POST', `${base}/members`, {
        email: `o-${slug}@example.com`,
        role: 'owner',
      });
      const { body: theirs } = await place.operator.send<{ key: string }>('POST', `${base}/api-keys`, {
        kind: 'optimaldial',
        user_id: member.user_id,
      });
      assert.equal((await api.as(theirs.key).get('/api/v1/webhooks')).status, 200);
      await place.operator.send('DELETE', `${base}/members/${member.user_id}`);
      assert.equal((await api.as(theirs.key).get('/api/v1/webhooks')).status, 401);
      const { body: keys } = await place.operator.get<{ data: { id: string; prefix: string }[] }>(`${base}/api-keys`);
      const mine = keys.data.find(({ prefix }) => key.startsWith(prefix))!;
      await place.operator.send('DELETE', `${base}/api-keys/${mine.id}`);
      assert.equal((await api.get('/api/v1/webhooks')).status, 401);
    });

    test('a webhook is refused with the field that is wrong, and nothing is saved', async () => {
      await fresh();
      const url = receiver.url('/ok');
      const cases: [unknown, RegExp][] = [
        [{}, /^url is required$/],
        [{ url: 5 }, /^url must be string$/],
        [{ url, description: 'x'.repeat(501) }, /^description must NOT have more than 500 characters$/],
        [{ url, events: [] }, /^events: must not be empty$/],
        [{ url, events: 'upload.created' }, /^events must be array$/],
        [{ url, events: [1] }, /^events\.0 must be string$/],
        [
          { url, events: ['webhook.ping'] },
          /^events: unknown event type "webhook\.ping"; allowed are upload\.created, upload\.completed, upload\.failed$/,
        ],
        ['[]', /^the body must be object$/],
        ['{"url":', /^the body is not valid JSON$/],
        ['', /^the body must be a JSON object$/],
        ['['.repeat(200_000), /^the body is not valid JSON$/],
        ['{"__proto__":{"x":1},"url":"x"}', /^the body is not valid JSON$/],
      ];
      for (const [body, message] of cases) {
        const refused = await api.send<Detail>('POST', '/api/v1/webhooks', body);
        assert.equal(refused.status, 400, JSON.stringify(body).slice(0, 80));
        assert.match(refused.body.detail, message);
      }
      const huge = await api.send<Detail>('POST', '/api/v1/webhooks', { url: 'x'.repeat(2_000_000) }).catch(() => null);
      if (huge !== null) assert.equal(huge.status, 413);
      assert.deepEqual((await api.get('/api/v1/webhooks')).body, []);
    });

    test('a ping that fails says how, and a bad URL is one of its kinds', async () => {
      await fresh();
      receiver.answer = () => 503;
      const answered = await api.send<Detail>('POST', '/api/v1/webhooks', { url: receiver.url() });
      assert.equal(answered.status, 400);
      assert.deepEqual(
        [answered.body.detail.error, answered.body.detail.status_code, answered.body.detail.underlying_error],
        ['ping_failed', 503, null],
      );
      receiver.answer = () => (_request, response) => response.writeHead(302, { location: receiver.url('/elsewhere') }).end();
      const before = receiver.received.length;
      assert.equal((await api.send<Detail>('POST', '/api/v1/webhooks', { url: receiver.url() })).body.detail.status_code, 302);
      assert.equal(receiver.received.length, before + 1, 'redirects are not followed');
      receiver.answer = () => 200;
      const cases: [string, string][] = [
        ['http://127.0.0.1:9/', 'connection_error'],
        ['http://no-such-host.invalid/', 'dns_error'],
        [`https://127.0.0.1:${receiver.port}/`, 'tls_error'],
        ['ftp://example.com/', 'url_not_https'],
        ['not a url', 'url_not_https'],
        ['https://user:pass@example.com/', 'url_not_https'],
      ];
      for (const [url, reason] of cases) {
        const { body } = await api.send<Detail>('POST', '/api/v1/webhooks', { url });
        assert.deepEqual([body.detail.error, body.detail.underlying_error], ['ping_failed', reason], url);
      }
      assert.deepEqual((await api.get('/api/v1/webhooks')).body, []);
    });

    test('a PATCH that fails changes nothing', async () => {
      await fresh();
      const { body } = await api.send<{ webhook: { id: string } }>('POST', '/api/v1/webhooks', { url: receiver.url('/a') });
      const path = `/api/v1/webhooks/${body.webhook.id}`;
      receiver.answer = ({ path: asked }) => (asked === '/b' ? 500 : 200);
      for (const change of [
        { url: receiver.url('/b'), description: 'new' },
        { events: [] },
        { events: ['x'] },
        { is_active: 'yes' },
        { is_active: null },
        { url: null },
      ]) {
        assert.equal((await api.send('PATCH', path, change)).status, 400, JSON.stringify(change));
      }
      assert.deepEqual((await api.get(path)).body, body.webhook);
      const before = receiver.received.length;
      assert.equal((await api.send('PATCH', path, { url: receiver.url('/a'), description: null })).status, 200);
      assert.equal(receiver.received.length, before, 'the same URL is not pinged again');
      receiver.answer = () => 200;
    });

    test('unknown and foreign ids are the same 404', async () => {
      await fresh();
      const { body: webhook } = await api.send<{ webhook: { id: string } }>('POST', '/api/v1/webhooks', { url: receiver.url('/a') });
      const { body: upload } = await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) });
      const { api: other } = await place.organization();
      for (const id of [webhook.webhook.id, UNKNOWN_ID, 'nonsense', '%00']) {
        for (const [method, path] of [
          ['GET', ''],
          ['PATCH', ''],
          ['GET', '/deliveries'],
          ['DELETE', ''],
        ] as const) {
          assert.equal(
            (await other.send(method, `/api/v1/webhooks/${id}${path}`, method === 'PATCH' ? {} : undefined)).status,
            404,
            `${method} ${id}${path}`,
          );
        }
      }
      for (const id of [upload.id, UNKNOWN_ID, 'nonsense']) {
        for (const [method, path] of [
          ['GET', ''],
          ['GET', '/download/original'],
          ['DELETE', ''],
        ] as const) {
          assert.equal((await other.send(method, `/api/v1/uploads/${id}${path}`)).status, 404, `${method} ${id}${path}`);
        }
      }
      assert.equal((await api.get(`/api/v1/uploads/${upload.id}/download/staged`)).status, 404);
      assert.equal((await api.get('/api/v1/nothing')).status, 404);
    });

    test('limits and cursors out of range are 400', async () => {
      await fresh();
      const { body } = await api.send<{ webhook: { id: string } }>('POST', '/api/v1/webhooks', { url: receiver.url('/a') });
      for (const limit of ['0', '101', '-1', 'x', '1.5']) {
        assert.equal((await api.get(`/api/v1/uploads?limit=${limit}`)).status, 400, limit);
        assert.equal((await api.get(`/api/v1/webhooks/${body.webhook.id}/deliveries?limit=${limit}`)).status, 400, limit);
      }
      assert.equal((await api.get('/api/v1/uploads?cursor=x')).status, 400);
    });

    test('pages follow each other, newest first, without gap or repeat', async () => {
      await fresh();
      const ids: string[] = [];
      for (let n = 0; n < 5; n++)
        ids.unshift((await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) })).body.id);
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: { body: { data: Upload[]; next_cursor: string | null } } = await api.get(
          `/api/v1/uploads?limit=2${cursor ? `&cursor=${cursor}` : ''}`,
        );
        seen.push(...page.body.data.map(({ id }) => id));
        cursor = page.body.next_cursor;
      }
      assert.deepEqual(seen, ids);
    });

    test('the sixty-first write of a minute is 429, reads go on', async () => {
      await fresh();
      for (let n = 0; n < 60; n++) await api.send('DELETE', `/api/v1/webhooks/${UNKNOWN_ID}`);
      const refused = await api.send<{ detail: Record<string, unknown> }>('POST', '/api/v1/webhooks', {});
      assert.equal(refused.status, 429);
      const { error, limit, observed, retry_after_seconds: wait } = refused.body.detail;
      assert.deepEqual([error, limit, observed], ['rate_limit_exceeded', 60, 61]);
      assert.ok(Number(wait) >= 1 && Number(wait) <= 60);
      assert.equal(refused.headers.get('retry-after'), String(wait));
      assert.equal((await api.get('/api/v1/webhooks')).status, 200);
    });

    test('a list as JSON is refused with the reason, and nothing is charged or left behind', async () => {
      await fresh({ credits: 1000 });
      const folders = uploadFolders();
      const numbers = sampleNumbers(100);
      const cases: [number, unknown, RegExp][] = [
        [400, '{', /not valid JSON/],
        [400, '[]', /must be a JSON object/],
        [400, '"x"', /must be a JSON object/],
        [400, {}, /exactly one of phone_numbers and contacts/],
        [400, { phone_numbers: numbers, contacts: [] }, /exactly one/],
        [400, { phone_numbers: 'x' }, /phone_numbers must be an array/],
        [400, { phone_numbers: [...numbers, 5] }, /phone_numbers\[100\] must be a string/],
        [400, { phone_numbers: numbers, filename: 5 }, /filename must be a string/],
        [400, { phone_numbers: numbers, skip_mobile_lookup: 'yes' }, /skip_mobile_lookup must be true or false/],
        [400, { contacts: [5] }, /contacts\[0\] must be an object/],
        [400, { contacts: [{ name: 'x' }] }, /contacts\[0\]\.phone must be a string/],
        [400, { contacts: [{ phone: 'x', tags: [] }] }, /contacts\[0\]\.tags must be/],
        [400, `{"phone_numbers":${'['.repeat(100_000)}`, /not valid JSON/],
        [413, { phone_numbers: sampleNumbers(250_001) }, /at most 250000 entries/],
        [422, { phone_numbers: numbers.slice(1) }, /found 99/],
        [422, { phone_numbers: numbers.map(() => numbers[0]!) }, /found 1$/],
        [422, { phone_numbers: Array.from({ length: 200 }, (_, n) => `+44207946${String(n).padStart(4, '0')}`) }, /found 0/],
        [402, { phone_numbers: sampleNumbers(1001) }, /^Insufficient credits$/],
      ];
      for (const [status, body, message] of cases) {
        const refused = await api.send<Detail>('POST', '/api/v1/uploads', body);
        assert.equal(refused.status, status, JSON.stringify(body).slice(0, 80) + JSON.stringify(refused.body));
        assert.match(refused.body.detail, message);
      }
      for (const type of ['text/csv', 'application/x-www-form-urlencoded', '']) {
        assert.equal(
          (await api.send('POST', '/api/v1/uploads', new TextEncoder().encode('x'), { 'content-type': type })).status,
          415,
          type,
        );
      }
      assert.equal(await credits(), 1000);
      assert.equal(uploadFolders(), folders);
      assert.deepEqual((await api.get<{ data: unknown[] }>('/api/v1/uploads')).body.data, []);
    });

    test('a CSV is refused with the reason, and nothing is charged or left behind', async () => {
      await fresh();
      const folders = uploadFolders();
      const phone = { phone_column: 'phone' };
      const good = sampleCsv(100);
      const cases: [number, FormData, RegExp][] = [
        [400, form(phone), /^file is required$/],
        [400, form({}, good), /^phone_column is required$/],
        [400, form({ phone_column: '' }, good), /^phone_column is required$/],
        [400, form({ phone_column: 'mobile' }, good), /^phone_column "mobile" is not a column of the file; it has "name", "phone"$/],
        [400, form({ ...phone, skip_mobile_lookup: 'maybe' }, good), /^skip_mobile_lookup must be true or false$/],
        [400, form(phone, ''), /^file is empty/],
        [400, form(phone, sampleNumbers(200).join('\n')), /must begin with a header row/],
        [400, form(phone, `name,phone\n"${sampleNumbers(200).join('\n')}`), /quote that never closes/],
        [400, form(phone, `name,phone\n"${'x'.repeat(3_000_000)}`), /quote that never closes/],
        [400, form(phone, Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0)), /binary data/],
        [400, form(phone, Array.from({ length: 600 }, (_, n) => `c${n}`).join(',')), /at most 512 columns/],
        [422, form(phone, sampleCsv(99)), /found 99/],
      ];
      for (const [status, body, message] of cases) {
        const refused = await api.send<Detail>('POST', '/api/v1/uploads', body);
        assert.match(refused.body.detail, message);
        assert.equal(refused.status, status);
      }
      const broken = await api.send<Detail>('POST', '/api/v1/uploads', '--x\r\nnothing', {
        'content-type': 'multipart/form-data; boundary=x',
      });
      assert.equal(broken.status, 400);
      assert.equal((await api.send<Detail>('POST', '/api/v1/uploads', 'x', { 'content-type': 'multipart/form-data' })).status, 400);
      assert.equal(await credits(), 10_000);
      assert.equal(uploadFolders(), folders);
    });

    // No statement is made for one that is too large: once is enough.
    const tooLarge = 'a CSV of 101 MB is 413, streamed with and without a length';
    if (kind === 'postgres')
      test(tooLarge, async () => {
        await fresh();
        const folders = uploadFolders();
        const row = `someone,+13125550142,${'x'.repeat(1000)}\n`;
        const file = `name,phone,note\n${row.repeat(Math.ceil((101 * 1024 * 1024) / row.length))}`;
        const big = await api.send<Detail>('POST', '/api/v1/uploads', form({ phone_column: 'phone' }, file));
        assert.equal(big.status, 413);
        const encoded = new Response(form({ phone_column: 'phone' }, file));
        const chunked = await api.send<Detail>('POST', '/api/v1/uploads', encoded.body, {
          'content-type': encoded.headers.get('content-type')!,
        });
        assert.equal(chunked.status, 413);
        assert.equal(uploadFolders(), folders);
        assert.equal(await credits(), 10_000);
      });

    test('usual CSV habits are understood: BOM, CRLF, semicolons, tabs, Latin-1, UTF-16, quotes, ragged rows', async () => {
      await fresh();
      const csv = sampleCsv(100);
      const latin1 = Buffer.from(
        `naïve;phone\r\n${sampleNumbers(100)
          .map((n) => `Zoë;${n}`)
          .join('\r\n')}`,
        'latin1',
      );
      const files: [string, string | Uint8Array, number, number][] = [
        ['BOM', `\ufeff${csv}`, 100, 0],
        ['BOM before the phone column', `\ufeffphone,name\n${sampleNumbers(100).join(',a\n')},a`, 100, 0],
        ['CRLF', csv.replaceAll('\n', '\r\n'), 100, 0],
        ['CR', csv.replaceAll('\n', '\r'), 100, 0],
        ['semicolons', csv.replaceAll(',', ';'), 100, 0],
        ['tabs', csv.replaceAll(',', '\t'), 100, 0],
        ['Latin-1', latin1, 100, 0],
        ['UTF-16', Buffer.from(`\ufeff${csv}`, 'utf16le'), 100, 0],
        ['quotes', csv.replaceAll(/Person (\d+)/g, '"Person ""$1"", Jr.\nSecond line"'), 100, 0],
        ['ragged rows and blank lines', `${csv}\n\nonly-a-name\nname,12,3,4,5\n`, 100, 2],
        ['column named in another case', csv.replace('phone', ' Phone '), 100, 0],
      ];
      for (const [name, file, valid, invalid] of files) {
        const { body, status } = await api.send<Upload>('POST', '/api/v1/uploads', form({ phone_column: 'phone' }, file));
        assert.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
        assert.deepEqual([body.valid_row_count, body.invalid_row_count], [valid, invalid], name);
      }
    });

    test('a plan without lists is 403; reads and webhooks go on', async () => {
      for (const plan of ['spam_monitoring', null]) {
        await fresh({ plan });
        assert.equal((await api.send('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) })).status, 403);
        assert.equal((await api.get('/api/v1/uploads')).status, 200);
        assert.equal((await api.send('POST', '/api/v1/webhooks', { url: receiver.url() })).status, 200);
      }
    });

    test('a cancel refunds once, also when two come together, and never after the start', async () => {
      const cancelThrice = async () => {
        await fresh({ credits: 500 });
        const { body: upload } = await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) });
        assert.equal(await credits(), 400);
        const cancel = () => api.send<{ credits_refunded: number }>('DELETE', `/api/v1/uploads/${upload.id}`);
        const results = await Promise.all([cancel(), cancel(), cancel()]);
        // On a busy machine the list may have started before.
        return results.every(({ status }) => status === 400) ? null : { upload, results };
      };
      const { results, upload } = await eventually('a list is cancelled before its start', cancelThrice);
      assert.deepEqual(
        results.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 400, 400],
      );
      assert.deepEqual(results.find(({ status }) => status === 200)!.body, { status: 'cancelled', credits_refunded: 100 });
      assert.equal(await credits(), 500);
      assert.equal((await api.get(`/api/v1/uploads/${upload.id}/download/processed`)).status, 400);
      assert.equal((await api.get(`/api/v1/uploads/${upload.id}/download/original`)).status, 200);

      const { body: second } = await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) });
      await eventually(
        'the list is processed',
        async () => (await api.get<Upload>(`/api/v1/uploads/${second.id}`)).body.status === 'completed',
      );
      assert.equal((await api.send('DELETE', `/api/v1/uploads/${second.id}`)).status, 400);
      assert.equal(await credits(), 400);
    });

    test('concurrent lists never spend more credits than there are', async () => {
      await fresh({ credits: 250 });
      const results = await Promise.all([1, 2, 3, 4].map(() => api.send('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) })));
      assert.deepEqual(
        results.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 200, 402, 402],
      );
      assert.equal(await credits(), 50);
    });

    test('a client that stops mid-upload leaves nothing behind', async () => {
      await fresh();
      const folders = uploadFolders();
      const request = httpRequest(`${place.url}/api/v1/uploads`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'multipart/form-data; boundary=x', 'content-length': '1000000' },
      });
      request.on('error', () => {}); // the hang-up is ours
      request.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nname,phone\n');
      await eventually('the upload has begun', () => uploadFolders() === folders + 1);
      request.destroy();
      await eventually('its files are gone', () => uploadFolders() === folders);
      assert.equal(await credits(), 10_000);
    });

    test('the bound on uploads at once answers 503 instead of piling up', async () => {
      const folders = uploadFolders();
      const { uploadsAtOnce, uploadsOfOrganization } = LIST_LIMITS;
      const organizations = await Promise.all(Array.from({ length: uploadsAtOnce / uploadsOfOrganization }, () => place.organization()));
      const held = Array.from({ length: uploadsAtOnce }, (_, n) => {
        const key = organizations[n % organizations.length]!.key;
        const request = httpRequest(`${place.url}/api/v1/uploads`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': '1000' },
        });
        request.on('error', () => {}); // they are hung up below
        request.write('{');
        return request;
      });
      await eventually('every slot is taken', () => uploadFolders() === folders + uploadsAtOnce);
      const { api: other } = await place.organization();
      const refused = await other.send<Detail>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) });
      assert.equal(refused.status, 503);
      assert.equal(refused.headers.get('retry-after'), '5');
      assert.match(refused.body.detail, /^Too many uploads are under way on this server/);
      for (const request of held) request.destroy();
    });
  });
}
