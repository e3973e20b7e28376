import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, FakeClock, PanelClient, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';
import { sampleCsv, sampleNumbers } from '../lists/samples.fixture.ts';
import { LIST_LIMITS } from '../lists/limits.ts';
import { HTTP_LIMITS } from './limits.ts';

/** A request that is written by hand, and what came back of it. */
interface Slow {
  write(text: string): void;
  readonly answer: string;
  readonly isOver: boolean;
  close(): void;
}

/** Clients that send slowly, or not at all. The server's clock is the test's: a minute takes no time. */
describe('slow bodies', () => {
  const clock = new FakeClock();
  const opened: Slow[] = [];
  let place: TestServer;
  let mine: Awaited<ReturnType<TestServer['organization']>>;
  let other: Awaited<ReturnType<TestServer['organization']>>;
  let dialnexa: { key: string; api: ApiClient };
  let outbound: { key: string };
  let cookie: string;
  let panel: PanelClient;

  before(async () => {
    place = await startTestServer('postgres', {}, () => ({ clock }));
    mine = await place.organization({ credits: 100_000 });
    other = await place.organization({ credits: 100_000 });
    const keyOf = async (kind: string) => {
      const { body } = await place.operator.send<{ key: string }>('POST', `/operator/v1/organizations/${mine.slug}/api-keys`, { kind });
      return { key: body.key, api: place.operator.as(body.key) };
    };
    dialnexa = await keyOf('dialnexa');
    outbound = await keyOf('outboundiq');
    const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${mine.slug}/sign-in-links`, {});
    panel = await PanelClient.connect(place.url);
    assert.equal((await panel.send('POST', '/panel/links/redeem', { token: body.url.split('#')[1] })).status, 204);
    cookie = panel.setCookie.split(';')[0]!;
  });
  after(async () => {
    for (const slow of opened) slow.close();
    await place.stop();
  });

  const json = 'content-type: application/json';
  const multipart = 'content-type: multipart/form-data; boundary=x';
  const bearer = (key: string) => `authorization: Bearer ${key}`;
  const fileBegin = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nname,phone\n';
  /** Sends the head with a length that is not kept, and the beginning of the body. */
  function begin(method: string, path: string, headers: readonly string[], body: string, length = 1_000_000): Slow {
    const { host, hostname, port } = new URL(place.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    let isOver = false;
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('utf8')));
    socket.on('error', () => {}); // cut off: `close` tells
    socket.on('close', () => (isOver = true));
    socket.write([`${method} ${path} HTTP/1.1`, `host: ${host}`, `content-length: ${length}`, ...headers, '', body].join('\r\n'));
    const slow = {
      write: (text: string) => void socket.write(text),
      get answer() {
        return answer;
      },
      get isOver() {
        return isOver;
      },
      close: () => void socket.destroy(),
    };
    opened.push(slow);
    return slow;
  }
  const folders = () => {
    try {
      return readdirSync(join(place.server.config.dataDir, 'files/uploads')).length;
    } catch {
      return 0;
    }
  };
  /** Lets the server's time go by in steps, until it is so. */
  const inTime = (what: string, stepMs: number, isSo: () => boolean) =>
    eventually(what, () => {
      clock.advance(stepMs);
      return isSo();
    });
  const statusOf = ({ answer }: Slow) => Number(answer.split(' ')[1]);
  const bodyOf = ({ answer }: Slow): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

  const CALLS: Record<string, { readonly open: () => Slow; readonly shape: unknown }> = {
    'signing in': {
      open: () => begin('POST', '/panel/session', [json, `origin: ${place.url}`], '{"email":'),
      shape: ['code', 'body_too_slow'],
    },
    'an event of the operator': {
      open: () => begin('POST', '/operator/v1/events', [json, bearer('operator-token-for-tests')], '{', 1000),
      shape: ['code', 'body_too_slow'],
    },
    'a webhook of OptimalDial': {
      open: () => begin('POST', '/api/v1/webhooks', [json, bearer(mine.key)], '{'),
      shape: ['detail', 'The body did not arrive in time'],
    },
    'dials of outboundIQ': {
      open: () => begin('POST', '/dials', [json, bearer(outbound.key)], '['),
      shape: ['message', 'The body did not arrive in time'],
    },
    'a campaign of DialNexa': {
      open: () => begin('POST', '/v1/campaigns', [json, bearer(dialnexa.key)], '{'),
      shape: ['statusCode', 408],
    },
  };

  test('the body of an ordinary call has its time on every surface, however it drips; a whole one is answered meanwhile', async () => {
    const slow = Object.values(CALLS).map(({ open }) => open());
    await inTime('all are answered', 1_000, () => {
      for (const one of slow) one.write(' ');
      return slow.every(({ isOver }) => isOver);
    });
    for (const [index, [what, { shape }]] of Object.entries(CALLS).entries()) {
      assert.equal(statusOf(slow[index]!), 408, what);
      assert.match(slow[index]!.answer, /\r\nconnection: close\r\n/i, what);
      const [field, value] = shape as [string, unknown];
      assert.deepEqual((bodyOf(slow[index]!) as Record<string, unknown>)[field], value, what);
    }
    assert.equal((await other.api.get('/api/v1/uploads')).status, 200);
  });

  test('a body that says its length has the time for it', async () => {
    const length = 20 * HTTP_LIMITS.bodyBytesPerSecond;
    const slow = begin('POST', '/panel/session', [json, `origin: ${place.url}`], '{', length);
    const began = clock.monotonic();
    await inTime('it is answered', 1_000, () => slow.isOver);
    assert.ok(clock.monotonic() - began >= HTTP_LIMITS.bodyMs + 20_000);
  });

  test('the rest of a body that was refused is not waited for', async () => {
    const slow = begin('POST', '/operator/v1/events', [json], '{');
    await eventually('it is refused', () => statusOf(slow) === 401);
    assert.equal(slow.isOver, false);
    await inTime('the connection ends', 1_000, () => {
      slow.write(' ');
      return slow.isOver;
    });
  });

  const UPLOADS: Record<string, { readonly open: () => Slow; readonly field: string; readonly value: unknown }> = {
    'a list as JSON': {
      open: () => begin('POST', '/api/v1/uploads', [json, bearer(mine.key)], '{"phone_numbers":["'),
      field: 'detail',
      value: /brought nothing|too slow/,
    },
    'a list as a file': {
      open: () => begin('POST', '/api/v1/uploads', [multipart, bearer(mine.key)], fileBegin),
      field: 'detail',
      value: /brought nothing|too slow/,
    },
    'a list of the panel': {
      open: () =>
        begin('POST', `/panel/organizations/${mine.slug}/lists`, [multipart, `cookie: ${cookie}`, `origin: ${place.url}`], fileBegin),
      field: 'code',
      value: /^body_too_slow$/,
    },
    'leads of a campaign': {
      open: () => begin('POST', '/v1/campaigns-leads/upload-file/cmp_1', [multipart, bearer(dialnexa.key)], fileBegin),
      field: 'message',
      value: /brought nothing|too slow/,
    },
  };
  for (const [kind, drip, every] of [
    ['stalled', '', 5_000],
    ['dripping', '1', 5_000],
  ] as const) {
    test(`every kind of ${kind} upload ends with its answer, and leaves nothing behind; one that goes on does not`, async () => {
      const before = folders();
      const slow = Object.values(UPLOADS).map(({ open }) => open());
      // Slow, but on its way: three times the least rate.
      const bystander = begin('POST', '/api/v1/uploads', [multipart, bearer(other.key)], fileBegin, 50_000_000);
      await eventually('all are received', () => folders() === before + slow.length + 1);
      const row = `someone,${'x'.repeat(200)}\n`;
      const enough = row.repeat(Math.ceil((3 * HTTP_LIMITS.uploadBytesPerSecond * every) / 1000 / row.length));
      await inTime('all are answered', every, () => {
        for (const one of slow) if (drip !== '' && !one.isOver) one.write(drip);
        bystander.write(enough);
        return slow.every(({ isOver }) => isOver);
      });
      for (const [index, [what, { field, value }]] of Object.entries(UPLOADS).entries()) {
        assert.equal(statusOf(slow[index]!), 408, `${what}: ${slow[index]!.answer}`);
        assert.match(String((bodyOf(slow[index]!) as Record<string, unknown>)[field]), value as RegExp, what);
      }
      assert.equal(bystander.isOver, false, bystander.answer);
      await eventually('their files are gone', () => folders() === before + 1);
      bystander.close();
      await eventually('nothing is left', () => folders() === before);
    });
  }

  test('an organization fills its own share of uploads alone, of every kind; the answer says what is full', async () => {
    const list = new FormData();
    list.append('file', new Blob([sampleCsv(200)]), 'mine.csv');
    const { body: waiting } = await panel.send<{ id: string }>('POST', `/panel/organizations/${mine.slug}/lists`, list);
    const before = folders();
    const held = Array.from({ length: LIST_LIMITS.uploadsOfOrganization }, () => UPLOADS['a list as JSON']!.open());
    await eventually('the share is taken', () => folders() === before + held.length);

    const upload = { phone_numbers: sampleNumbers(100) };
    const refused = await mine.api.send<{ detail: string }>('POST', '/api/v1/uploads', upload);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
    assert.match(refused.body.detail, /^Too many uploads are under way: an organization may have 8 at once/);
    const path = `/panel/organizations/${mine.slug}/lists`;
    const form = new FormData();
    form.append('file', new Blob([sampleCsv(200)]), 'more.csv');
    for (const answer of [
      await panel.send<{ code: string; detail: string }>('POST', path, form),
      await panel.get<{ code: string; detail: string }>(`${path}/${waiting.id}/preview`),
      await panel.send<{ code: string; detail: string }>('POST', `${path}/${waiting.id}/mapping`, { phone_column: 'phone' }),
    ]) {
      assert.deepEqual([answer.status, answer.body.code], [503, 'uploads_full']);
      assert.match(answer.body.detail, /^Too many uploads are under way/);
    }
    const leads = new FormData();
    leads.append('file', new Blob(['phone\n+13125550142\n']), 'leads.csv');
    const full = await dialnexa.api.send<{ message: string }>('POST', '/v1/campaigns-leads/upload-file/cmp_1', leads);
    assert.deepEqual([full.status, full.body.message.startsWith('Too many uploads are under way')], [503, true]);
    // Everybody else works meanwhile, and what is mine but no upload does too.
    for (let n = 0; n < LIST_LIMITS.uploadsOfOrganization + 1; n++)
      assert.equal((await other.api.send('POST', '/api/v1/uploads', upload)).status, 200);
    assert.equal((await mine.api.get('/api/v1/uploads')).status, 200);

    for (const slow of held) slow.close();
    await eventually('the places are free again', async () => (await mine.api.send('POST', '/api/v1/uploads', upload)).status === 200);
    assert.equal((await panel.send('POST', `${path}/${waiting.id}/mapping`, { phone_column: 'phone' })).status, 200);
  });
});
