import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, hashOf, insertRow, World, WORLD_NOW, type TestDatabase } from '@dialhook/testing';
import { countGuess, takeBackGuess } from './guesses.ts';
import {
  deleteSession,
  deleteSessions,
  findMembership,
  findSession,
  insertSession,
  isSession,
  listMemberships,
  sessionsOfMembers,
  sweepSessions,
  touchSession,
} from './sessions.ts';
import {
  countInvitationsLocked,
  deleteInvitation,
  deleteInvitationsBy,
  deleteInvitationsFor,
  deleteLinks,
  findLink,
  insertLink,
  listInvitations,
  renewInvitation,
  takeLink,
} from './sign-in-links.ts';
import { confirmEmail, findPassword, findPasswordOf, findPendingEmail, setFirstEmail, setPendingEmail, updateUser } from './users.ts';

const at = (ms: number) => new Date(WORLD_NOW + ms);
const NOW = at(0);
const LATER = at(60_000);
const EXPIRY = at(3_600_000);
const NEW_ID = '00000000-0000-7000-8000-0000000000ff';
const hex = (text: string) => `\\x${hashOf(text).toString('hex')}`;
const linkOf = (id: string | undefined) => `sign_in_links ${hex(`link ${id}`)}`;

for (const kind of DATABASE_KINDS) {
  describe(`signing in, in the ${kind} database`, () => {
    let place: TestDatabase;
    let world: World;
    before(async () => {
      place = await freshDatabase(kind);
      world = await World.make(place.database);
    });
    after(() => place.close());

    test('a session begins for one user, while the password is the one that was checked', () =>
      world.trial(async ({ mine, rows, tx }) => {
        const session = { id: NEW_ID, hash: hashOf('new'), userId: mine.member, userAgent: 'b', now: LATER };
        assert.equal(await insertSession(tx, { ...session, passwordHash: 'former' }), false);
        assert.equal(await insertSession(tx, { ...session, userId: NEW_ID, passwordHash: null }), false);
        assert.deepEqual(await rows.changes(), {});
        assert.equal(await insertSession(tx, { ...session, passwordHash: 'hash' }), true);
        const times = { created_at: LATER.toISOString(), last_seen_at: LATER.toISOString() };
        assert.deepEqual(await rows.changes(), {
          [`sessions ${NEW_ID}`]: { id: NEW_ID, hash: hex('new'), user_id: mine.member, user_agent: 'b', ...times },
        });
        await deleteSession(tx, hashOf('new'));
        assert.equal(await insertSession(tx, { ...session, passwordHash: null }), true, 'without a password to check');
      }));

    test('a session is found by its hash while it is neither idle nor old', () =>
      world.trial(async ({ mine, tx }) => {
        const id = await mine.add('sessions', { user_id: mine.member, created_at: at(-50), last_seen_at: at(-5), hash: hashOf('s') });
        await updateUser(tx, mine.member, { name: 'Member' });
        await setPendingEmail(tx, mine.member, 'next@example.com');
        const find = (seen: number, created: number, text = 's') => findSession(tx, hashOf(text), at(seen), at(created));
        const user = {
          userId: mine.member,
          email: 'member@mine.example',
          pendingEmail: 'next@example.com',
          name: 'Member',
          hasPassword: true,
        };
        assert.deepEqual(await find(-6, -51), { sessionId: id, ...user, lastSeenAt: at(-5) });
        assert.deepEqual([await find(-5, -51), await find(-6, -50), await find(-6, -51, 'other')], [null, null, null]);
      }));

    test('of some sessions those of an organization’s members are told, while they last', () =>
      world.trial(async ({ mine, other, tx }) => {
        const session = (userId: string, created = -50, seen = -5) =>
          mine.add('sessions', { user_id: userId, created_at: at(created), last_seen_at: at(seen) });
        const [owner, member, stranger] = [await session(mine.owner), await session(mine.member), await session(other.owner)];
        const [old, idle, unasked] = [await session(mine.owner, -51), await session(mine.owner, -50, -6), await session(mine.owner)];
        const asked = [owner, member, stranger, old, idle];
        const of = (organizationId: string) => sessionsOfMembers(tx, organizationId, asked, at(-6), at(-51));
        assert.deepEqual(await of(mine.organizationId), new Set([owner, member]));
        assert.deepEqual(await of(other.organizationId), new Set([stranger]));
        assert.ok(unasked);
      }));

    test('a session is touched and ended by itself, and all of a user’s but one', () =>
      world.trial(async ({ mine, rows, tx }) => {
        const first = mine.first.sessions!;
        const [second, third] = [await mine.add('sessions'), await mine.add('sessions')];
        await mine.add('sessions', { user_id: mine.member });
        await rows.changes();
        await touchSession(tx, first, LATER);
        assert.deepEqual(await rows.changes(), { [`sessions ${first}`]: { last_seen_at: LATER.toISOString() } });
        assert.deepEqual([await isSession(tx, first), await isSession(tx, NEW_ID)], [true, false]);
        await deleteSession(tx, hashOf(`session ${first}`));
        assert.deepEqual(await rows.changes(), { [`sessions ${first}`]: null });
        const fourth = await mine.add('sessions');
        await rows.changes();
        assert.equal(await deleteSessions(tx, mine.owner, second), 2);
        assert.deepEqual(await rows.changes(), { [`sessions ${third}`]: null, [`sessions ${fourth}`]: null });
        assert.equal(await deleteSessions(tx, mine.owner, null), 1);
        assert.deepEqual(await rows.changes(), { [`sessions ${second}`]: null });
      }));

    test('what is over is removed: idle and old sessions, old guesses, and links that ended', () =>
      world.trial(async ({ mine, rows, tx }) => {
        const idle = await mine.add('sessions', { created_at: at(-9), last_seen_at: at(-5) });
        const old = await mine.add('sessions', { created_at: at(-10), last_seen_at: at(-4) });
        await mine.add('sessions', { created_at: at(-9), last_seen_at: at(-4) });
        await mine.add('sign_in_failures', { at: at(-3), subject: 'old' });
        await mine.add('sign_in_failures', { at: at(-2), subject: 'young' });
        const ended = await mine.add('sign_in_links', { expires_at: NOW });
        await mine.add('sign_in_links', { expires_at: at(1) });
        await rows.changes();
        const guess = rows.of('sign_in_failures').find(({ subject }) => subject === 'old')!;
        await sweepSessions(tx, at(-5), at(-10), at(-3), NOW);
        const gone = [`sessions ${idle}`, `sessions ${old}`, `sign_in_failures ${String(guess.id)}`, linkOf(ended)];
        assert.deepEqual(await rows.changes(), Object.fromEntries(gone.map((key) => [key, null])));
      }));

    test('a user’s memberships are listed by name and then slug, and one is found by its slug', () =>
      world.trial(async ({ mine, other, tx }) => {
        const row = { organization_id: mine.organizationId, user_id: other.owner, role: 'member', created_at: NOW };
        await insertRow(tx, 'memberships', row);
        const place = { name: 'Acme', plan: 'list_processing', credits: 100 };
        const both = [
          { organizationId: mine.organizationId, slug: 'mine', ...place, role: 'member' },
          { organizationId: other.organizationId, slug: 'other', ...place, role: 'owner' },
        ];
        assert.deepEqual(await listMemberships(tx, other.owner), both, 'by slug where names are alike');
        await tx.query({ text: `update organizations set name = 'Zed' where slug = 'mine'` });
        assert.deepEqual(
          (await listMemberships(tx, other.owner)).map(({ slug }) => slug),
          ['other', 'mine'],
        );
        assert.deepEqual(await findMembership(tx, other.owner, 'other'), both[1]);
        assert.deepEqual(await findMembership(tx, other.owner, 'mine'), { ...both[0], name: 'Zed' });
        assert.equal(await findMembership(tx, mine.owner, 'other'), null);
      }));

    test('a link is stored as it was made, looked at and taken once, before it ends', () =>
      world.trial(async ({ mine, rows, tx }) => {
        const link = {
          userId: mine.member,
          organizationId: mine.organizationId,
          role: 'owner',
          email: 'e@example.com',
          madeBy: mine.owner,
          byOperator: true,
        } as const;
        await insertLink(tx, { ...link, id: NEW_ID, hash: hashOf('new'), now: NOW, expiresAt: LATER });
        const { [`sign_in_links ${hex('new')}`]: stored, ...rest } = await rows.changes();
        assert.deepEqual(rest, {});
        assert.deepEqual(stored, {
          id: NEW_ID,
          hash: hex('new'),
          user_id: mine.member,
          organization_id: mine.organizationId,
          role: 'owner',
          email: 'e@example.com',
          made_by: mine.owner,
          by_operator: true,
          created_at: NOW.toISOString(),
          expires_at: LATER.toISOString(),
        });
        const missing = [
          await findLink(tx, hashOf('new'), LATER),
          await takeLink(tx, hashOf('new'), LATER),
          await findLink(tx, hashOf('x'), NOW),
        ];
        assert.deepEqual(missing, [null, null, null]);
        assert.deepEqual(await rows.changes(), {});
        assert.deepEqual(await findLink(tx, hashOf('new'), at(59_999)), link);
        assert.deepEqual(await takeLink(tx, hashOf('new'), at(59_999)), link);
        assert.deepEqual(await rows.changes(), { [`sign_in_links ${hex('new')}`]: null });
        assert.equal(await takeLink(tx, hashOf('new'), NOW), null);
      }));

    test('open invitations of an organization are listed newest first and counted; a link that signs in is none', () =>
      world.trial(async ({ mine, other, tx }) => {
        const operator = { made_by: null, by_operator: true };
        const [young, old] = [
          await mine.add('sign_in_links', { created_at: at(1) }),
          await mine.add('sign_in_links', { ...operator, created_at: at(-1) }),
        ];
        await mine.add('sign_in_links', { expires_at: LATER });
        await mine.add('sign_in_links', { made_by: null }); // of an older version
        await other.add('sign_in_links');
        const first = mine.first.sign_in_links!;
        const open = await listInvitations(tx, mine.organizationId, LATER);
        assert.deepEqual(
          open.map(({ id }) => id),
          [young, first, old],
        );
        const invitation = { email: 'guest@example.com', role: 'member', expiresAt: EXPIRY };
        assert.deepEqual(open[1], { id: first, ...invitation, madeBy: mine.owner, createdAt: NOW });
        assert.equal(open[2]!.madeBy, null);
        assert.equal(await countInvitationsLocked(tx, mine.organizationId, LATER), 4);
        const alike = await mine.add('sign_in_links');
        assert.deepEqual(
          (await listInvitations(tx, mine.organizationId, LATER)).map(({ id }) => id),
          [young, first, alike, old],
        );
      }));

    test('an open invitation gets another link from its organization, and no other one does', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const [id, ended] = [mine.first.sign_in_links!, await mine.add('sign_in_links', { expires_at: LATER })];
        await rows.changes();
        const renew = (organizationId: string, which: string, madeBy: string | null, text: string) =>
          renewInvitation(tx, organizationId, which, { hash: hashOf(text), madeBy, now: LATER, expiresAt: at(9_000_000) });
        assert.deepEqual(
          [await renew(other.organizationId, id, null, 'a'), await renew(mine.organizationId, ended, null, 'b')],
          [null, null],
        );
        assert.deepEqual(await rows.changes(), {});
        const before = rows.of('sign_in_links').find((row) => row.id === id);
        const renewed = await renew(mine.organizationId, id, null, 'c');
        const times = { createdAt: NOW, expiresAt: at(9_000_000) };
        assert.deepEqual(renewed, { id, email: 'guest@example.com', role: 'member', madeBy: null, ...times });
        const changed = { hash: hex('c'), expires_at: at(9_000_000).toISOString(), made_by: null, by_operator: true };
        assert.deepEqual(await rows.changes(), { [linkOf(id)]: null, [`sign_in_links ${hex('c')}`]: { ...before, ...changed } });
        await renew(mine.organizationId, id, mine.member, 'd');
        const again = (await rows.changes())[`sign_in_links ${hex('d')}`]!;
        assert.deepEqual([again.made_by, again.by_operator], [mine.member, false]);
      }));

    test('links end by id, by maker, by address or by user, in one organization alone', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const id = mine.first.sign_in_links!;
        assert.equal(await deleteInvitation(tx, other.organizationId, id), false);
        assert.deepEqual(await rows.changes(), {});
        assert.equal(await deleteInvitation(tx, mine.organizationId, id), true);
        assert.deepEqual(await rows.changes(), { [linkOf(id)]: null });

        const link = async (more: object) => linkOf(await mine.add('sign_in_links', { ...more }));
        const gone = async (...keys: string[]) =>
          assert.deepEqual(await rows.changes(), Object.fromEntries(keys.map((key) => [key, null])));
        const own = await link({});
        await link({ made_by: mine.member, email: 'another@example.com' });
        await link({ made_by: mine.owner, organization_id: other.organizationId });
        await rows.changes();
        await deleteInvitationsBy(tx, mine.organizationId, mine.owner);
        await gone(own);
        const spelled = await link({ email: 'Guest@Example.com' });
        await rows.changes();
        await deleteInvitationsFor(tx, mine.organizationId, 'gUEST@example.com');
        await gone(spelled);
        const signsIn = { organization_id: null, made_by: null, email: null };
        const keys = [await link({ ...signsIn, user_id: mine.owner }), await link({ ...signsIn, user_id: mine.owner })];
        await link({ ...signsIn, user_id: mine.member });
        await rows.changes();
        await deleteLinks(tx, mine.owner);
        await gone(...keys);
      }));

    test('a user’s address, name and password are read and changed, and nobody else’s', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        await updateUser(tx, mine.member, { passwordHash: 'mine' });
        assert.deepEqual(await rows.changes(), { [`users ${mine.member}`]: { password_hash: 'mine' } });
        await updateUser(tx, mine.member, { name: 'Bo' });
        assert.deepEqual(await rows.changes(), { [`users ${mine.member}`]: { name: 'Bo' } });
        assert.deepEqual(await findPassword(tx, 'Member@Mine.example'), { userId: mine.member, hash: 'mine' });
        assert.equal(await findPassword(tx, 'nobody@mine.example'), null);
        assert.deepEqual([await findPasswordOf(tx, mine.member), await findPasswordOf(tx, mine.owner, true)], ['mine', 'hash']);
        assert.equal(await findPasswordOf(tx, NEW_ID), null);

        await setPendingEmail(tx, mine.member, 'next@example.com');
        assert.deepEqual(await rows.changes(), { [`users ${mine.member}`]: { pending_email: 'next@example.com' } });
        await setPendingEmail(tx, other.member, 'next@example.com');
        await rows.changes();
        assert.deepEqual([await findPendingEmail(tx, mine.member), await findPendingEmail(tx, mine.owner)], ['next@example.com', null]);
        assert.equal(await confirmEmail(tx, mine.member, 'former@example.com'), false);
        assert.deepEqual(await rows.changes(), {});
        assert.equal(await confirmEmail(tx, mine.member, 'next@example.com'), true);
        assert.deepEqual(await rows.changes(), { [`users ${mine.member}`]: { email: 'next@example.com', pending_email: null } });
      }));

    test('the first address is given at once while nobody has one or waits for one', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const forget = (...ids: string[]) => tx.query({ text: 'update users set email = null where id = any ($1)', values: [ids] });
        await forget(mine.owner, mine.member, other.owner);
        await rows.changes();
        assert.equal(await setFirstEmail(tx, mine.owner, 'first@example.com'), false, 'somebody has one');
        await forget(other.member);
        await setPendingEmail(tx, other.member, 'pending@example.com');
        await rows.changes();
        assert.equal(await setFirstEmail(tx, mine.owner, 'first@example.com'), false, 'somebody waits for one');
        await setPendingEmail(tx, other.member, null);
        await rows.changes();
        assert.equal(await setFirstEmail(tx, mine.owner, 'first@example.com'), true);
        assert.deepEqual(await rows.changes(), { [`users ${mine.owner}`]: { email: 'first@example.com' } });
        assert.equal(await setFirstEmail(tx, mine.owner, 'second@example.com'), false);
        assert.deepEqual(await rows.changes(), {});
      }));

    test('guesses are counted for each subject in the window, none when one has had all, and taken back by attempt', () =>
      world.trial(async ({ rows, tx }) => {
        const [first, second] = ['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002'];
        const guess = (attempt: string, subjects: Record<string, number>, now = LATER) =>
          countGuess(
            tx,
            attempt,
            Object.entries(subjects).map(([subject, most]) => ({ subject, most })),
            NOW,
            now,
          );
        assert.equal(await guess(first, { mine: 1, address: 9 }), true, 'the one of the world is too old to count');
        const counted = Object.values(await rows.changes()).map((row) => [row!.subject, row!.at, row!.attempt].join());
        assert.deepEqual(
          counted.sort(),
          ['address', 'mine'].map((subject) => [subject, LATER.toISOString(), first].join()),
        );
        assert.equal(await guess(second, { address: 9, mine: 1 }), false, 'it has had its one guess');
        assert.equal(await guess(second, { other: 2, address: 1 }), false);
        assert.deepEqual(await rows.changes(), {});
        assert.equal(await guess(second, { other: 1, address: 2 }), true);
        assert.equal(await guess(second, { another: 1 }), true);
        await rows.changes();
        const ids = rows.of('sign_in_failures').filter(({ attempt, subject }) => attempt === second && subject !== 'another');
        await takeBackGuess(tx, second, [
          { subject: 'other', most: 1 },
          { subject: 'address', most: 2 },
        ]);
        assert.equal(ids.length, 2);
        assert.deepEqual(await rows.changes(), Object.fromEntries(ids.map(({ id }) => [`sign_in_failures ${String(id)}`, null])));
      }));
  });
}
