import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { PanelClient, startTestServer, type TestServer } from '@dialhook/testing';
import { SESSION_LIMITS } from '../../accounts/session-limits.ts';

// The setting has nothing to do with the database: one kind is enough.
describe('behind a reverse proxy', () => {
  let place: TestServer;
  const account = { email: 'ana@example.com', name: 'Ana', password: 'correct horse battery' };
  before(async () => {
    place = await startTestServer('postgres', { DIALHOOK_TRUST_PROXY: '127.0.0.1, 10.0.0.0/8' });
    const { slug } = await place.organization();
    const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
    const owner = await PanelClient.connect(place.url);
    await owner.send('POST', '/panel/links/redeem', { token: body.url.slice(body.url.indexOf('#') + 1) });
    const path = `/panel/organizations/${slug}/invitations`;
    const { url } = (await owner.send<{ url: string }>('POST', path, { role: 'member', email: account.email })).body;
    const joiner = await PanelClient.connect(place.url);
    const joined = await joiner.send('POST', '/panel/links/redeem', { token: url.slice(url.indexOf('#') + 1), joining: account });
    assert.equal(joined.status, 204);
  });
  after(() => place.stop());

  const signIn = async (forwardedFor: string, email: string, password: string) => {
    const response = await fetch(`${place.url}/panel/session`, {
      method: 'POST',
      headers: { origin: place.url, 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
      body: JSON.stringify({ email, password }),
    });
    await response.arrayBuffer();
    return response.status;
  };

  test('many wrong passwords lock out their sender alone, whatever it claims to be', async () => {
    const guesser = '203.0.113.7';
    for (let n = 0; n < SESSION_LIMITS.failuresPerAddress; n++)
      assert.equal(await signIn(`198.51.100.${n}, ${guesser}, 10.1.2.3`, `nobody${n}@example.com`, 'wrong password'), 401);
    assert.equal(await signIn(guesser, 'another@example.com', 'wrong password'), 429);
    assert.equal(await signIn(`198.51.100.77, ${guesser}`, account.email, account.password), 429);
    assert.equal(await signIn('198.51.100.77', account.email, account.password), 204);
  });
});

test('from a proxy that is not trusted X-Forwarded-For counts for nothing', async (t) => {
  const place = await startTestServer('postgres', { DIALHOOK_TRUST_PROXY: '10.0.0.0/8' });
  t.after(() => place.stop());
  // What the server sees of a request's sender is what it counts guesses by.
  const guess = (forwardedFor: string, n: number) =>
    fetch(`${place.url}/panel/session`, {
      method: 'POST',
      headers: { origin: place.url, 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
      body: JSON.stringify({ email: `nobody${n}@example.com`, password: 'wrong password' }),
    });
  for (let n = 0; n < 3; n++) assert.equal((await guess(`203.0.113.${n}`, n)).status, 401);
  const rows = await place.server.database.query<{ count: number }>({
    text: 'select count(*) as count from sign_in_failures group by subject order by 1 desc limit 1',
  });
  assert.deepEqual(rows, [{ count: 3 }]);
});
