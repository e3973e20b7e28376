import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { eventually, Receiver, startTestServer, type TestServer } from '@dialhook/testing';
import { bodyOf, fill, surfaceOf, watchRoutes, type Description, type Route, type Surface } from './routes.fixture.ts';
import { KEY_KINDS, makeParty, makeThings, MARK, type Party, type Things } from './victim.fixture.ts';

/**
 * Every route that is registered, with every credential that has no business there, and with the ids of another organization. Nobody reads
 * or changes what is another's. A new route is in this by itself.
 */

interface Credential {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The surface where it is somebody's own: there only another organization's things are asked for. */
  readonly home: Surface | null;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly sent: string;
}

/** What anybody may call: with a credential it is no different. */
const PUBLIC = new Set([
  'GET /panel/session/challenge',
  'POST /panel/session',
  'DELETE /panel/session',
  'POST /panel/links/look',
  'POST /panel/links/redeem',
]);
/** Would end the session that the control goes on with. */
const ENDS_SESSION = new Set(['DELETE /panel/sessions']);
/** Lists and pages in which nothing names their organization: numbers, streams, and what was not made here. */
const TELLS_NOBODY = new Set([
  'GET /panel/organizations/:slug/deliveries/tail',
  'GET /panel/organizations/:slug/overview',
  ...['panel', 'operator/v1'].flatMap((at) => [
    `GET /${at}/organizations/:slug/retention`,
    `GET /${at}/organizations/:slug/uncleaned-dials`,
  ]),
]);
/** Tables that the server writes by itself some time after something happened. */
const LATER = new Set(['endpoint_hours']);
/** Tables that hold what is not finished; the victim is at rest when they are empty. */
const UNFINISHED = ['dial_inbox', 'dial_gathered', 'deliveries', 'fan_outs'];
const AT_ONCE = 8;

const description = JSON.parse(readFileSync(new URL('../../../../../openapi.json', import.meta.url), 'utf8')) as Description;
const nameOf = ({ method, url }: Route) => `${method} ${url}`;

describe('every route with every foreign credential', () => {
  let place: TestServer;
  let receiver: Receiver;
  let routes: Route[];
  let stranger: Party;
  let victim: Party;
  let things: Things;
  let panelThings: Things;
  let tokens: string[];
  /** What strangers were answered in their own place, by route: the right credential must get something else. */
  const refused = new Map<string, number[]>();

  before(async () => {
    const registered = watchRoutes();
    place = await startTestServer('postgres');
    const unique = new Map(registered().map((route) => [`${route.method} ${route.url}`, route]));
    routes = [...unique.values()].map(({ method, url }) => ({
      method,
      url,
      surface: surfaceOf(url),
      described: description.paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()],
    }));
    receiver = await Receiver.start();
    [stranger, victim] = [await makeParty(place, 'stranger'), await makeParty(place, MARK)];
    things = await makeThings(place, receiver, victim, 0);
    panelThings = await makeThings(place, receiver, victim, 1);
    tokens = [MARK, victim.id, victim.slug, ...Object.values(things.ids), ...Object.values(panelThings.ids)];
  });
  after(async () => {
    await receiver.stop();
    await place.stop();
  });

  async function send(route: Route, credential: Credential, slug: string, its: Things): Promise<Answer> {
    const { path } = fill(route, its, slug);
    const { body } = bodyOf(route, its, description);
    const isForm = body instanceof FormData;
    const response = await fetch(place.url + path, {
      method: route.method,
      redirect: 'manual',
      headers: {
        ...credential.headers,
        ...(route.surface === 'panel' && { origin: place.url }),
        ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    } as RequestInit);
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (isStream) await response.body?.cancel();
    return {
      status: response.status,
      text: isStream ? '' : await response.text(),
      sent: path + (isForm ? '' : (JSON.stringify(body) ?? '')),
    };
  }

  /** What an answer tells of the victim that was not in the question. */
  const leaks = ({ sent, text }: Answer) => tokens.filter((token) => text.includes(token) && !sent.includes(token));

  /** Everything that is the victim's in the database; when something was used last is its holder's doing. */
  async function state(): Promise<Record<string, string>> {
    const { database } = place.server;
    const names = await database.query<{ name: string }>({
      text: `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
              where c.relkind in ('r', 'p') and not c.relispartition and a.attname = 'organization_id' and pg_table_is_visible(c.oid)`,
    });
    const rows: Record<string, string> = {};
    for (const { name } of names) {
      if (LATER.has(name)) continue;
      const [row] = await database.query<{ text: string | null }>({
        text: `select string_agg(line, chr(10) order by line) as text from (select (to_jsonb(t) - 'last_used_at' - 'last_seen_at')::text as line from ${name} t where organization_id = $1) s`,
        values: [victim.id],
      });
      rows[name] = row!.text ?? '';
    }
    return rows;
  }
  const changes = (before: Record<string, string>, now: Record<string, string>) =>
    Object.keys(now).filter((name) => now[name] !== before[name]);
  const settled = async () => {
    let before = await state();
    return eventually('the victim is at rest', async () => {
      const now = await state();
      const isAtRest = changes(before, now).length === 0 && UNFINISHED.every((table) => now[table] === '');
      before = now;
      return isAtRest && now;
    });
  };

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const foreignCredentials = (): Credential[] => [
    { name: 'nothing', headers: {}, home: null },
    {
      name: 'a made-up token',
      headers: { ...bearer('od_live_0123456789abcdef0123456789abcdef'), cookie: `dialhook_session=${'x'.repeat(43)}` },
      home: null,
    },
    ...KEY_KINDS.map((kind) => ({ name: `a stranger's ${kind} key`, headers: bearer(stranger.keys[kind]), home: kind })),
    { name: "a stranger's owner", headers: { cookie: stranger.owner }, home: 'panel' as const },
    { name: "a stranger's member", headers: { cookie: stranger.member }, home: 'panel' as const },
    { name: 'the operator, elsewhere', headers: bearer('operator-token-for-tests'), home: 'operator' as const },
  ];
  /** The victim's own credentials belong on one surface and on no other. */
  const misplaced = (): Credential[] => [
    ...KEY_KINDS.map((kind) => ({ name: `the victim's ${kind} key`, headers: bearer(victim.keys[kind]), home: kind })),
    { name: "the victim's owner", headers: { cookie: victim.owner }, home: 'panel' as const },
  ];

  async function inTurns(work: readonly (() => Promise<string | null>)[]): Promise<string[]> {
    const found: string[] = [];
    const next = work.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const one of next) {
          const wrong = await one();
          if (wrong !== null) found.push(wrong);
        }
      }),
    );
    return found.sort();
  }

  async function attack(route: Route, credential: Credential, slug: string, mustFail: boolean): Promise<string | null> {
    const answer = await send(route, credential, slug, things);
    if (credential.home === route.surface) refused.set(nameOf(route), [...(refused.get(nameOf(route)) ?? []), answer.status]);
    const seen = leaks(answer);
    const isWrong = answer.status >= 500 || answer.status === 429 || seen.length > 0 || (mustFail && answer.status < 400);
    return isWrong
      ? `${credential.name}: ${nameOf(route)} answered ${answer.status}, ${seen.join(' ')}: ${answer.text.slice(0, 200)}`
      : null;
  }

  test('every route is known here', () => {
    assert.ok(routes.length > 200, `${routes.length} routes`);
    for (const route of routes) fill(route, things, victim.slug); // throws for a parameter of which nobody said how it is made
  });

  test('nobody reads, changes or learns of what is another organization’s', async () => {
    const before = await settled();
    for (const credential of foreignCredentials()) {
      const work = routes.flatMap((route) => {
        if (route.surface === 'system') return [() => attack(route, credential, victim.slug, false)];
        if (PUBLIC.has(nameOf(route))) return [];
        const isHome = credential.home === route.surface;
        if (!isHome) return [() => attack(route, credential, victim.slug, true)];
        const { namesThing } = fill(route, things, stranger.slug);
        const { names } = bodyOf(route, things, description);
        const variants: (() => Promise<string | null>)[] = [];
        // In the stranger's own place, with the victim's things. The operator may list everybody's.
        if (namesThing || names || (route.method === 'GET' && credential.home !== 'operator'))
          variants.push(() => attack(route, credential, stranger.slug, namesThing));
        if (route.surface === 'panel' && route.url.includes(':slug')) variants.push(() => attack(route, credential, victim.slug, true));
        return variants;
      });
      assert.deepEqual(await inTurns(work), []);
      assert.deepEqual(changes(before, await state()), [], `${credential.name} changed something`);
    }
  });

  test('a key and a session of the organization itself work on their own surface alone', async () => {
    const before = await settled();
    for (const credential of misplaced()) {
      const work = routes
        .filter((route) => route.surface !== credential.home && route.surface !== 'system' && !PUBLIC.has(nameOf(route)))
        .map((route) => () => attack(route, credential, victim.slug, true));
      assert.deepEqual(await inTurns(work), []);
      assert.deepEqual(changes(before, await state()), [], `${credential.name} changed something`);
    }
  });

  test('the control: the same questions with the right credentials are answered, and what they tell or change is seen', async () => {
    const right: Partial<Record<Surface, Credential>> = {
      panel: { name: 'owner', headers: { cookie: victim.owner }, home: 'panel' },
      operator: { name: 'operator', headers: bearer('operator-token-for-tests'), home: 'operator' },
    };
    for (const kind of KEY_KINDS) right[kind] = { name: kind, headers: bearer(victim.keys[kind]), home: kind };
    const before = await settled();
    const depth = ({ url }: Route) => url.split('/').length;
    const order = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
    // What belongs to something goes before it.
    const own = routes
      .filter((route) => route.described !== undefined && route.surface !== 'system' && !PUBLIC.has(nameOf(route)))
      .filter((route) => !ENDS_SESSION.has(nameOf(route)))
      .sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method) || depth(b) - depth(a));
    const unseen: string[] = [];
    const blind: string[] = [];
    for (const route of own) {
      const its = route.surface === 'panel' ? panelThings : things;
      const { namesThing } = fill(route, its, victim.slug);
      if (route.method === 'DELETE' && route.described?.requestBody !== undefined) {
        // Rows that a company names itself are the same on both surfaces: the other one may have deleted it.
        const add = own.find(({ method, url }) => method === 'POST' && url === route.url)!;
        await send(add, right[route.surface]!, victim.slug, its);
      }
      const answer = await send(route, right[route.surface]!, victim.slug, its);
      const what = `${nameOf(route)}: ${answer.status} ${answer.text.slice(0, 150)}`;
      // What names a thing is told from its absence by the status; what lists, by what stands in it.
      if (route.method === 'GET' && !namesThing && leaks(answer).length === 0 && !TELLS_NOBODY.has(nameOf(route))) unseen.push(what);
      const refusals = refused.get(nameOf(route)) ?? [401];
      if (answer.status >= 400 && refusals.includes(answer.status)) blind.push(`${what} (strangers: ${refusals.join(', ')})`);
    }
    assert.deepEqual({ unseen, blind }, { unseen: [], blind: [] });
    const changed = changes(before, await state());
    for (const table of ['endpoints', 'campaigns', 'workflows', 'uploads', 'memberships', 'api_keys', 'dial_campaigns', 'retentions'])
      assert.ok(changed.includes(table), `${table} was changed, and is not seen among ${changed.join(', ')}`);
  });
});
