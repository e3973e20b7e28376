import { strict as assert } from 'node:assert';
import type { ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, PanelClient, Receiver, startTestServer, type TestServer } from '@dialhook/testing';

interface Page {
  readonly data: { readonly id: string; readonly dialect: string }[];
  readonly next_cursor: string | null;
}

/** More endpoints than a page of any list holds. */
const MANY = 1_205;

for (const kind of DATABASE_KINDS) {
  describe(`endpoints of an organization on ${kind}`, () => {
    let place: TestServer;
    let receiver: Receiver;
    before(async () => {
      receiver = await Receiver.start();
      place = await startTestServer(kind);
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    const list = (slug: string, query = '') => place.operator.get<Page>(`/operator/v1/organizations/${slug}/endpoints${query}`);
    const owner = async (slug: string, user_id?: string) => {
      const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, { user_id });
      const panel = await PanelClient.connect(place.url);
      assert.equal((await panel.send('POST', '/panel/links/redeem', { token: body.url.split('#')[1] })).status, 204);
      return panel;
    };

    test('none is invisible, however many there are; those of others are not there', async () => {
      const [mine, other] = [await place.organization(), await place.organization()];
      const register = (slug: string, dialect: string, more: object = {}) =>
        place.operator.send<{ endpoint: { id: string } }>('POST', `/operator/v1/organizations/${slug}/endpoints`, {
          dialect,
          url: receiver.url('/x'),
          ...more,
        });
      await register(other.slug, 'standard');
      for (const [dialect, more] of [
        ['standard', {}],
        ['optimaldial', {}],
        ['dialnexa', { secret: 'long enough' }],
      ] as const) {
        const { id } = (await register(mine.slug, dialect, more)).body.endpoint;
        await place.server.database.query({
          text: `insert into endpoints select (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid()))).*
                   from endpoints e, generate_series(2, $2::int) where e.id = $1`,
          values: [id, MANY],
        });
      }
      const before = (await list(other.slug)).body;
      const panel = await owner(mine.slug);
      for (const [dialect, limit] of [
        ['standard', 500],
        ['optimaldial,standard', 1000],
      ] as const) {
        const ids = new Set<string>();
        let cursor = '';
        do {
          const query = `?dialect=${dialect}&limit=${limit}&cursor=${cursor}`;
          const { body } = await panel.get<Page>(`/panel/organizations/${mine.slug}/endpoints${query}`);
          for (const one of body.data) assert.ok(dialect.split(',').includes(one.dialect) && !ids.has(one.id));
          for (const { id } of body.data) ids.add(id);
          cursor = body.next_cursor ?? '';
        } while (cursor !== '');
        assert.equal(ids.size, MANY * dialect.split(',').length);
      }
      const first = (await list(mine.slug)).body;
      assert.deepEqual([first.data.length, first.next_cursor === null], [1000, false]);
      assert.equal((await mine.api.get<object[]>('/api/v1/webhooks')).body.length, MANY, 'the vendor’s list has no pages');
      const { key } = (
        await place.operator.send<{ key: string }>('POST', `/operator/v1/organizations/${mine.slug}/api-keys`, { kind: 'dialnexa' })
      ).body;
      const last = await place.operator
        .as(key)
        .get<{ data: { id: string }[]; meta: { total: number } }>(`/v1/user-webhooks?limit=100&page=${Math.ceil(MANY / 100)}`);
      assert.deepEqual([last.body.meta.total, last.body.data.length], [MANY, MANY % 100]);
      assert.equal((await place.operator.as(key).get(`/v1/user-webhooks/${last.body.data[0]!.id}`)).status, 200);
      assert.deepEqual((await list(other.slug)).body, before);
    });

    test('one whose maker is removed, or whose key is revoked, during its ping is not stored', async () => {
      const [mine, other] = [await place.organization(), await place.organization()];
      const path = `/operator/v1/organizations/${mine.slug}`;
      const added = await place.operator.send<{ user_id: string }>('POST', `${path}/members`, {
        email: `${kind}@example.com`,
        role: 'owner',
      });
      const leaver = await owner(mine.slug, added.body.user_id);
      const pinged: ServerResponse[] = [];
      receiver.answer = ({ path: to }) => (to === '/slow' ? (_, response) => void pinged.push(response) : 200);
      const body = { url: receiver.url('/slow'), events: ['upload.completed'] };
      const making = [
        leaver.send('POST', `/panel/organizations/${mine.slug}/endpoints`, { dialect: 'optimaldial', ...body }),
        mine.api.send('POST', '/api/v1/webhooks', body),
        other.api.send('POST', '/api/v1/webhooks', body),
      ];
      await receiver.until(() => pinged.length === making.length);
      await place.operator.send('DELETE', `${path}/members/${added.body.user_id}`);
      const { data: keys } = (await place.operator.get<{ data: { id: string }[] }>(`${path}/api-keys`)).body;
      await place.operator.send('DELETE', `${path}/api-keys/${keys[0]!.id}`);
      for (const response of pinged) response.writeHead(200).end();
      const answers = await Promise.all(making);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [403, 401, 200],
      );
      assert.deepEqual((await list(mine.slug)).body.data, []);
      assert.equal((await list(other.slug)).body.data.length, 1);
    });
  });
}
