import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, eventually, FakeClock, PanelClient, Receiver, startTestServer, type TestServer } from '@dialhook/testing';
import { SESSION_LIMITS } from '../../accounts/session-limits.ts';

interface Problem {
  readonly code: string;
  readonly detail: string;
}
interface Me {
  readonly user: {
    readonly id: string;
    readonly email: string | null;
    readonly pending_email: string | null;
    readonly has_password: boolean;
  };
  readonly organizations: { readonly slug: string; readonly role: string; readonly credits: number }[];
}
interface List {
  readonly id: string;
  readonly status: string;
  readonly valid_rows: number;
  readonly credits_required: number;
  readonly credits_refunded: number | null;
  readonly error_message: string | null;
  readonly summary: { readonly regions: Record<string, number>; readonly statuses: Record<string, number> } | null;
}

for (const kind of DATABASE_KINDS) {
  describe(`the panel's API on ${kind}`, () => {
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

    const email = () => `${randomBytes(6).toString('hex')}@example.com`;
    const tokenOf = (url: string) => url.slice(url.indexOf('#') + 1);
    /** An organization, and its owner signed in by a link. */
    const owner = async () => {
      const made = await place.organization();
      const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${made.slug}/sign-in-links`, {});
      const panel = await PanelClient.connect(place.url);
      assert.equal((await panel.send('POST', '/panel/links/redeem', { token: tokenOf(body.url) })).status, 204);
      return { ...made, panel, path: `/panel/organizations/${made.slug}` };
    };
    const join = async (inviter: PanelClient, path: string, role: string, password = 'correct horse battery') => {
      const joining = { email: email(), name: 'Joiner', password };
      const invited = await inviter.send<{ url: string }>('POST', `${path}/invitations`, { role, email: joining.email });
      assert.equal(invited.status, 201);
      const panel = await PanelClient.connect(place.url);
      assert.equal((await panel.send('POST', '/panel/links/redeem', { token: tokenOf(invited.body.url), joining })).status, 204);
      return { panel, ...joining };
    };

    /** Opens the link that the operator sends to the address that a user has asked for. */
    const confirmEmail = async (panel: PanelClient, slug: string) => {
      const { user } = (await panel.get<Me>('/panel/me')).body;
      if (user.pending_email === null) return; // the first user of an installation has it at once
      const made = await place.operator.send<{ url: string; email: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {
        user_id: user.id,
        confirm_email: true,
      });
      assert.equal(made.body.email, user.pending_email);
      assert.equal((await panel.send('POST', '/panel/links/redeem', { token: tokenOf(made.body.url) })).status, 204);
    };

    test('a link signs in once; then e-mail and password do', async () => {
      const { panel, slug } = await owner();
      const me = (await panel.get<Me>('/panel/me')).body;
      assert.deepEqual([me.user.has_password, me.organizations.map(({ role, slug: of }) => [of, role])], [false, [[slug, 'owner']]]);
      const [mail, password] = [email(), 'a long enough password'];
      assert.equal((await panel.send<Problem>('PATCH', '/panel/me', { password })).body.code, 'email_needed');
      assert.equal((await panel.send('PATCH', '/panel/me', { email: mail, password, name: 'Ada' })).status, 204);
      await confirmEmail(panel, slug);
      const again = await PanelClient.connect(place.url);
      assert.equal((await again.send('POST', '/panel/session', { email: mail.toUpperCase(), password })).status, 204);
      assert.equal((await again.get<Me>('/panel/me')).body.user.email, mail);
      // Changing either needs the password now, and a new one ends the other sessions.
      assert.equal((await again.send<Problem>('PATCH', '/panel/me', { password: 'another long one' })).body.code, 'wrong_credentials');
      assert.equal((await again.send('PATCH', '/panel/me', { password: 'another long one', current_password: password })).status, 204);
      assert.equal((await panel.get<Problem>('/panel/me')).body.code, 'unauthenticated');
      assert.equal((await again.get('/panel/me')).status, 200);
    });

    test('a used link, an unknown one and an invitation without a user are refused', async () => {
      const { panel, path, slug } = await owner();
      const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
      const token = tokenOf(body.url);
      assert.deepEqual((await panel.send('POST', '/panel/links/look', { token })).body, {
        purpose: 'sign_in',
        organization: null,
        role: null,
        email: null,
      });
      const tries = await Promise.all(
        [1, 2, 3].map(async () => (await PanelClient.connect(place.url)).send<Problem>('POST', '/panel/links/redeem', { token })),
      );
      assert.deepEqual(
        tries.map(({ status }) => status).sort((a, b) => a - b),
        [204, 410, 410],
      );
      const own = email();
      await panel.send('PATCH', '/panel/me', { email: own });
      await confirmEmail(panel, slug);
      const invited = await panel.send<{ url: string }>('POST', `${path}/invitations`, { role: 'member', email: own });
      const stranger = await PanelClient.connect(place.url);
      const needs = await stranger.send<Problem>('POST', '/panel/links/redeem', { token: tokenOf(invited.body.url) });
      assert.deepEqual([needs.status, needs.body.code], [400, 'link_needs_user']);
      assert.equal(
        (await panel.send<Problem>('POST', '/panel/links/redeem', { token: tokenOf(invited.body.url) })).body.code,
        'already_member',
      );
      assert.equal((await panel.get<{ data: object[] }>(`${path}/invitations`)).body.data.length, 1, 'a refused one is not used up');
      assert.equal((await stranger.send('POST', '/panel/links/redeem', { token: 'x'.repeat(43) })).status, 410);
    });

    test('the cookie is strict, and what comes from another page is refused', async () => {
      const { panel, path } = await owner();
      assert.match(panel.setCookie, /^dialhook_session=[\w-]{43}; Path=\/panel; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
      for (const origin of ['https://evil.example', 'null', undefined]) {
        const answer = await panel.send<Problem>('POST', `${path}/api-keys`, { kind: 'optimaldial' }, { origin });
        assert.deepEqual([answer.status, answer.body.code], [403, 'forged_origin'], String(origin));
      }
      assert.equal((await panel.get<{ data: object[] }>(`${path}/api-keys`)).body.data.length, 1, 'the one that the operator made');
      const stolen = await PanelClient.connect(place.url, 'x'.repeat(43));
      assert.equal((await stolen.get('/panel/me')).status, 401);
      assert.equal((await panel.send('DELETE', '/panel/session')).status, 204);
      assert.equal((await panel.get('/panel/me')).status, 401);
    });

    test('signing out everywhere ends every session', async () => {
      const { panel, path } = await owner();
      const joined = await join(panel, path, 'member');
      const second = await PanelClient.connect(place.url);
      await second.send('POST', '/panel/session', { email: joined.email, password: joined.password });
      assert.equal((await second.get('/panel/me')).status, 200);
      assert.deepEqual((await joined.panel.send('DELETE', '/panel/sessions')).body, { sessions: 2 });
      assert.deepEqual([(await second.get('/panel/me')).status, (await joined.panel.get('/panel/me')).status], [401, 401]);
    });

    test('guessing is bounded, for the address that is guessed at', async () => {
      const { panel, path } = await owner();
      const joined = await join(panel, path, 'member');
      const guesser = await PanelClient.connect(place.url);
      const guess = (password: string) => guesser.send<Problem>('POST', '/panel/session', { email: joined.email, password });
      for (let n = 0; n < SESSION_LIMITS.failuresPerEmail; n++)
        assert.equal((await guess('wrong password')).body.code, 'wrong_credentials');
      const refused = await guess(joined.password);
      assert.deepEqual([refused.status, refused.body.code], [429, 'too_many_attempts'], 'the right one too');
      const nobody = await guesser.send<Problem>('POST', '/panel/session', { email: email(), password: 'wrong password' });
      assert.equal(nobody.body.code, 'wrong_credentials', 'the same as for a user that exists');
    });

    test('a member does not do an owner’s work, and is refused by the server', async () => {
      const { panel, path } = await owner();
      const { panel: member, email: mail } = await join(panel, path, 'member');
      const key = (await panel.send<{ id: string; key: string }>('POST', `${path}/api-keys`, { kind: 'optimaldial', name: 'CI' })).body;
      assert.match(key.key, /^od_live_/);
      const endpoint = { dialect: 'standard', url: receiver.url('/x') };
      const made = (await panel.send<{ endpoint: { id: string } }>('POST', `${path}/endpoints`, endpoint)).body.endpoint;
      const members = (await member.get<{ data: { user_id: string; email: string | null }[] }>(`${path}/members`)).body.data;
      const id = members.find((one) => one.email === mail)!.user_id;
      for (const [method, target, body] of [
        ['POST', '/api-keys', { kind: 'optimaldial' }],
        ['DELETE', `/api-keys/${key.id}`, undefined],
        ['POST', '/endpoints', endpoint],
        ['PATCH', `/endpoints/${made.id}`, { name: 'mine' }],
        ['DELETE', `/endpoints/${made.id}`, undefined],
        ['POST', `/endpoints/${made.id}/rotate-secret`, {}],
        ['POST', `/endpoints/${made.id}/pause`, undefined],
        ['POST', '/invitations', { role: 'owner' }],
        ['DELETE', `/members/${id}`, undefined],
        ['PUT', '/retention', { days: 1 }],
      ] as const) {
        const answer = await member.send<Problem>(method, `${path}${target}`, body);
        assert.deepEqual([answer.status, answer.body.code], [403, 'owners_only'], `${method} ${target}`);
      }
      for (const target of [
        '/endpoints',
        '/endpoints/health',
        '/deliveries',
        '/overview',
        '/api-keys',
        '/lists',
        '/dialnexa/campaigns',
        '/outboundiq/dials',
      ])
        assert.equal((await member.get(`${path}${target}`)).status, 200, target);
      // A removed member is out at once.
      assert.equal((await panel.send('DELETE', `${path}/members/${id}`)).status, 204);
      assert.equal((await member.get(`${path}/deliveries`)).status, 404);
    });

    test('another organization is not there', async () => {
      const [mine, other] = [await owner(), await owner()];
      const list = (await upload(mine.panel, mine.path, csv(120))).body;
      for (const target of [
        '',
        '/members',
        '/api-keys',
        '/endpoints',
        '/deliveries',
        '/overview',
        '/lists',
        `/lists/${list.id}`,
        '/dialnexa/calls',
        '/outboundiq/dials',
      ]) {
        const answer = await other.panel.get<Problem>(`${mine.path}${target}`);
        assert.equal(answer.status, 404, target);
      }
      assert.equal((await other.panel.get(`${other.path}/lists/${list.id}`)).status, 404);
      assert.equal((await other.panel.send('POST', `${other.path}/lists/${list.id}/confirm`)).status, 404);
    });

    const csv = (rows: number) =>
      `phone,name\n${Array.from({ length: rows }, (_, n) => `+1312555${String(n).padStart(4, '0')},N${n}`).join('\n')}\nnonsense,X\n`;
    const upload = (panel: PanelClient, path: string, content: string, name = 'spring.csv') => {
      const form = new FormData();
      form.append('file', new Blob([content]), name);
      return panel.send<List & Problem>('POST', `${path}/lists`, form);
    };

    test('a list is uploaded, mapped, confirmed, processed and charted', async () => {
      const { panel, path } = await owner();
      const { body: list, status } = await upload(panel, path, csv(120));
      assert.deepEqual([status, list.status], [201, 'pending_mapping']);
      const at = `${path}/lists/${list.id}`;
      const preview = (await panel.get<{ columns: string[]; rows: string[][]; phone_column: string }>(`${at}/preview`)).body;
      assert.deepEqual(
        [preview.columns, preview.rows[0], preview.rows.length, preview.phone_column],
        [['phone', 'name'], ['+13125550000', 'N0'], 10, 'phone'],
      );
      assert.equal((await panel.send('POST', `${at}/confirm`)).status, 400, 'not before it is mapped');
      const wrong = await panel.send<Problem>('POST', `${at}/mapping`, { phone_column: 'telephone' });
      assert.deepEqual([wrong.status, (await panel.get<List>(at)).body.status], [400, 'pending_mapping']);
      const mapped = (await panel.send<List>('POST', `${at}/mapping`, { phone_column: 'phone' })).body;
      assert.deepEqual([mapped.status, mapped.valid_rows, mapped.credits_required], ['awaiting_confirmation', 120, 120]);
      const answers = await Promise.all([1, 2, 3].map(() => panel.send<List>('POST', `${at}/confirm`)));
      assert.deepEqual(
        answers.map((one) => one.status).sort((a, b) => a - b),
        [200, 400, 400],
      );
      assert.equal((await panel.get<Me>('/panel/me')).body.organizations[0]!.credits, 10_000 - 120);
      const done = await eventually('it is processed', async () => {
        const found = (await panel.get<List>(at)).body;
        return found.status === 'completed' && found;
      });
      assert.deepEqual(done.summary!.regions, { IL: 120 });
      assert.equal(
        Object.values(done.summary!.statuses).reduce((a, b) => a + b),
        120,
      );
      const link = (await panel.get<{ url: string }>(`${at}/download/processed`)).body.url;
      assert.match(await (await fetch(link)).text(), /^phone,name,e164/);
      assert.equal((await panel.send('DELETE', at)).status, 400);
    });

    test('a list with too few numbers fails, one that is given up costs nothing, and one that is cancelled comes back', async () => {
      const { panel, path } = await owner();
      const few = (await upload(panel, path, csv(99))).body;
      const failed = (await panel.send<List>('POST', `${path}/lists/${few.id}/mapping`, { phone_column: 'phone' })).body;
      assert.deepEqual(
        [failed.status, failed.error_message],
        ['validation_failed', 'At least 100 valid US or Canadian phone numbers are required; found 99'],
      );
      const left = (await upload(panel, path, csv(120))).body;
      assert.equal((await panel.send<List>('DELETE', `${path}/lists/${left.id}`)).body.status, 'cancelled');
      const paid = (await upload(panel, path, csv(120))).body;
      await panel.send('POST', `${path}/lists/${paid.id}/mapping`, { phone_column: 'phone' });
      await panel.send('POST', `${path}/lists/${paid.id}/confirm`);
      const cancelled = (await panel.send<List>('DELETE', `${path}/lists/${paid.id}`)).body;
      assert.deepEqual([cancelled.status, cancelled.credits_refunded], ['cancelled', 120]);
      assert.equal((await panel.get<Me>('/panel/me')).body.organizations[0]!.credits, 10_000);
      const binary = await upload(panel, path, 'a\0b\0c');
      assert.deepEqual([binary.status, binary.body.code], [400, 'invalid_request']);
    });

    test('a list that costs more than is left is not taken, waits for credits, and costs nobody else', async () => {
      const [mine, other] = [await owner(), await owner()];
      const pending = async ({ panel, path }: typeof mine) => {
        const { id } = (await upload(panel, path, csv(120))).body;
        await panel.send('POST', `${path}/lists/${id}/mapping`, { phone_column: 'phone' });
        return `${path}/lists/${id}`;
      };
      const [list, second, neighbor] = [await pending(mine), await pending(mine), await pending(other)];
      const adjust = (amount: number) =>
        place.operator.send('POST', `/operator/v1/organizations/${mine.slug}/credits`, { amount, reason: 'test' });
      await adjust(119 - 10_000);
      const credits = async ({ panel }: typeof mine) => (await panel.get<Me>('/panel/me')).body.organizations[0]!.credits;
      const states = () =>
        Promise.all([mine.panel.get<List>(second), other.panel.get<List>(neighbor), credits(other)]).then(([a, b, c]) => [
          a.body,
          b.body,
          c,
        ]);
      const [before, waiting] = [await states(), (await mine.panel.get<List>(list)).body];
      const refused = await mine.panel.send<Problem>('POST', `${list}/confirm`);
      assert.deepEqual([refused.status, refused.body.code], [402, 'insufficient_credits']);
      assert.deepEqual([(await mine.panel.get<List>(list)).body, await credits(mine)], [waiting, 119]);
      await adjust(1);
      assert.equal((await mine.panel.send<List>('POST', `${list}/confirm`)).body.status, 'ready_for_processing');
      assert.equal(await credits(mine), 0);
      assert.deepEqual(await states(), before);
    });

    test('the tables of a company’s dialler are listed by key, page by page', async () => {
      const [mine, other] = [await owner(), await owner()];
      const key = async ({ slug }: typeof mine) => {
        const made = await place.operator.send<{ key: string }>('POST', `/operator/v1/organizations/${slug}/api-keys`, {
          kind: 'outboundiq',
        });
        return place.operator.as(made.body.key);
      };
      const [api, theirs] = [await key(mine), await key(other)];
      const row = (id: string, name: string) => ({ id, name, type: 'Inbound', inbound_pool_id: null });
      for (const id of ['c', 'a', 'b']) {
        assert.equal((await api.send('POST', '/custom/campaigns', row(id, 'mine'))).status, 200);
        assert.equal((await theirs.send('POST', '/custom/campaigns', row(id, 'theirs'))).status, 200);
      }
      const page = async (query = '') =>
        (await mine.panel.get<{ data: object[]; next_cursor: string | null }>(`${mine.path}/translations/campaigns${query}`)).body;
      assert.deepEqual(await page(), { data: ['a', 'b', 'c'].map((id) => row(id, 'mine')), next_cursor: null });
      const first = await page('?limit=2');
      assert.deepEqual(first.data, [row('a', 'mine'), row('b', 'mine')]);
      assert.deepEqual(await page(`?limit=2&cursor=${first.next_cursor}`), { data: [row('c', 'mine')], next_cursor: null });
      assert.deepEqual((await mine.panel.get(`${mine.path}/translations/anis`)).body, { data: [], next_cursor: null });
    });

    test('deliveries: health, overview, the exact request, the tail, a test send', async () => {
      const { panel, path, slug } = await owner();
      receiver.answer = ({ path: to }) => (to === `/${slug}/bad` ? 500 : 200);
      const create = async (name: string) =>
        (
          await panel.send<{ endpoint: { id: string } }>('POST', `${path}/endpoints`, {
            dialect: 'standard',
            url: receiver.url(`/${slug}/${name}`),
            headers: { 'x-token': 'secret' },
          })
        ).body.endpoint.id;
      const [good, bad] = [await create('good'), await create('bad')];
      const tail = await panel.follow(`${path}/deliveries/tail`);
      await place.operator.send('POST', '/operator/v1/events', { organization: slug, type: 'call.ended', data: { n: 1 } });
      assert.match(await tail.until(/event: new/), /data: \{"count":2\}/);
      tail.close();
      const log = await eventually('both were tried', async () => {
        const { data } = (
          await panel.get<{ data: { id: string; endpoint_id: string; status: string; attempt_count: number }[] }>(`${path}/deliveries`)
        ).body;
        return data.every(({ attempt_count: count, status }) => count === 1 && status !== 'in_flight') && data.length === 2 && data;
      });
      const failed = log.find(({ endpoint_id: of }) => of === bad)!;
      const request = (
        await panel.get<{ headers: Record<string, string>; body: string; planned_at: string[]; url: string }>(
          `${path}/deliveries/${failed.id}/request`,
        )
      ).body;
      const sent = receiver.received.find(({ path: to }) => to === `/${slug}/bad`)!;
      assert.equal(request.body, sent.body);
      assert.equal(request.headers['webhook-id'], sent.headers['webhook-id']);
      assert.equal(request.headers['webhook-signature'], sent.headers['webhook-signature'], 'the very signature');
      assert.equal(request.headers['x-token'], '••••••');
      assert.equal(request.planned_at.length, 9, 'nine retries are left');
      const tested = (await panel.send('POST', `${path}/endpoints/${good}/test`)).body;
      assert.deepEqual(tested, { success: true, status: 200, error: null });
      const health = await eventually('it is counted', async () => {
        const { data } = (
          await panel.get<{ data: { endpoint_id: string; delivered: number; failed: number; hourly: object[] }[] }>(
            `${path}/endpoints/health`,
          )
        ).body;
        return data.length === 2 && data;
      });
      assert.deepEqual(
        [good, bad]
          .map((id) => health.find(({ endpoint_id: of }) => of === id)!)
          .map(({ delivered, failed: count, hourly }) => [delivered, count, hourly.length]),
        [
          [1, 0, 24],
          [0, 1, 24],
        ],
      );
      const overview = (
        await panel.get<{
          buckets: { delivered: number; failed: number; p95_ms: number | null }[];
          queue: { waiting: number; retries: number };
        }>(`${path}/overview?hours=2`)
      ).body;
      assert.deepEqual(
        [
          overview.buckets.length,
          overview.buckets[1]!.delivered,
          overview.buckets[1]!.failed,
          overview.queue.waiting,
          overview.queue.retries,
        ],
        [2, 1, 1, 1, 1],
      );
      assert.ok(overview.buckets[1]!.p95_ms! > 0);
    });
  });
}

test('a page that follows its deliveries does not hold up a stop', async () => {
  const place = await startTestServer('embedded');
  const { slug } = await place.organization();
  const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
  const panel = await PanelClient.connect(place.url);
  await panel.send('POST', '/panel/links/redeem', { token: body.url.slice(body.url.indexOf('#') + 1) });
  const tail = await panel.follow(`/panel/organizations/${slug}/deliveries/tail`);
  await tail.until(/: following/);
  const ended = assert.rejects(tail.until(/never/), /The events ended/);
  await place.stop();
  await ended; // by the server's own end, and not cut off after the time that stopping may take
});

test('a session ends when nobody uses it, and after two weeks whatever happens', async (t) => {
  const clock = new FakeClock();
  const place = await startTestServer('embedded', {}, () => ({ clock }));
  t.after(async () => {
    const stopped = place.stop();
    let isStopped = false;
    void stopped.then(() => (isStopped = true));
    await eventually('the node stops', () => (clock.advance(50), isStopped));
  });
  const { slug } = await place.organization();
  const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
  const panel = await PanelClient.connect(place.url);
  clock.advance(SESSION_LIMITS.linkMs - 1_000);
  const token = body.url.slice(body.url.indexOf('#') + 1);
  assert.equal((await panel.send('POST', '/panel/links/redeem', { token })).status, 204);
  for (let used = 0; used + SESSION_LIMITS.idleMs < SESSION_LIMITS.sessionMs; used += SESSION_LIMITS.idleMs - 1_000) {
    assert.equal((await panel.get('/panel/me')).status, 200);
    clock.advance(SESSION_LIMITS.idleMs - 1_000);
  }
  clock.advance(SESSION_LIMITS.idleMs - 1_000);
  assert.equal((await panel.get('/panel/me')).status, 401, 'two weeks are over');
});
