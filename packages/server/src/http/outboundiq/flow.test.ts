import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { uuidv7 } from '@dialhook/engine';
import { DATABASE_KINDS, eventually, Receiver, startTestServer, type ApiClient, type Received, type TestServer } from '@dialhook/testing';

interface Batch {
  readonly event: string;
  readonly deliveryId: string;
  readonly deliveredAt: string;
  readonly dials: Record<string, unknown>[];
}
interface Page {
  readonly dials: { readonly id: string; readonly callId: string }[];
  readonly next_cursor: string | null;
}
interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly last_error: string | null;
  readonly attempt_count: number;
}

/** The vendor's snippet for Node, as it stands in its documentation. */
function verifySignature(rawBody: string, header: string, secret: string): boolean {
  if (!header || !header.startsWith('sha256=')) return false;
  const expected = createHmac('sha256', secret).update(rawBody).digest('hex');
  const provided = header.slice('sha256='.length);
  const a = Buffer.from(expected, 'hex');
  const b = Buffer.from(provided, 'hex');
  if (a.length !== b.length) return false;
  return timingSafeEqual(a, b);
}

/** The vendor's snippet for Python, as it stands in its documentation, with a line that calls it. */
const PYTHON = `import hmac, hashlib
def verify_signature(raw_body: bytes, header: str, secret: str) -> bool:
    if not header or not header.startswith("sha256="):
        return False
    expected = hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, header[len("sha256="):])
import sys
print(verify_signature(sys.stdin.buffer.read(), sys.argv[1], sys.argv[2]))`;

for (const kind of DATABASE_KINDS) {
  describe(`outboundIQ on ${kind}`, () => {
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

    async function company() {
      const { api, slug } = await place.organization({ kind: 'outboundiq' });
      const path = `/operator/v1/organizations/${slug}`;
      const webhook = async (name: string, more: object = {}) =>
        (
          await place.operator.send<{ endpoint: { id: string }; secret: string }>('POST', `${path}/endpoints`, {
            dialect: 'outboundiq',
            url: receiver.url(`/${slug}/${name}`),
            ...more,
          })
        ).body;
      const to = (name: string) => receiver.received.filter((request) => request.path === `/${slug}/${name}`);
      const log = async () => (await place.operator.get<{ data: Delivery[] }>(`${path}/deliveries`)).body.data;
      return { api, slug, path, webhook, to, log };
    }
    const dial = (change: object = {}) => ({
      campaign_id: 'cb-7',
      campaign_name: 'spring_cb',
      agent_name: 'Ana Ruiz',
      ani: '+1 312-555-0142',
      prospect_phone: '(773) 555-0199',
      disposition_name: 'APPT_SET',
      datetime: '2026-05-02 09:14:58',
      call_direction: 'Inbound',
      zip: '60614',
      sys_created_date_original: '2026-04-20',
      total_dial_attempts: '2',
      skill_name: 'Tier 1',
      lead_source: 'web',
      ...change,
    });
    const post = async (api: ApiClient, change: object = {}) => {
      const answer = await api.send<{ message: string }>('POST', '/dials', dial(change));
      assert.deepEqual([answer.status, answer.body], [200, { message: 'dial queued' }]);
      assert.ok(answer.headers.get('x-request-id'));
    };
    const batch = ({ body }: Received) => JSON.parse(body) as Batch;
    const dialsOf = (requests: readonly Received[]) => requests.flatMap((request) => batch(request).dials);

    test('a dial is cleaned through the company’s tables and reaches each webhook, signed as the vendor’s snippets verify', async (t) => {
      const { api, slug, to, webhook } = await company();
      const first = await webhook('first', { headers: { 'X-API-Key': 'k-1' } });
      const second = await webhook('second');
      await api.send('POST', '/custom/campaigns', { id: 'cb-7', name: 'Spring Callback', type: 'Inbound' });
      await api.send('POST', '/custom/dispos', { id: '17', name: 'APPT_SET', type: 'Agent', contact: true, success: true });
      await post(api, { dial_id: '77810' });
      await receiver.until(() => to('first').length === 1 && to('second').length === 1);
      const [request] = to('first');
      const body = batch(request!);
      assert.deepEqual(Object.keys(body), ['event', 'deliveryId', 'deliveredAt', 'dials']);
      assert.equal(body.event, 'dial.batch');
      assert.match(body.deliveredAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.deepEqual(body.dials, [
        {
          companySlug: slug,
          callId: 'IB_77810',
          callDirection: 'inbound',
          timestamp: '2026-05-02T09:14:58.000Z',
          ani: '3125550142',
          phone: '7735550199',
          campaign: 'Spring Callback',
          campaignInternalId: 'cb-7',
          agent: 'Ana Ruiz',
          disposition: 'APPT_SET',
          dispositionId: '17',
          contact: true,
          success: true,
          isSystemDispo: false,
          totalDialAttempts: 2,
        },
      ]);
      const { headers } = request!;
      assert.deepEqual(
        [
          headers['content-type'],
          headers['user-agent'],
          headers['x-outboundiq-event'],
          headers['x-outboundiq-delivery-id'],
          headers['x-api-key'],
        ],
        ['application/json', 'outboundIQ-webhooks/1.0', 'dial.batch', body.deliveryId, 'k-1'],
      );
      assert.notEqual(batch(to('second')[0]!).deliveryId, body.deliveryId, 'each webhook has its own');

      const signature = String(headers['x-outboundiq-signature']);
      assert.ok(verifySignature(request!.body, signature, first.secret));
      assert.ok(!verifySignature(request!.body.replace('north', 'south').replace('Ana', 'Eva'), signature, first.secret));
      assert.ok(!verifySignature(request!.body, signature, second.secret));
      if (spawnSync('python3', ['--version']).status !== 0) {
        t.diagnostic('python3 is not installed here: the vendor’s Python snippet was not run');
        return;
      }
      const python = (text: string) =>
        execFileSync('python3', ['-c', PYTHON, signature, first.secret], { input: text, encoding: 'utf8' }).trim();
      assert.equal(python(request!.body), 'True');
      assert.equal(python(request!.body.replace('Ana', 'Eva')), 'False');
    });

    test('many dials go out in batches of at most a hundred, oldest first, each dial once', async () => {
      const { api, to, webhook } = await company();
      await webhook('hook');
      await Promise.all(Array.from({ length: 250 }, (_, n) => post(api, { dial_id: `d${n}`, call_direction: 'Outbound' })));
      await receiver.until(() => dialsOf(to('hook')).length >= 250);
      const sizes = to('hook').map((request) => batch(request).dials.length);
      assert.ok(Math.max(...sizes) <= 100 && Math.min(...sizes) >= 1, String(sizes));
      assert.ok(sizes.length <= 6, `${sizes.length} requests for 250 dials`);
      assert.equal(new Set(dialsOf(to('hook')).map(({ callId }) => callId)).size, 250);
      const listed: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body }: { body: Page } = await api.get<Page>(`/dials?limit=60${cursor === '' ? '' : `&cursor=${cursor}`}`);
        listed.push(...body.dials.map(({ callId }) => callId));
        cursor = body.next_cursor;
      }
      assert.equal(new Set(listed).size, 250);
      const newest = await api.get<Page>('/dials?order=newest&limit=1');
      assert.equal(newest.body.dials[0]!.callId, listed.at(-1));
      for (const request of to('hook')) {
        const ids = batch(request).dials.map(({ callId }) => listed.indexOf(String(callId)));
        assert.deepEqual(
          ids,
          [...ids].sort((a, b) => a - b),
          'oldest first',
        );
      }
    });

    test('a repeated dial id is accepted and makes one dial; without an id each is its own', async () => {
      const { api, to, webhook } = await company();
      const other = await company();
      await webhook('hook');
      await Promise.all(Array.from({ length: 5 }, () => post(api, { dial_id: 'same' })));
      await post(api, { dial_id: 'same' });
      await post(other.api, { dial_id: 'same' });
      await post(api);
      await post(api);
      await eventually('three dials are cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 3);
      await receiver.until(() => dialsOf(to('hook')).length === 3);
      await eventually('the other company has its own', async () => (await other.api.get<Page>('/dials')).body.dials.length === 1);
    });

    test('a failing webhook gets the same bytes again after half a second, then no more; the others are not held up', async () => {
      const { api, log, slug, to, webhook } = await company();
      await webhook('bad');
      await webhook('good');
      receiver.answer = ({ path }) => (path === `/${slug}/bad` ? 500 : 200);
      await post(api, { dial_id: 'x' });
      await eventually('it is given up', async () => (await log()).some(({ status }) => status === 'exhausted'));
      receiver.answer = () => 200;
      const [a, b, ...more] = to('bad');
      assert.deepEqual(more, []);
      assert.equal(a!.body, b!.body);
      assert.deepEqual(a!.headers, b!.headers);
      assert.ok(b!.at - a!.at >= 450 && b!.at - a!.at < 1_500, `${b!.at - a!.at} ms between`);
      assert.equal(to('good').length, 1);
      const entry = (await log()).find(({ status }) => status === 'exhausted')!;
      assert.deepEqual([entry.attempt_count, entry.last_error, entry.id], [2, 'HTTP 500', batch(a!).deliveryId]);
    });

    test('three webhooks at most, also in a race; switched off at once, also for what is gathered or waits; nothing is made up for', async () => {
      const { api, log, path, slug } = await company();
      const made = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          place.operator.send<{ code?: string; endpoint?: { id: string } }>('POST', `${path}/endpoints`, {
            dialect: 'outboundiq',
            url: receiver.url(`/${slug}/hook${n}`),
          }),
        ),
      );
      assert.deepEqual(
        made.map(({ status }) => status).sort((a, b) => a - b),
        [201, 201, 201, 409, 409, 409],
      );
      assert.ok(made.every(({ body, status }) => status === 201 || body.code === 'endpoint_limit'));
      const ids = made.flatMap(({ body }) => (body.endpoint === undefined ? [] : [body.endpoint.id]));
      const set = (id: string, active: boolean) => place.operator.send('PATCH', `${path}/endpoints/${id}`, { is_active: active });

      await post(api, { dial_id: 'gathering' });
      for (const id of ids) await set(id, false);
      await eventually('the dial is cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 1);
      for (const id of ids) await set(id, true);

      receiver.answer = ({ path: at }) => (at.startsWith(`/${slug}/`) ? 500 : 200);
      await post(api, { dial_id: 'waiting' });
      await eventually(
        'each has failed once',
        async () => (await log()).length >= 3 && receiver.received.filter(({ path: at }) => at.startsWith(`/${slug}/`)).length >= 3,
      );
      for (const id of ids) await set(id, false);
      receiver.answer = () => 200;
      const sent = () => receiver.received.filter(({ path: at }) => at.startsWith(`/${slug}/`)).length;
      const before = sent();
      await eventually('their retries are given up', async () => (await log()).every(({ status }) => status === 'exhausted'));
      await post(api, { dial_id: 'nobody listens' });
      await eventually('it is cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 3);
      await set(ids[0]!, true);
      await post(api, { dial_id: 'again' });
      await receiver.until(() => sent() > before);
      assert.equal(sent(), before + 1);
      assert.deepEqual(
        dialsOf(receiver.received.filter(({ path: at }) => at.startsWith(`/${slug}/`)).slice(-1)).map(({ callId }) => callId),
        ['IB_again'],
      );
      assert.equal((await place.operator.send('DELETE', `${path}/endpoints/${ids[1]!}`)).status, 204);
    });

    test('a rotated secret signs at once and alone', async () => {
      const { api, path, to, webhook } = await company();
      const { endpoint, secret } = await webhook('hook');
      const rotated = await place.operator.send<{ secret: string }>('POST', `${path}/endpoints/${endpoint.id}/rotate-secret`, {});
      await post(api);
      await receiver.until(() => to('hook').length === 1);
      const [request] = to('hook');
      const signature = String(request!.headers['x-outboundiq-signature']);
      assert.ok(verifySignature(request!.body, signature, rotated.body.secret));
      assert.ok(!verifySignature(request!.body, signature, secret));
      assert.match(rotated.body.secret, /^[0-9a-f]{64}$/);
    });

    test('a translation applies from the next dial on; the three tables are added to, read, changed and emptied', async () => {
      const { api } = await company();
      const rows = {
        campaigns: {
          object: 'campaign',
          row: { id: 'c1', name: 'One', type: 'Blended', inbound_pool_id: 'p' },
          change: { id: 'c1', name: 'Two' },
        },
        dispos: {
          object: 'dispo',
          row: { id: 'd1', name: 'Sale', type: 'Agent', contact: true, success: true },
          change: { id: 'd1', success: false },
        },
        anis: {
          object: 'ani',
          row: { number: '3125550142', country_code: '+1', inbound_group_id: 'g', is_branded: true, brand_name: 'B', carrier_id: '123456' },
          change: { number: '(312) 555-0142', brand_name: null },
        },
      };
      for (const [name, { change, object, row }] of Object.entries(rows)) {
        const [key] = Object.keys(row);
        const id = String(Object.values(row)[0]);
        const added = await api.send<Record<string, unknown>>('POST', `/custom/${name}`, row);
        assert.deepEqual([added.status, added.body.success, added.body[object]], [200, true, row]);
        assert.equal((await api.send('POST', `/custom/${name}`, row)).status, 409);
        const changed = await api.send<Record<string, unknown>>('PUT', `/custom/${name}`, change);
        assert.deepEqual(changed.body[object], { ...row, ...change, [key!]: id });
        assert.deepEqual((await api.get<Record<string, unknown>>(`/custom/${name}?${key}=${id}`)).body[object], {
          ...row,
          ...change,
          [key!]: id,
        });
        const foreign = await company();
        for (const [method, body] of [
          ['PUT', change],
          ['DELETE', { [key!]: id }],
        ] as const)
          assert.equal((await foreign.api.send(method, `/custom/${name}`, body)).status, 404);
        assert.equal((await foreign.api.get(`/custom/${name}?${key}=${id}`)).status, 404);
      }
      await post(api, { campaign_id: 'c1', disposition_name: 'Sale', dial_id: '1' });
      await eventually('cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 1);
      await api.send('DELETE', '/custom/campaigns', { id: 'c1' });
      await post(api, { campaign_id: 'c1', disposition_name: 'd1', dial_id: '2' });
      await eventually('cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 2);
      const { dials } = (await api.get<{ dials: { campaign: string; disposition: string; success: boolean }[] }>('/dials')).body;
      assert.deepEqual(
        dials.map(({ campaign, disposition, success }) => [campaign, disposition, success]),
        [
          ['Two', 'Sale', false],
          ['spring_cb', 'Sale', false],
        ],
      );
      for (const [name, { row }] of Object.entries(rows)) {
        const [key] = Object.keys(row);
        if (name !== 'campaigns')
          assert.equal((await api.send('DELETE', `/custom/${name}`, { [key!]: Object.values(row)[0] })).status, 200);
        assert.equal((await api.send('DELETE', `/custom/${name}`, { [key!]: Object.values(row)[0] })).status, 404);
      }
    });

    test('a dial that cannot be cleaned is kept, listed, and cleaned again', async () => {
      const { api, path, slug } = await company();
      await post(api, { dial_id: 'good' });
      await eventually('it is cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 1);
      // What no call lets in: a row that an older version might have stored.
      const organization = await place.operator.get<{ id: string }>(path);
      await place.server.database.query({
        text: `insert into dial_inbox (id, organization_id, raw) values ($3, $1, $2), ($4, $1, 'not json'), ($5, $1, $6)`,
        values: [
          organization.body.id,
          JSON.stringify(dial({ datetime: 'long ago', dial_id: 'bad' })),
          uuidv7(Date.now()),
          uuidv7(Date.now()),
          uuidv7(Date.UTC(2001, 1, 1)), // of a day for which nothing is kept any more
          JSON.stringify(dial({ dial_id: 'ancient' })),
        ],
      });
      await post(api, { dial_id: 'behind them' });
      await eventually('what came behind them is cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 2);
      const kept = async () => (await place.operator.get<{ data: { error: string; raw: string }[] }>(`${path}/uncleaned-dials`)).body.data;
      await eventually('all three are kept', async () => (await kept()).length === 3);
      const errors = (await kept()).map(({ error }) => error).sort();
      assert.match(errors[0]!, /^datetime is not a time/);
      assert.match(errors[1]!, /could not be stored/);
      assert.match(errors[2]!, /not JSON/);
      await place.server.database.query({
        text: `update dial_inbox set raw = replace(raw, 'long ago', '2026-05-02 10:00:00') where organization_id = $1`,
        values: [organization.body.id],
      });
      assert.deepEqual((await place.operator.send('POST', `${path}/uncleaned-dials/clean`, {})).body, { tried: 3 });
      await eventually('one is cleaned', async () => (await api.get<Page>('/dials')).body.dials.length === 3);
      await eventually('the others are kept', async () => (await kept()).length === 2);
      assert.equal((await place.operator.get(`/operator/v1/organizations/${slug}/uncleaned-dials?cursor=x`)).status, 400);
    });

    test('cleaned dials count in the contact history that lists are classified by', async () => {
      const { api } = await company();
      await api.send('POST', '/custom/dispos', { id: '1', name: 'SALE', type: 'Agent', contact: true, success: true });
      for (let n = 0; n < 4; n++) await post(api, { prospect_phone: '+1 312 555 0188', disposition_name: n === 0 ? 'NO_ANSWER' : 'SALE' });
      await eventually('they are counted', async () => {
        const rows = await place.server.database.query<{ dials: number; contacts: number }>({
          text: 'select dials, contacts from contact_history where number = 13125550188',
        });
        return rows.length === 1 && rows[0]!.dials === 4 && rows[0]!.contacts === 3;
      });
    });

    test('a missing or mistyped field is named, nothing is stored; keys of another kind are refused', async () => {
      const { api, slug } = await company();
      const refused = async (status: number, message: RegExp, method: string, path: string, body?: unknown, as = api) => {
        const answer = await as.send<{ success: boolean; message: string }>(method, path, body);
        assert.deepEqual(
          [answer.status, answer.body.success],
          [status, false],
          `${method} ${path} ${JSON.stringify(body)} ${answer.body.message}`,
        );
        assert.match(answer.body.message, message);
      };
      const required = [
        'campaign_id',
        'campaign_name',
        'agent_name',
        'ani',
        'prospect_phone',
        'disposition_name',
        'datetime',
        'call_direction',
        'zip',
        'sys_created_date_original',
        'total_dial_attempts',
        'skill_name',
        'lead_source',
      ];
      for (const field of required) {
        await refused(400, new RegExp(`^${field} is required`), 'POST', '/dials', dial({ [field]: undefined }));
        await refused(400, new RegExp(field), 'POST', '/dials', dial({ [field]: ['x'] }));
      }
      await refused(400, /dial_id/, 'POST', '/dials', dial({ dial_id: 5 }));
      await refused(400, /^to_number is required/, 'POST', '/dials', dial({ from_number: '1' }));
      await refused(400, /datetime/, 'POST', '/dials', dial({ datetime: '2026-02-30 00:00:00' }));
      await refused(400, /not valid JSON/, 'POST', '/dials', '{"campaign_id":');
      await refused(400, /body/, 'POST', '/dials', '[]');
      await refused(413, /too large/, 'POST', '/dials', dial({ agent_name: 'x'.repeat(2_000_000) }));
      await refused(400, /type must be one of Inbound, Outbound, Blended/, 'POST', '/custom/campaigns', { id: '1', name: 'n', type: 'x' });
      await refused(400, /contact is required/, 'POST', '/custom/dispos', { id: '1', name: 'n', type: 'Agent', success: true });
      await refused(400, /carrier_id/, 'POST', '/custom/anis', {
        number: '1',
        country_code: '+1',
        inbound_group_id: 'g',
        carrier_id: '12',
      });
      await refused(400, /number must hold digits/, 'POST', '/custom/anis', { number: 'x', country_code: '+1', inbound_group_id: 'g' });
      await refused(400, /id is required/, 'DELETE', '/custom/campaigns', {});
      await refused(404, /no campaign/, 'PUT', '/custom/campaigns', { id: 'nope', name: 'n' });
      await refused(400, /cursor/, 'GET', '/dials?cursor=x');
      await refused(401, /API key/, 'GET', '/dials', undefined, api.as('oiq_unknown'));
      await refused(401, /API key/, 'POST', '/dials', dial(), api.as(''));
      const { key } = await place.organization();
      await refused(403, /wrong type/, 'POST', '/dials', dial(), api.as(key));
      assert.deepEqual((await api.get<Page>('/dials')).body.dials, []);
      const kept = await place.operator.get<{ data: unknown[] }>(`/operator/v1/organizations/${slug}/uncleaned-dials`);
      assert.deepEqual(kept.body.data, []);
    });
  });
}
