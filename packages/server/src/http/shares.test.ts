import { strict as assert } from 'node:assert';
import { request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { eventually, PanelClient, Receiver, startTestServer, type ApiClient, type TestServer } from '@dialhook/testing';
import { LIST_LIMITS } from '../lists/limits.ts';
import { sampleCsv, sampleNumbers } from '../lists/samples.fixture.ts';

/**
 * What tenants share, and one of them takes as much of it as it can get. By counts, not by time: while the flood lasts, each of the
 * other's steps succeeds, and all of them before the flood has done what it wanted. docs/limits.md names each of these tests.
 */

interface Tenant {
  readonly slug: string;
  readonly api: ApiClient;
  readonly panel: PanelClient;
  readonly path: string;
}

/** What the busy tenant has under way at once. */
const AT_ONCE = 24;

describe('one tenant floods what all share', () => {
  let place: TestServer;
  let receiver: Receiver;
  let busy: Tenant;
  let other: Tenant;

  before(async () => {
    place = await startTestServer('postgres');
    receiver = await Receiver.start();
    [busy, other] = [await tenant(), await tenant()];
    const data = { note: 'n'.repeat(1_000) };
    for (let n = 0; n < 3; n++) await publish(busy, 1_000, data);
    await receiver.until(() => receiver.received.filter(({ path }) => path === `/${busy.slug}`).length >= 3_000, 60_000);
  });
  after(async () => {
    await receiver.stop();
    await place.stop();
  });

  async function tenant(): Promise<Tenant> {
    const { api, slug } = await place.organization({ credits: 1_000_000 });
    const operatorPath = `/operator/v1/organizations/${slug}`;
    await place.operator.send('POST', `${operatorPath}/endpoints`, { dialect: 'standard', url: receiver.url(`/${slug}`) });
    const { body } = await place.operator.send<{ url: string }>('POST', `${operatorPath}/sign-in-links`, {});
    const panel = await PanelClient.connect(place.url);
    assert.equal((await panel.send('POST', '/panel/links/redeem', { token: body.url.split('#')[1] })).status, 204);
    return { slug, api, panel, path: `/panel/organizations/${slug}` };
  }
  const publish = async ({ slug: organization }: Tenant, count: number, data: object = {}) => {
    const event = { organization, type: 'call.ended', data };
    const { status } = await place.operator.send(
      'POST',
      '/operator/v1/events',
      count === 1 ? event : Array.from({ length: count }, () => event),
    );
    return status;
  };
  const receivedBy = ({ slug }: Tenant) => receiver.received.filter(({ path }) => path === `/${slug}`).length;
  const listForm = (rows: number) => {
    const form = new FormData();
    form.append('file', new Blob([sampleCsv(rows)]), 'list.csv');
    return form;
  };

  /** Runs `flood` many times at once until it succeeded `most` times; meanwhile `step` must succeed `steps` times. */
  async function flooded(options: {
    readonly flood: () => Promise<number>;
    readonly most: number;
    readonly step: (n: number) => Promise<void>;
    readonly steps: number;
  }): Promise<void> {
    let done = 0;
    let isOver = false;
    const flooders = Array.from({ length: AT_ONCE }, async () => {
      while (!isOver && done < options.most) {
        const status = await options.flood();
        if (status < 400) done += 1;
        else await setImmediate(); // refused, as it may be
      }
    });
    try {
      for (let n = 0; n < options.steps; n++) await options.step(n);
      assert.ok(done < options.most, `the other's ${options.steps} steps took longer than all ${done} of the flood`);
    } finally {
      isOver = true;
      await Promise.all(flooders);
    }
  }

  test('searching', async () => {
    await flooded({
      flood: async () => (await busy.panel.get(`${busy.path}/deliveries?search=nothing-like-this`)).status,
      most: 300,
      steps: 5,
      step: async (n) => {
        assert.equal(await publish(other, 1, { note: `found-${n}` }), 202);
        await eventually('its own search finds it', async () => {
          const { body, status } = await other.panel.get<{ data: object[] }>(`${other.path}/deliveries?search=found-${n}`);
          assert.equal(status, 200);
          return body.data.length === 1;
        });
      },
    });
  });

  test('uploads', async () => {
    // As many that send nothing as the node has places: they get the share of one.
    const held = Array.from({ length: LIST_LIMITS.uploadsAtOnce }, () => {
      const headers = { cookie: busy.panel.setCookie.split(';')[0]!, origin: place.url, 'content-length': '1000' };
      const type = { 'content-type': 'multipart/form-data; boundary=x' };
      const upload = request(place.url + busy.path + '/lists', { method: 'POST', headers: { ...headers, ...type } });
      upload.on('error', () => {}); // hung up below
      upload.write('--x\r\n');
      return upload;
    });
    await flooded({
      flood: async () => (await busy.panel.send('POST', `${busy.path}/lists`, listForm(5_000))).status,
      most: 300,
      steps: 5,
      step: async () => {
        assert.equal((await other.panel.send('POST', `${other.path}/lists`, listForm(200))).status, 201);
        assert.equal((await other.api.send('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) })).status, 200);
      },
    });
    for (const upload of held) upload.destroy();
  });

  test('imports', async () => {
    const body = { phone_numbers: sampleNumbers(30_000) };
    const accepting = Promise.all(Array.from({ length: 8 }, () => busy.api.send<{ id: string }>('POST', '/api/v1/uploads', body)));
    const mine = await other.api.send<{ id: string }>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) });
    assert.equal(mine.status, 200);
    const isDone = async (api: ApiClient, id: string) =>
      (await api.get<{ status: string }>(`/api/v1/uploads/${id}`)).body.status === 'completed';
    await eventually('the other’s list is processed', () => isDone(other.api, mine.body.id));
    const lists = await accepting;
    const accepted = lists.filter(({ status }) => status === 200);
    const done = await Promise.all(accepted.map(async ({ body: list }) => isDone(busy.api, list.id)));
    assert.ok(done.includes(false), 'it came after all of the flood');
    for (const { body: list } of accepted) await eventually('the others follow', () => isDone(busy.api, list.id), 60_000);
  });

  test('replays', async () => {
    await publish(other, 5);
    await eventually('they are delivered', async () => {
      const { body } = await other.panel.get<{ data: { status: string }[] }>(`${other.path}/deliveries`);
      return body.data.every(({ status }) => status === 'delivered');
    });
    const range = {
      since: new Date(Date.now() - 3_600_000).toISOString(),
      until: new Date(Date.now() + 1_000).toISOString(),
      status: 'delivered',
    };
    const start = (who: Tenant) => who.panel.send<{ id: string }>('POST', `${who.path}/replays`, range);
    const [first, second, mine] = await Promise.all([start(busy), start(busy), start(other)]);
    assert.deepEqual([first.status, second.status, mine.status], [202, 202, 202]);
    const endOf = (who: Tenant, id: string) =>
      eventually(
        'the replay is over',
        async () => (await who.panel.get<{ finished_at: string | null }>(`${who.path}/replays/${id}`)).body.finished_at ?? false,
        60_000,
      );
    const end = await endOf(other, mine.body.id);
    for (const { body } of [first, second]) assert.ok(end < (await endOf(busy, body.id)), 'the other’s ended first');
  });

  test('events', async () => {
    const before = receivedBy(other);
    const steps = 10;
    await flooded({
      flood: () => publish(busy, 50),
      most: 1_000,
      steps,
      step: async () => assert.equal(await publish(other, 1), 202),
    });
    await eventually('nothing of the other’s is lost', () => receivedBy(other) === before + steps, 60_000);
  });

  test('endpoints', async () => {
    const path = `/operator/v1/organizations/${busy.slug}/endpoints`;
    for (let n = 0; n < 60; n++)
      assert.equal((await place.operator.send('POST', path, { dialect: 'standard', url: receiver.url(`/${busy.slug}/${n}`) })).status, 201);
    await flooded({
      flood: () => publish(busy, 1),
      most: 800,
      steps: 2, // publishing is quick: what it makes for sixty endpoints is what the other’s wait beside
      step: async () => {
        const before = receivedBy(other);
        assert.equal(await publish(other, 1), 202);
        await eventually('the other’s arrives', () => receivedBy(other) > before, 60_000);
      },
    });
  });

  test('downloads', async () => {
    const link = async ({ api }: Tenant) => {
      const { body: lists } = await api.get<{ data: { id: string; status: string }[] }>('/api/v1/uploads');
      const { id } = lists.data.find(({ status }) => status === 'completed')!;
      return (await api.get<{ download_url: string }>(`/api/v1/uploads/${id}/download/processed`)).body.download_url;
    };
    const [theirs, mine] = [await link(busy), await link(other)];
    await flooded({
      flood: async () => {
        const response = await fetch(theirs);
        await response.arrayBuffer();
        return response.status;
      },
      most: 300,
      steps: 5,
      step: async () => {
        const response = await fetch(mine);
        assert.equal(response.status, 200);
        assert.match(await response.text(), /^phone,e164/);
      },
    });
  });
});
