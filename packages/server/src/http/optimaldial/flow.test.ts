import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { optimaldial as scheme, verify } from '@dialhook/webhooks';
import { DATABASE_KINDS, eventually, Receiver, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';
import { sampleNumbers } from '../../lists/samples.fixture.ts';

interface Webhook {
  readonly id: string;
  readonly is_active: boolean;
  readonly consecutive_failures: number;
  readonly disabled_at: string | null;
  readonly verified_at: string | null;
  readonly last_success_at: string | null;
  readonly last_failure_at: string | null;
}
interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly attempt_count: number;
  readonly last_error: string | null;
  readonly event_id: string;
}
interface Upload {
  readonly id: string;
  readonly status: string;
  readonly valid_row_count: number;
  readonly credits_charged: number;
}

/** 1 minute becomes 1.2 ms, 12 hours 0.9 s: the whole schedule in a second. */
const SCALE = '0.00002';
const THRESHOLD = 20;

for (const kind of DATABASE_KINDS) {
  describe(`the documented flow on ${kind}`, () => {
    let place: TestServer;
    let receiver: Receiver;
    let api: ApiClient;
    let slug: string;
    let webhook: Webhook;
    let secret: string;

    before(async () => {
      place = await startTestServer(kind, { DIALHOOK_RETRY_DELAY_SCALE: SCALE });
      receiver = await Receiver.start();
      ({ api, slug } = await place.organization({ credits: 2000 }));
    });
    after(async () => {
      await place.stop();
      await receiver.stop();
    });

    const ofType = (type: string) => receiver.received.filter(({ headers }) => headers['x-optimaldial-event'] === type);
    const deliveries = async (limit = 100) => (await api.get<Delivery[]>(`/api/v1/webhooks/${webhook.id}/deliveries?limit=${limit}`)).body;
    const current = async () => (await api.get<Webhook>(`/api/v1/webhooks/${webhook.id}`)).body;
    const upload = () => api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) });

    test('a registration is pinged, and its secret is shown once', async () => {
      const body = { url: receiver.url('/hook'), description: 'flow', events: ['upload.created', 'upload.completed', 'upload.created'] };
      const created = await api.send<{ webhook: Webhook & { events: string[]; url: string }; secret: string }>(
        'POST',
        '/api/v1/webhooks',
        body,
      );
      assert.equal(created.status, 200);
      ({ webhook, secret } = created.body);
      assert.deepEqual(created.body.webhook.events, ['upload.created', 'upload.completed'], 'duplicates are folded, order kept');
      assert.ok(webhook.verified_at);
      const [ping] = ofType('webhook.ping');
      assert.match((JSON.parse(ping!.body) as { data: { challenge: string } }).data.challenge, /^[0-9a-f]{32}$/);
      await verify(scheme, { secret, body: ping!.body, headers: ping!.headers });
      const { body: listed } = await api.get<Webhook[]>('/api/v1/webhooks');
      assert.deepEqual(listed, [webhook]);
      assert.deepEqual(await deliveries(), [], 'a ping leaves no delivery');
    });

    test('a list of 100 leads to upload.created and upload.completed, verified from their headers', async () => {
      const sent = await upload();
      assert.equal(sent.status, 200);
      assert.deepEqual([sent.body.status, sent.body.valid_row_count, sent.body.credits_charged], ['ready_for_processing', 100, 100]);
      await receiver.until(() => ofType('upload.completed').length === 1);
      for (const type of ['upload.created', 'upload.completed']) {
        const [request] = ofType(type);
        await verify(scheme, { secret, body: request!.body, headers: request!.headers });
        const event = JSON.parse(request!.body) as { id: string; type: string; api_version: string; created_at: string };
        assert.equal(event.type, type);
        assert.equal(event.api_version, '2026-04-23');
        assert.match(event.created_at, /\+00:00$/);
        assert.match(event.id, /^evt_[0-9a-f]{24}$/);
        assert.equal(request!.headers['x-optimaldial-event-id'], event.id);
        assert.equal(request!.headers['x-optimaldial-attempt'], '1');
        assert.equal(request!.headers['user-agent'], 'OptimalDial-Webhooks/1.0');
        assert.match(
          request!.headers['x-optimaldial-signature'] as string,
          new RegExp(`^t=${String(request!.headers['x-optimaldial-timestamp'])},v1=`),
        );
      }
      const rows = await eventually('both deliveries are recorded', async () => {
        const listed = await deliveries();
        return listed.every(({ status }) => status === 'delivered') && listed.length === 2 && listed;
      });
      assert.equal(rows[0]!.id, ofType('upload.completed')[0]!.headers['x-optimaldial-delivery-id'], 'newest first');
      const found = await api.get<Upload>(`/api/v1/uploads/${sent.body.id}`);
      assert.equal(found.body.status, 'completed');
      const { body: organization } = await place.operator.get<{ credits: number }>(`/operator/v1/organizations/${slug}`);
      assert.equal(organization.credits, 1900);
    });

    test('the result files are downloaded from the payload, and from the download call', async () => {
      const { data } = JSON.parse(ofType('upload.completed')[0]!.body) as {
        data: { upload: { id: string; downloads: { processed: string; processed_filtered: string } } };
      };
      const processed = await fetch(data.upload.downloads.processed);
      assert.equal(processed.headers.get('content-type'), 'text/csv; charset=utf-8');
      const lines = (await processed.text()).trimEnd().split('\n');
      assert.equal(lines.length, 101);
      assert.equal(lines[0], 'phone,e164,region,time_zone,line_type,status,reason');
      assert.equal(lines[1], '+15550000000,+15550000000,,,unknown,Unknown,no history');
      assert.equal((await (await fetch(data.upload.downloads.processed_filtered)).text()).trimEnd().split('\n').length, 1);
      for (const file of ['original', 'processed', 'processed-filtered']) {
        const link = await api.get<{ download_url: string; expires_at: number }>(`/api/v1/uploads/${data.upload.id}/download/${file}`);
        assert.ok(Math.abs(link.body.expires_at - Date.now() / 1000 - 3600) < 10);
        assert.equal((await fetch(link.body.download_url)).status, 200);
        assert.equal(
          (await fetch(link.body.download_url.replace(/signature=./, 'signature=0'))).status,
          link.body.download_url.includes('signature=0') ? 200 : 403,
        );
        assert.equal((await fetch(link.body.download_url.replace(/expires=\d+/, 'expires=9999999999'))).status, 403);
      }
    });

    test('a stopped receiver: six attempts, then exhausted', async () => {
      await receiver.stop();
      await upload();
      const [row] = await eventually('a delivery is exhausted', async () => {
        const listed = (await deliveries()).filter(({ status }) => status === 'exhausted');
        return listed.length > 0 && listed;
      });
      assert.equal(row!.attempt_count, 6);
      assert.equal(row!.last_error, 'connection_error');
      const { body } = await place.operator.get<{ attempts: { number: number; started_at: string }[] }>(
        `/operator/v1/organizations/${slug}/deliveries/${row!.id}`,
      );
      const times = body.attempts.map(({ started_at }) => Date.parse(started_at));
      const gaps = times.slice(1).map((time, index) => time - times[index]!);
      const planned = [1, 5, 30, 120, 720].map((minutes) => minutes * 60_000 * Number(SCALE));
      for (const [index, gap] of gaps.entries())
        assert.ok(gap >= Math.floor(planned[index]!) - 1, `gap ${index + 1} is ${gap} ms, planned ${planned[index]}`);
    });

    test('twenty failures in a row disable the endpoint; enabling it delivers what waited', async () => {
      for (let n = 0; n < 4 && (await current()).is_active; n++) await upload();
      const disabled = await eventually('the endpoint is disabled', async () => {
        const now = await current();
        return !now.is_active && now;
      });
      assert.ok(disabled.consecutive_failures >= THRESHOLD);
      assert.ok(disabled.disabled_at);
      assert.ok(disabled.last_failure_at);
      const before = await deliveries();
      await upload();
      assert.equal((await deliveries()).length, before.length, 'events while inactive make no delivery');
      const waiting = before.filter(({ status }) => status === 'pending').length;
      assert.ok(waiting > 0);

      receiver = await Receiver.start();
      const moved = await api.send<Webhook & { url: string }>('PATCH', `/api/v1/webhooks/${webhook.id}`, {
        url: receiver.url('/moved'),
        is_active: true,
      });
      assert.deepEqual([moved.body.is_active, moved.body.consecutive_failures, moved.body.disabled_at], [true, 0, null]);
      const [ping] = ofType('webhook.ping');
      await verify(scheme, { secret, body: ping!.body, headers: ping!.headers });
      await eventually('what waited is delivered', async () =>
        (await deliveries()).every(({ status }) => status === 'delivered' || status === 'exhausted'),
      );
      const retried = receiver.received.filter(({ headers }) => Number(headers['x-optimaldial-attempt']) > 1);
      assert.ok(retried.length > 0, 'a retry says which attempt it is');
      for (const { body, headers } of retried) await verify(scheme, { secret, body, headers });
      assert.ok((await current()).last_success_at);
    });

    test('deleting is final', async () => {
      const deleted = await api.send('DELETE', `/api/v1/webhooks/${webhook.id}`, undefined, { 'content-type': 'application/json' });
      assert.deepEqual(deleted.body, { status: 'deleted' }, 'also with a content type and no body');
      assert.equal((await api.send('DELETE', `/api/v1/webhooks/${webhook.id}`)).status, 404);
      assert.equal((await api.get(`/api/v1/webhooks/${webhook.id}/deliveries`)).status, 404);
      assert.deepEqual((await api.get('/api/v1/webhooks')).body, []);
    });
  });
}
