import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { PanelClient, startTestServer, type TestServer } from '@dialhook/testing';
import { HTTP_LIMITS } from '../limits.ts';

type Following = Awaited<ReturnType<PanelClient['follow']>>;

/** Pages that follow the delivery log: how many there may be, and who gives way. */
describe('pages that follow their deliveries', () => {
  let place: TestServer;
  before(async () => {
    place = await startTestServer('postgres');
  });
  after(() => place.stop());

  const tailOf = (slug: string) => `/panel/organizations/${slug}/deliveries/tail`;
  const session = async (slug: string) => {
    const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
    const panel = await PanelClient.connect(place.url);
    assert.equal((await panel.send('POST', '/panel/links/redeem', { token: body.url.split('#')[1] })).status, 204);
    return panel;
  };
  const follow = async (panel: PanelClient, slug: string) => {
    const tail = await panel.follow(tailOf(slug));
    await tail.until(/: following/);
    return tail;
  };
  const happen = async (slug: string) => {
    await place.operator.send('POST', `/operator/v1/organizations/${slug}/endpoints`, { dialect: 'standard', url: 'http://127.0.0.1:9/' });
    await place.operator.send('POST', '/operator/v1/events', { organization: slug, type: 'call.ended', data: { n: 1 } });
  };

  test("one more than a session may have ends its oldest, which is told so; other sessions' and other organizations' go on", async () => {
    const [mine, other] = [await place.organization(), await place.organization()];
    const [panel, colleague, stranger] = [await session(mine.slug), await session(mine.slug), await session(other.slug)];
    const bystanders = [await follow(colleague, mine.slug), await follow(stranger, other.slug)];
    const own: Following[] = [];
    for (let n = 0; n < HTTP_LIMITS.streamsOfSession; n++) own.push(await follow(panel, mine.slug));
    const latest = await follow(panel, mine.slug);
    const [oldest, ...rest] = own;
    await oldest!.until(/event: replaced\n/);
    await assert.rejects(oldest!.until(/never/), /The events ended/);
    await Promise.all([happen(mine.slug), happen(other.slug)]);
    for (const tail of [...rest, latest, ...bystanders]) {
      const text = await tail.until(/event: new\ndata: \{"count":1\}/);
      assert.doesNotMatch(text, /replaced/);
      tail.close();
    }
  });

  test('a page ends when its session does, or its user is removed; those of others go on', async () => {
    const [mine, other] = [await place.organization(), await place.organization()];
    const path = `/operator/v1/organizations/${mine.slug}/members`;
    const { body: added } = await place.operator.send<{ user_id: string }>('POST', path, { email: 'tail@example.com', role: 'member' });
    const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${mine.slug}/sign-in-links`, {
      user_id: added.user_id,
    });
    const member = await PanelClient.connect(place.url);
    await member.send('POST', '/panel/links/redeem', { token: body.url.split('#')[1] });
    const [leaver, colleague, stranger] = [await session(mine.slug), await session(mine.slug), await session(other.slug)];
    const [removed, left] = [await follow(member, mine.slug), await follow(leaver, mine.slug)];
    const bystanders = [await follow(colleague, mine.slug), await follow(stranger, other.slug)];
    await place.operator.send('DELETE', `${path}/${added.user_id}`);
    await leaver.send('DELETE', '/panel/session');
    await Promise.all([removed, left].map((tail) => assert.rejects(tail.until(/never/), /The events ended/)));
    for (const tail of bystanders) {
      const looks = (await tail.until(/: following/)).split('\n\n').length;
      await tail.until(new RegExp(`(?:[^]*?\\n\\n){${looks + 2}}`));
      tail.close();
    }
  });

  test('an organization has its share, whose end no other organization feels', async () => {
    const [mine, other] = [await place.organization(), await place.organization()];
    const open: Following[] = [];
    const sessions = Math.ceil(HTTP_LIMITS.streamsOfOrganization / HTTP_LIMITS.streamsOfSession);
    let last: PanelClient | undefined;
    for (let n = 0; n < sessions; n++) {
      last = await session(mine.slug);
      for (let own = 0; own < HTTP_LIMITS.streamsOfSession; own++) open.push(await follow(last, mine.slug));
    }
    const late = await session(mine.slug);
    const refused = await late.get<{ code: string }>(tailOf(mine.slug));
    assert.deepEqual([refused.status, refused.body.code], [503, 'streams_full']);
    open.push(await follow(last!, mine.slug)); // its own oldest gives way
    const bystander = await follow(await session(other.slug), other.slug);
    await happen(other.slug);
    await bystander.until(/event: new/);
    bystander.close();
    open.pop()!.close();
    for (const tail of open) tail.close();
  });
});
