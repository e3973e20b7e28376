import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { loadConfig, startServer, type RunningServer } from '@dialhook/server';
import { ApiClient, DATABASE_KINDS, eventually, FakeClock, PanelClient, startTestServer, type TestServer } from '@dialhook/testing';
import { SESSION_LIMITS } from '../../accounts/session-limits.ts';

/** Who gets in, who stays in, and who does not: under races, floods and links of others. */

interface Problem {
  readonly code: string;
}
interface Me {
  readonly user: { readonly id: string; readonly email: string | null; readonly pending_email: string | null };
}
interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly made_by: string | null;
}
interface Key {
  readonly user_id: string;
  readonly revoked_at: string | null;
}

const PASSWORD = 'correct horse battery';
const email = () => `${randomBytes(6).toString('hex')}@example.com`;
const tokenOf = ({ body }: { readonly body: { readonly url: string } }) => body.url.slice(body.url.indexOf('#') + 1);
const count = (answers: readonly { readonly status: number }[], status: number) => answers.filter((one) => one.status === status).length;

for (const kind of DATABASE_KINDS) {
  describe(`the door on ${kind}`, () => {
    let place: TestServer;
    before(async () => {
      place = await startTestServer(kind);
    });
    after(async () => place.stop());

    const visitor = () => PanelClient.connect(place.url);
    const operate = <T>(method: string, path: string, body?: unknown) =>
      place.operator.send<T>(method, `/operator/v1/organizations/${path}`, body);
    const redeem = (panel: PanelClient, token: string, more: object = {}) =>
      panel.send<Problem | null>('POST', '/panel/links/redeem', { token, ...more });
    /** An organization, and its owner signed in by a link: without a password, which would take time to hash. */
    const found = async () => {
      const { slug } = await place.organization();
      const panel = await visitor();
      const link = await operate<{ url: string }>('POST', `${slug}/sign-in-links`, {});
      assert.equal((await redeem(panel, tokenOf(link))).status, 204);
      return { slug, path: `/panel/organizations/${slug}`, owner: { panel, id: (await panel.get<Me>('/panel/me')).body.user.id } };
    };
    const join = async (slug: string, role: string) => {
      const joining = { email: email(), name: 'Joiner', password: PASSWORD };
      const invited = await operate<{ url: string }>('POST', `${slug}/invitations`, { role, email: joining.email });
      const panel = await visitor();
      assert.equal((await redeem(panel, tokenOf(invited), { joining })).status, 204);
      return { panel, email: joining.email, id: (await panel.get<Me>('/panel/me')).body.user.id };
    };
    const invite = (by: PanelClient, path: string, to = email()) =>
      by.send<{ url: string }>('POST', `${path}/invitations`, { role: 'owner', email: to });
    const invitations = async (slug: string) => (await operate<{ data: Invitation[] }>('GET', `${slug}/invitations`)).body.data;
    const keys = async (slug: string) => (await operate<{ data: Key[] }>('GET', `${slug}/api-keys`)).body.data;

    for (const [how, end] of [
      ['removal', (slug: string, id: string) => operate('DELETE', `${slug}/members/${id}`)],
      ['demotion', (slug: string, id: string) => operate('PATCH', `${slug}/members/${id}`, { role: 'member' })],
    ] as const) {
      test(`an invitation ends with the ${how} of its maker, and so do keys; those of others stay`, async () => {
        const { owner, path, slug } = await found();
        const [other, elsewhere] = [await join(slug, 'owner'), await found()];
        const links = [await invite(owner.panel, path), await invite(owner.panel, path)];
        const kept = await invite(other.panel, path);
        await owner.panel.send('POST', `${path}/api-keys`, { kind: 'optimaldial' });
        await other.panel.send('POST', `${path}/api-keys`, { kind: 'optimaldial' });
        await invite(elsewhere.owner.panel, elsewhere.path);
        const bystanders = async () => [
          (await invitations(slug)).filter((one) => one.made_by !== owner.id),
          (await keys(slug)).filter((one) => one.user_id !== owner.id),
          await invitations(elsewhere.slug),
          await keys(elsewhere.slug),
        ];
        const before = await bystanders();
        assert.ok((await end(slug, owner.id)).status < 300);
        for (const link of links) {
          const joining = { email: email(), name: 'Back again', password: PASSWORD };
          assert.equal((await redeem(await visitor(), tokenOf(link), { joining })).status, 410);
        }
        assert.deepEqual(await bystanders(), before);
        assert.deepEqual(
          (await keys(slug)).filter((one) => one.user_id === owner.id).map((one) => one.revoked_at !== null),
          [true, true],
        );
        assert.equal((await (await visitor()).send('POST', '/panel/links/look', { token: tokenOf(kept) })).status, 200);
      });
    }

    test('invitations are listed, revoked and sent again, are for one address, and replace each other', async () => {
      const { owner, path, slug } = await found();
      const [to, bystander] = [email(), email()];
      await invite(owner.panel, path, bystander);
      const first = await invite(owner.panel, path, to);
      const second = await invite(owner.panel, path, to.toUpperCase());
      assert.equal((await redeem(owner.panel, tokenOf(first))).body?.code, 'link_expired', 'replaced');
      const listed = (await owner.panel.get<{ data: Invitation[] }>(`${path}/invitations`)).body.data;
      assert.deepEqual(
        listed.map((one) => [one.email, one.made_by]),
        [
          [to.toUpperCase(), owner.id],
          [bystander, owner.id],
        ],
      );
      const again = await owner.panel.send<{ url: string }>('POST', `${path}/invitations/${listed[0]!.id}/resend`);
      assert.equal(again.status, 200, JSON.stringify(again.body));
      assert.equal((await redeem(await visitor(), tokenOf(second))).status, 410, 'the old link');
      const joining = { email: email(), name: 'Somebody else', password: PASSWORD };
      const refused = await redeem(await visitor(), tokenOf(again), { joining });
      assert.deepEqual([refused.status, refused.body?.code], [403, 'invitation_for_another']);
      assert.equal((await redeem(owner.panel, tokenOf(again))).body?.code, 'invitation_for_another', 'nor for another session');
      assert.equal((await redeem(await visitor(), tokenOf(again), { joining: { ...joining, email: to } })).status, 204);
      const { id } = (await invitations(slug))[0]!;
      const elsewhere = await found();
      assert.equal((await elsewhere.owner.panel.send('DELETE', `${elsewhere.path}/invitations/${id}`)).status, 404);
      assert.equal((await elsewhere.owner.panel.send('POST', `${elsewhere.path}/invitations/${id}/resend`)).status, 404);
      assert.equal((await owner.panel.send('DELETE', `${path}/invitations/${id}`)).status, 204);
      assert.deepEqual(await invitations(slug), []);
    });

    test('keys and invitations made while their maker is removed end with them', async () => {
      const { owner, path, slug } = await found();
      const other = await join(slug, 'owner');
      await other.panel.send('POST', `${path}/api-keys`, { kind: 'dialnexa' });
      const others = (await keys(slug)).filter((one) => one.user_id !== owner.id);
      const burst = Array.from({ length: 16 }, (_, n) =>
        n === 8
          ? other.panel.send('DELETE', `${path}/members/${owner.id}`)
          : n % 2 === 0
            ? invite(owner.panel, path)
            : owner.panel.send('POST', `${path}/api-keys`, { kind: 'optimaldial' }),
      );
      await Promise.all(burst);
      const theirs = (await keys(slug)).filter((one) => one.user_id === owner.id);
      assert.deepEqual(
        theirs.filter((one) => one.revoked_at === null),
        [],
      );
      assert.deepEqual(
        (await invitations(slug)).filter((one) => one.made_by === owner.id),
        [],
      );
      assert.deepEqual(
        (await keys(slug)).filter((one) => one.user_id !== owner.id),
        others,
      );
    });

    test('of two owners who remove or demote each other one is left', async () => {
      const { owner, path, slug } = await found();
      const other = await join(slug, 'owner');
      const answers = await Promise.all([
        owner.panel.send('DELETE', `${path}/members/${other.id}`),
        other.panel.send('PATCH', `${path}/members/${owner.id}`, { role: 'member' }),
      ]);
      assert.equal(answers.filter(({ status }) => status < 300).length, 1);
      const members = (await operate<{ data: { role: string }[] }>('GET', `${slug}/members`)).body.data;
      assert.equal(members.filter(({ role }) => role === 'owner').length, 1);
      const last = (await operate<{ data: { role: string; user_id: string }[] }>('GET', `${slug}/members`)).body.data.find(
        ({ role }) => role === 'owner',
      )!;
      assert.equal((await operate('PATCH', `${slug}/members/${last.user_id}`, { role: 'member' })).status, 409);
    });

    if (kind === 'embedded') return; // the rest has nothing to do with the database's locks

    test('sign-in links end with a change of the password and with signing out everywhere; those of others stay', async () => {
      const { slug } = await found();
      const owner = await join(slug, 'owner');
      const other = await join(slug, 'member');
      const link = async (id: string) => tokenOf(await operate<{ url: string }>('POST', `${slug}/sign-in-links`, { user_id: id }));
      const [mine, theirs] = [await link(owner.id), await link(other.id)];
      const changed = await owner.panel.send('PATCH', '/panel/me', { password: 'another long password', current_password: PASSWORD });
      assert.equal(changed.status, 204);
      const look = async (token: string) => (await (await visitor()).send('POST', '/panel/links/look', { token })).status;
      assert.deepEqual([await look(mine), await look(theirs)], [410, 200]);
      const next = await link(owner.id);
      await owner.panel.send('DELETE', '/panel/sessions');
      assert.deepEqual([await look(next), await look(theirs)], [410, 200]);
      assert.equal((await other.panel.get('/panel/me')).status, 200);
    });

    test('a link for somebody else does not replace a session unasked; signing in again ends the old session', async () => {
      const { slug } = await found();
      const owner = await join(slug, 'owner');
      const other = await join(slug, 'member');
      const bystander = await visitor();
      await bystander.signIn(owner.email, PASSWORD);
      const token = tokenOf(await operate<{ url: string }>('POST', `${slug}/sign-in-links`, { user_id: other.id }));
      const [, old] = /=([^;]+)/.exec(owner.panel.setCookie)!;
      const refused = await redeem(owner.panel, token);
      assert.deepEqual([refused.status, refused.body?.code], [409, 'other_session']);
      assert.equal((await owner.panel.get<Me>('/panel/me')).body.user.id, owner.id, 'nothing has changed');
      assert.equal((await redeem(owner.panel, token, { replace: true })).status, 204);
      assert.equal((await owner.panel.get<Me>('/panel/me')).body.user.id, other.id);
      assert.equal((await (await PanelClient.connect(place.url, old)).get('/panel/me')).status, 401, 'the browser’s old session');
      const [, first] = /=([^;]+)/.exec(other.panel.setCookie)!;
      assert.equal((await other.panel.signIn(other.email, PASSWORD)).status, 204);
      assert.equal((await (await PanelClient.connect(place.url, first)).get('/panel/me')).status, 401);
      assert.equal((await bystander.get('/panel/me')).status, 200);
    });

    test('guesses of a session’s password are bounded as at the door, also in a burst', async () => {
      const { slug } = await found();
      const owner = await join(slug, 'owner');
      const other = await join(slug, 'member');
      const answers = [];
      for (let round = 0; round < 8; round++)
        answers.push(
          ...(await Promise.all(
            Array.from({ length: 3 }, () =>
              owner.panel.send<Problem>('PATCH', '/panel/me', { password: 'another long password', current_password: 'wrong password' }),
            ),
          )),
        );
      const tried = answers.filter(({ body }) => body.code === 'wrong_credentials').length;
      assert.equal(tried, SESSION_LIMITS.failuresPerEmail);
      // A slow machine may also say that it is busy; either way the others were not tried.
      assert.equal(count(answers, 429) + count(answers, 503), answers.length - tried);
      const fine = await other.panel.send('PATCH', '/panel/me', { password: 'another long password', current_password: PASSWORD });
      assert.equal(fine.status, 204, 'others are not concerned');
    });

    test('a weak password is refused under Account and at an invitation, and nothing is used up', async () => {
      const { owner, path } = await found();
      const to = email();
      const token = tokenOf(await invite(owner.panel, path, to));
      const joining = { email: to, name: 'Joiner', password: to };
      for (const password of [to, 'aaaaaaaaaa', 'password123']) {
        const answer = await redeem(await visitor(), token, { joining: { ...joining, password } });
        assert.deepEqual([answer.status, answer.body?.code], [400, 'weak_password']);
      }
      const panel = await visitor();
      assert.equal((await redeem(panel, token, { joining: { ...joining, password: PASSWORD } })).status, 204);
      const change = (password: string) => panel.send<Problem>('PATCH', '/panel/me', { password, current_password: PASSWORD });
      assert.equal((await change(to)).body.code, 'weak_password');
      assert.equal((await (await visitor()).signIn(to, PASSWORD)).status, 204, 'the old one stays');
    });

    test('whether an address has an account shows nowhere, and a new one counts when its link was opened', async () => {
      const { slug } = await found();
      const owner = await join(slug, 'owner');
      const other = await join(slug, 'member');
      const me = async () => (await owner.panel.get<Me>('/panel/me')).body.user;
      for (const wanted of [other.email, email()]) {
        const answer = await owner.panel.send('PATCH', '/panel/me', { email: wanted, current_password: PASSWORD });
        assert.deepEqual([answer.status, answer.body], [204, null]);
        assert.deepEqual([(await me()).email, (await me()).pending_email], [owner.email, wanted]);
      }
      const wanted = (await me()).pending_email!;
      const confirm = () =>
        operate<{ url: string; email: string }>('POST', `${slug}/sign-in-links`, { user_id: owner.id, confirm_email: true });
      const stale = await confirm();
      assert.equal(stale.body.email, wanted);
      await owner.panel.send('PATCH', '/panel/me', { email: other.email, current_password: PASSWORD });
      assert.equal((await redeem(await visitor(), tokenOf(stale))).status, 410, 'the user wants another one by now');
      const taken = await redeem(await visitor(), tokenOf(await confirm()));
      assert.deepEqual([taken.status, taken.body?.code], [409, 'email_taken'], 'told to the holder of the mailbox');
      await owner.panel.send('PATCH', '/panel/me', { email: wanted, current_password: PASSWORD });
      assert.equal((await redeem(await visitor(), tokenOf(await confirm()))).status, 204);
      assert.deepEqual([(await me()).email, (await me()).pending_email], [wanted, null]);
      assert.equal((await (await visitor()).signIn(other.email, PASSWORD)).status, 204, 'the other one kept theirs');
      assert.equal((await operate<Problem>('POST', `${slug}/sign-in-links`, { confirm_email: true })).body.code, 'no_new_email');
    });

    test('an invitation of somebody with an account is taken with its password, and guesses at it count', async () => {
      const { owner, path } = await found();
      const elsewhere = await join((await found()).slug, 'owner');
      const invited = await invite(owner.panel, path, elsewhere.email);
      const joining = { email: elsewhere.email, name: 'Mallory', password: 'chosen by somebody else' };
      const refused = await redeem(await visitor(), tokenOf(invited), { joining });
      assert.deepEqual([refused.status, refused.body?.code], [401, 'wrong_credentials']);
      const panel = await visitor();
      assert.equal((await redeem(panel, tokenOf(invited), { joining: { ...joining, password: PASSWORD } })).status, 204);
      assert.equal((await panel.get<Me>('/panel/me')).body.user.id, elsewhere.id);
      assert.equal((await panel.get(`${path}/deliveries`)).status, 200);
    });

    test('strangers from many addresses do not keep others out', async () => {
      const { slug } = await found();
      const [owner, member] = [await join(slug, 'owner'), await join(slug, 'member')];
      let refused = 0;
      for (const [now, next] of [
        [PASSWORD, 'another long password'],
        ['another long password', PASSWORD],
      ]) {
        const strangers = Array.from({ length: 40 }, (_, n) => stranger(place.url, `127.0.1.${n + 1}`));
        await Promise.race(strangers); // the node has begun with them
        assert.equal((await (await visitor()).signIn(owner.email, PASSWORD)).status, 204);
        assert.equal((await member.panel.send('PATCH', '/panel/me', { password: next, current_password: now })).status, 204);
        refused += (await Promise.all(strangers)).filter((status) => status === 429).length;
      }
      assert.ok(refused > 0, 'there were too many of them');
    });
  });
}

/** Signs in from an address of its own, with an e-mail address that is nobody's; gives the status. */
function stranger(url: string, localAddress: string): Promise<number> {
  const body = JSON.stringify({ email: email(), password: 'wrong password' });
  const headers = { origin: url, 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    httpRequest(`${url}/panel/session`, { method: 'POST', localAddress, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode!));
    })
      .on('error', reject)
      .end(body);
  });
}

test('a burst on two nodes is counted before it is let in: guesses, replays, keys, invitations', async (t) => {
  const place = await startTestServer('postgres', { DIALHOOK_ROLE: 'api' });
  let second: RunningServer | undefined;
  t.after(async () => {
    await second?.stop();
    await place.stop();
  });
  second = await startServer({ ...place.server.config, port: 0, publicUrl: 'http://127.0.0.1:0' });
  const { slug } = await place.organization();
  const accounts = [email(), email()];
  for (const mail of accounts) {
    const invited = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/invitations`, {
      role: 'owner',
      email: mail,
    });
    const joining = { email: mail, name: 'Ada', password: PASSWORD };
    const panel = await PanelClient.connect(place.url);
    assert.equal((await panel.send('POST', '/panel/links/redeem', { token: tokenOf(invited), joining })).status, 204);
  }
  const guessers = await Promise.all([place.url, second.url].map((url) => PanelClient.connect(url)));
  const answers = await Promise.all(Array.from({ length: 24 }, (_, n) => guessers[n % 2]!.signIn(accounts[0]!, 'wrong password')));
  const tried = count(answers, 401);
  assert.equal(tried, SESSION_LIMITS.failuresPerEmail);
  // A slow machine may also say that it is busy; either way the others were not tried.
  assert.equal(count(answers, 429) + count(answers, 503), answers.length - tried);
  assert.equal((await guessers[1]!.signIn(accounts[1]!, PASSWORD)).status, 204, 'others are not concerned');

  const nodes = [place.operator, await ApiClient.connect(second.url, place.server.config.operatorToken)];
  const elsewhere = await place.organization();
  const burst = (length: number, path: string, body: (n: number) => object) =>
    Promise.all(Array.from({ length }, (_, n) => nodes[n % 2]!.send('POST', `/operator/v1/organizations/${slug}/${path}`, body(n))));
  const since = new Date(Date.now() - 60_000).toISOString();
  assert.equal(count(await burst(12, 'replays', () => ({ since })), 409), 10, 'two run, since an `api` node does not carry them on');
  const { data: keys } = (await place.operator.get<{ data: object[] }>(`/operator/v1/organizations/${slug}/api-keys`)).body;
  /** Fills up to six below the limit in small parts, then bursts over it: on a slow machine too, no call waits long. */
  const overfill = async (room: number, path: string, body: (n: number) => object) => {
    for (let n = 0; n < room - 6; n += 20) await burst(Math.min(20, room - 6 - n), path, (m) => body(n + m));
    return burst(18, path, (m) => body(room + m));
  };
  const made = await overfill(SESSION_LIMITS.apiKeys - keys.length, 'api-keys', () => ({ kind: 'optimaldial' }));
  assert.equal(count(made, 201), 6);
  const invited = await overfill(SESSION_LIMITS.invitations, 'invitations', (n) => ({ role: 'member', email: `n${n}@example.com` }));
  assert.equal(count(invited, 201), 6);
  const { data: others } = (await place.operator.get<{ data: object[] }>(`/operator/v1/organizations/${elsewhere.slug}/api-keys`)).body;
  assert.equal(others.length, 1);
});

test('where the public address is https, the cookie is the host’s alone and pages of that address alone may ask', async (t) => {
  const publicUrl = 'https://hooks.example.com';
  const place = await startTestServer('embedded', { DIALHOOK_PUBLIC_URL: publicUrl });
  t.after(() => place.stop());
  const { slug } = await place.organization();
  const link = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
  const panel = await PanelClient.connect(place.url);
  const redeem = (origin: string | undefined) =>
    panel.send<Problem | null>('POST', '/panel/links/redeem', { token: tokenOf(link) }, { origin });
  const host = new URL(place.url).host;
  for (const origin of ['http://hooks.example.com', 'ftp://hooks.example.com', `http://${host}`, `https://${host}`, 'null', undefined])
    assert.equal((await redeem(origin)).body?.code, 'forged_origin', String(origin));
  assert.equal((await redeem(publicUrl)).status, 204);
  assert.match(panel.setCookie, /^__Host-dialhook_session=[\w-]{43}; Path=\/; Secure; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
  assert.equal((await panel.get('/panel/me')).status, 200);
  const [, value] = /=([^;]+)/.exec(panel.setCookie)!;
  assert.equal((await (await PanelClient.connect(place.url, value)).get('/panel/me')).status, 401, 'the plain name is not taken');
});

test('only `dev` takes the local names of its own port', async (t) => {
  const place = await startTestServer('embedded');
  t.after(() => place.stop());
  const { port } = new URL(place.url);
  const ask = async (url: string, origin: string) => {
    const panel = await PanelClient.connect(url);
    return (await panel.send('DELETE', '/panel/session', undefined, { origin })).status;
  };
  const names = [`http://localhost:${port}`, `http://[::1]:${port}`];
  for (const origin of names) assert.equal(await ask(place.url, origin), 403);
  assert.equal(await ask(place.url, place.url), 204);
  await place.server.stop();
  const config = { ...loadConfig({ PORT: port, DIALHOOK_DATA_DIR: place.server.config.dataDir }), acceptsLocalNames: true };
  const dev = await startServer({ ...config, logLevel: 'fatal' });
  t.after(() => dev.stop());
  for (const origin of names) assert.equal(await ask(dev.url, origin), 204);
  for (const origin of [`https://localhost:${port}`, 'http://localhost:1', 'http://localhost', 'http://evil.example'])
    assert.equal(await ask(dev.url, origin), 403, origin);
});

test('a revoked key of a dialler ends within a second; others go on', async (t) => {
  const clock = new FakeClock();
  const place = await startTestServer('embedded', {}, () => ({ clock }));
  t.after(async () => {
    const stopped = place.stop();
    let isStopped = false;
    void stopped.then(() => (isStopped = true));
    await eventually('the node stops', () => (clock.advance(50), isStopped));
  });
  const [mine, other] = [await place.organization({ kind: 'outboundiq' }), await place.organization({ kind: 'outboundiq' })];
  const ask = async (api: ApiClient) => (await api.get('/dials')).status;
  assert.deepEqual([await ask(mine.api), await ask(other.api)], [200, 200]);
  const path = `/operator/v1/organizations/${mine.slug}/api-keys`;
  const { data } = (await place.operator.get<{ data: { id: string }[] }>(path)).body;
  await place.operator.send('DELETE', `${path}/${data[0]!.id}`);
  clock.advance(SESSION_LIMITS.keyTrustMs);
  assert.deepEqual([await ask(mine.api), await ask(other.api)], [401, 200]);
});
