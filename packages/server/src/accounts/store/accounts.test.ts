import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, hashOf, idAt, World, WORLD_NOW, type TestDatabase } from '@dialhook/testing';
import { AccountError, type Role } from '../model.ts';
import { countApiKeysLocked, findCaller, insertApiKey, listApiKeys, lockApiKey, revokeApiKey } from './api-keys.ts';
import { countWrites, insertWrite, sweepWrites } from './api-writes.ts';
import { countCall, sweepCallWindows } from './call-windows.ts';
import {
  changeCredits,
  countOrganizations,
  deleteMember,
  endOwnership,
  findOrganization,
  findOwnerWithoutPassword,
  insertMember,
  insertOrganization,
  insertUser,
  listMembers,
  listOrganizations,
  lockOwner,
  organizationIds,
  organizationName,
  organizationSlugs,
  removeCreditEntries,
  setRole,
  updateOrganization,
} from './organizations.ts';

const at = (ms: number) => new Date(WORLD_NOW + ms);
const NOW = at(0);
const LATER = at(60_000);
const NEW_ID = '00000000-0000-7000-8000-0000000000ff';
const NEW_USER = '00000000-0000-7000-8000-0000000000fe';

for (const kind of DATABASE_KINDS) {
  describe(`accounts in the ${kind} database`, () => {
    let place: TestDatabase;
    let world: World;
    before(async () => {
      place = await freshDatabase(kind);
      world = await World.make(place.database);
    });
    after(() => place.close());

    test('a key is stored as it was made, found by its hash while it works, and its use is noted once a minute', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const expiresAt = at(1);
        const key = { organizationId: mine.organizationId, userId: mine.member, kind: 'dialnexa', name: 'n', prefix: 'key_' } as const;
        const stored = await insertApiKey(tx, { ...key, id: NEW_ID, expiresAt, createdAt: LATER, hash: hashOf('new') });
        assert.deepEqual(stored, { ...key, id: NEW_ID, expiresAt, createdAt: LATER, lastUsedAt: null, revokedAt: null });
        const ids = { id: NEW_ID, organization_id: mine.organizationId, user_id: mine.member };
        const hash = `\\x${hashOf('new').toString('hex')}`;
        const times = { expires_at: expiresAt.toISOString(), last_used_at: null, revoked_at: null, created_at: LATER.toISOString() };
        assert.deepEqual(await rows.changes(), {
          [`api_keys ${NEW_ID}`]: { ...ids, kind: 'dialnexa', name: 'n', prefix: 'key_', hash, ...times },
        });

        const known = {
          keyId: NEW_ID,
          organizationId: mine.organizationId,
          userId: mine.member,
          kind: 'dialnexa',
          plan: 'list_processing',
        };
        const used = async (time: Date, text = 'new') => [await findCaller(tx, hashOf(text), time), await rows.changes()];
        const noted = (time: Date, id = NEW_ID) => ({ [`api_keys ${id}`]: { last_used_at: time.toISOString() } });
        assert.deepEqual(await used(at(-120_000)), [known, noted(at(-120_000))]);
        assert.deepEqual(await used(at(-60_000)), [known, {}], 'a minute is not over');
        assert.deepEqual(await used(at(-59_999)), [known, noted(at(-59_999))]);
        assert.deepEqual(await used(at(1)), [null, {}], 'expired');
        assert.deepEqual(await used(NOW, 'unknown'), [null, {}]);
        const text = `key ${other.first.api_keys}`;
        const neighbor = {
          keyId: other.first.api_keys,
          organizationId: other.organizationId,
          userId: other.owner,
          kind: 'optimaldial',
          plan: 'list_processing',
        };
        assert.deepEqual(await used(LATER, text), [neighbor, noted(LATER, other.first.api_keys)]);
        await revokeApiKey(tx, other.organizationId, other.first.api_keys!, LATER);
        await rows.changes();
        assert.deepEqual(await used(at(200_000), text), [null, {}], 'revoked');
      }));

    test('an organization’s keys that work are counted, all are listed with those first, and one is revoked', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const [expired, revoked] = [await mine.add('api_keys', { expires_at: NOW }), await mine.add('api_keys', { revoked_at: NOW })];
        const [young, old] = [await mine.add('api_keys', { expires_at: at(1) }), mine.first.api_keys!];
        await other.add('api_keys');
        await other.add('api_keys');
        await rows.changes();
        assert.equal(await countApiKeysLocked(tx, mine.organizationId, NOW), 2);
        assert.deepEqual(
          (await listApiKeys(tx, mine.organizationId)).map(({ id }) => id),
          [young, expired, old, revoked],
        );
        assert.equal(await revokeApiKey(tx, other.organizationId, young, LATER), null);
        assert.deepEqual((await revokeApiKey(tx, mine.organizationId, revoked, LATER))!.revokedAt, NOW, 'the first time counts');
        assert.deepEqual(await rows.changes(), {});
        assert.equal((await revokeApiKey(tx, mine.organizationId, young, LATER))!.id, young);
        assert.deepEqual(await rows.changes(), { [`api_keys ${young}`]: { revoked_at: LATER.toISOString() } });
        assert.deepEqual([await lockApiKey(tx, old), await lockApiKey(tx, young), await lockApiKey(tx, NEW_ID)], [true, false, false]);
        await tx.query({
          text: `insert into api_keys select gen_random_uuid(), organization_id, user_id, kind, name, prefix, sha256(n::text::bytea), null, null, $2, created_at
                   from api_keys, generate_series(1, 1000) n where id = $1`,
          values: [old, NOW],
        });
        assert.equal((await listApiKeys(tx, mine.organizationId)).length, 1_000);
      }));

    test('writes are counted for a key and for its organization, in the window alone', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const second = await mine.add('api_keys');
        await insertWrite(tx, mine.organizationId, second, at(-20));
        const [id] = Object.keys(await rows.changes()).filter((key) => key.startsWith('api_writes'));
        for (const [tenant, ms] of [
          [mine, -50],
          [mine, -10],
          [other, -40],
          [other, -41],
          [other, -42],
        ] as const)
          await insertWrite(tx, tenant.organizationId, tenant.first.api_keys!, at(ms));
        const counts = await countWrites(tx, mine.organizationId, mine.first.api_keys!, at(-50));
        assert.deepEqual(counts, { key: 2, organization: 3, keyOldest: at(-10), organizationOldest: at(-20) });
        assert.equal((await countWrites(tx, mine.organizationId, second, at(-60))).keyOldest!.getTime(), at(-20).getTime());
        assert.deepEqual(await countWrites(tx, NEW_ID, second, at(-60)), {
          key: 0,
          organization: 0,
          keyOldest: null,
          organizationOldest: null,
        });
        const written = rows.of('api_writes').find((row) => `api_writes ${String(row.id)}` === id)!;
        assert.deepEqual([written.organization_id, written.api_key_id, written.at], [mine.organizationId, second, at(-20).toISOString()]);
        await rows.changes();
        const before = rows.of('api_writes').filter((row) => String(row.at) < at(-20).toISOString());
        await sweepWrites(tx, at(-20));
        assert.equal(before.length, 4);
        assert.deepEqual(await rows.changes(), Object.fromEntries(before.map((row) => [`api_writes ${String(row.id)}`, null])));
      }));

    test('calls are counted in a window for each key, and a new window begins when one has ended', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const [key, end] = [mine.first.api_keys!, at(3_600_000)];
        const window = `call_windows ${key}`;
        assert.deepEqual(await countCall(tx, key, at(3_599_999), at(9_000_000)), { calls: 4, endsAt: end });
        assert.deepEqual(await rows.changes(), { [window]: { calls: 4 } });
        assert.deepEqual(await countCall(tx, key, end, at(9_000_000)), { calls: 1, endsAt: at(9_000_000) });
        assert.deepEqual(await rows.changes(), { [window]: { calls: 1, ends_at: at(9_000_000).toISOString() } });
        assert.deepEqual(await countCall(tx, NEW_ID, NOW, LATER), { calls: 1, endsAt: LATER });
        await rows.changes();
        await sweepCallWindows(tx, LATER);
        assert.deepEqual(await rows.changes(), { [`call_windows ${NEW_ID}`]: null });
        await sweepCallWindows(tx, end);
        assert.deepEqual(await rows.changes(), { [`call_windows ${other.first.api_keys}`]: null });
      }));

    test('organizations are found by slug and id, listed by slug, and counted', () =>
      world.trial(async ({ mine, other, tx }) => {
        const one = { slug: 'mine', name: 'Acme', plan: 'list_processing', credits: 100, createdAt: NOW, updatedAt: NOW };
        assert.deepEqual(await findOrganization(tx, 'mine'), { id: mine.organizationId, ...one });
        assert.equal(await findOrganization(tx, 'nobody'), null);
        assert.deepEqual(await organizationIds(tx, ['other', 'nobody']), new Map([['other', other.organizationId]]));
        assert.deepEqual(await organizationSlugs(tx, [other.organizationId, NEW_ID]), new Map([[other.organizationId, 'other']]));
        await updateOrganization(tx, 'other', { name: 'Theirs' }, NOW);
        assert.deepEqual([await organizationName(tx, other.organizationId), await organizationName(tx, NEW_ID)], ['Theirs', null]);
        const slugs = async (from: string, limit: number) => (await listOrganizations(tx, from, limit)).map(({ slug }) => slug);
        assert.deepEqual([await slugs('', 9), await slugs('', 1), await slugs('mine', 9)], [['mine', 'other'], ['mine'], ['other']]);
        assert.equal(await countOrganizations(tx), 2);
      }));

    test('an organization is made and changed as it is said, and what is not said stays', () =>
      world.trial(async ({ mine, rows, tx }) => {
        const made = { id: NEW_ID, slug: 'new', name: 'New', plan: 'spam_monitoring' } as const;
        await insertOrganization(tx, { ...made, now: LATER });
        const times = { created_at: LATER.toISOString(), updated_at: LATER.toISOString() };
        assert.deepEqual(await rows.changes(), { [`organizations ${NEW_ID}`]: { ...made, credits: 0, ...times } });
        const change = async (what: Parameters<typeof updateOrganization>[2]) => {
          await updateOrganization(tx, 'mine', what, LATER);
          return (await rows.changes())[`organizations ${mine.organizationId}`];
        };
        assert.deepEqual(await change({ name: 'B' }), { name: 'B', updated_at: LATER.toISOString() });
        assert.deepEqual(await change({ plan: null }), { plan: null });
        assert.deepEqual(await change({ plan: 'spam_monitoring' }), { plan: 'spam_monitoring' });
        assert.equal(await updateOrganization(tx, 'nobody', { name: 'C' }, LATER), null);
        assert.deepEqual(await rows.changes(), {});
      }));

    test('credits are added and taken with a note, never below nothing, and nobody else’s change', () =>
      world.trial(async ({ mine, rows, tx }) => {
        const change = (n: number, amount: number) =>
          changeCredits(tx, {
            id: idAt(WORLD_NOW, n),
            organizationId: mine.organizationId,
            amount,
            reason: 'list',
            subjectId: NEW_ID,
            now: LATER,
          });
        assert.equal(await change(501, -100), 0, 'all of them');
        const note = { organization_id: mine.organizationId, reason: 'list', subject_id: NEW_ID, created_at: LATER.toISOString() };
        assert.deepEqual(await rows.changes(), {
          [`organizations ${mine.organizationId}`]: { credits: 0, updated_at: LATER.toISOString() },
          [`credit_entries ${idAt(WORLD_NOW, 501)}`]: { id: idAt(WORLD_NOW, 501), amount: -100, balance: 0, ...note },
        });
        await assert.rejects(change(502, -1), (error) => error instanceof AccountError && error.code === 'insufficient_credits');
        assert.deepEqual(await rows.changes(), {});
        assert.equal(await change(503, 7), 7);
        assert.deepEqual(await rows.changes(), {
          [`organizations ${mine.organizationId}`]: { credits: 7 },
          [`credit_entries ${idAt(WORLD_NOW, 503)}`]: { id: idAt(WORLD_NOW, 503), amount: 7, balance: 7, ...note },
        });
      }));

    test('notes of credits before a time are removed, the oldest first, and balances stay', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const [third, first, second] = [
          await mine.add('credit_entries', { id: idAt(WORLD_NOW - 1, 1) }),
          await other.add('credit_entries', { id: idAt(WORLD_NOW - 3, 1) }),
          await mine.add('credit_entries', { id: idAt(WORLD_NOW - 2, 1) }),
        ];
        await rows.changes();
        assert.equal(await removeCreditEntries(tx, NOW, 2), 2);
        assert.deepEqual(await rows.changes(), { [`credit_entries ${first}`]: null, [`credit_entries ${second}`]: null });
        assert.equal(await removeCreditEntries(tx, NOW, 2), 1);
        assert.deepEqual(await rows.changes(), { [`credit_entries ${third}`]: null });
      }));

    test('a user and a membership are stored as they are said', () =>
      world.trial(async ({ other, rows, tx }) => {
        await insertUser(tx, { id: NEW_USER, email: 'bo@example.com', name: 'Bo', now: LATER });
        await insertMember(tx, { organizationId: other.organizationId, userId: NEW_USER, role: 'owner', now: LATER });
        const [created_at, nothing] = [LATER.toISOString(), { password_hash: null, pending_email: null, shares_email: false }];
        assert.deepEqual(await rows.changes(), {
          [`users ${NEW_USER}`]: { id: NEW_USER, email: 'bo@example.com', name: 'Bo', created_at, ...nothing },
          [`memberships ${other.organizationId} ${NEW_USER}`]: {
            organization_id: other.organizationId,
            user_id: NEW_USER,
            role: 'owner',
            created_at,
          },
        });
      }));

    test('the members of an organization are listed oldest first, with the role that they have there', () =>
      world.trial(async ({ mine, other, tx }) => {
        await join(tx, mine.organizationId, other.owner, 'member', at(-1));
        const ana = { name: 'Ana', pendingEmail: null, createdAt: NOW };
        const own = [
          { ...ana, userId: other.owner, email: 'owner@other.example', role: 'member', createdAt: at(-1) },
          { ...ana, userId: mine.owner, email: 'owner@mine.example', role: 'owner' },
          { ...ana, userId: mine.member, email: 'member@mine.example', role: 'member' },
        ];
        assert.deepEqual(await listMembers(tx, mine.organizationId), own);
        assert.deepEqual(await listMembers(tx, mine.organizationId, true), own);
      }));

    test('what an owner may do is no right of a member, of an owner elsewhere or of a stranger', () =>
      world.trial(async ({ mine, other, tx }) => {
        await join(tx, mine.organizationId, other.owner, 'member', NOW);
        const may = async (actor: string | null) => lockOwner(tx, mine.organizationId, actor).then(() => true, refusal);
        assert.deepEqual([await may(null), await may(mine.owner)], [true, true]);
        for (const actor of [mine.member, other.owner, other.member, NEW_USER]) assert.equal(await may(actor), 'owners_only');
      }));

    test('a role ends in one organization, with the keys and invitations of that place alone', () =>
      world.trial(async ({ mine, other, rows, tx }) => {
        const both = mine.owner; // an owner in both places
        await join(tx, other.organizationId, both, 'owner', NOW);
        await join(tx, mine.organizationId, other.member, 'owner', NOW);
        const theirs = { user_id: both };
        const [key, revoked] = [mine.first.api_keys!, await mine.add('api_keys', { revoked_at: NOW })];
        await other.add('api_keys', theirs);
        await mine.add('api_keys', { user_id: mine.member });
        const invitation = mine.first.sign_in_links!;
        await other.add('sign_in_links', { made_by: both });
        await mine.add('sign_in_links', { made_by: mine.member });
        await mine.add('sign_in_links', { made_by: null, by_operator: true });
        await mine.add('sign_in_links', { user_id: both, organization_id: null, made_by: null });
        await rows.changes();
        assert.ok(revoked);
        await setRole(tx, mine.organizationId, both, 'member');
        assert.deepEqual(await rows.changes(), { [`memberships ${mine.organizationId} ${both}`]: { role: 'member' } });
        await endOwnership(tx, mine.organizationId, both, LATER);
        const links = rows.of('sign_in_links').filter((row) => row.id === invitation);
        const ended = { [`api_keys ${key}`]: { revoked_at: LATER.toISOString() }, [`sign_in_links ${String(links[0]!.hash)}`]: null };
        assert.deepEqual(await rows.changes(), ended);
        await deleteMember(tx, mine.organizationId, both, LATER);
        assert.deepEqual(await rows.changes(), { [`memberships ${mine.organizationId} ${both}`]: null });
        await deleteMember(tx, other.organizationId, other.owner, LATER);
        const gone = Object.keys(await rows.changes());
        assert.deepEqual(gone.map((one) => one.split(' ')[0]!).toSorted(), ['api_keys', 'memberships', 'sign_in_links']);
      }));

    test('the first owner without a password is found as long as nobody has one', () =>
      world.trial(async ({ mine, other, tx }) => {
        assert.equal(await findOwnerWithoutPassword(tx), null, 'everybody has one');
        const forget = (...users: string[]) =>
          tx.query({ text: 'update users set password_hash = null where id = any ($1)', values: [users] });
        await forget(mine.owner, mine.member, other.owner);
        assert.equal(await findOwnerWithoutPassword(tx), null, 'a member elsewhere has one');
        await forget(other.member);
        await tx.query({ text: 'update memberships set created_at = $1 where user_id = $2', values: [at(-1), other.owner] });
        await tx.query({ text: 'update memberships set created_at = $1 where user_id = $2', values: [at(-2), mine.member] });
        assert.equal(await findOwnerWithoutPassword(tx), other.owner, 'the oldest owner');
      }));
  });
}

async function join(tx: Parameters<typeof insertMember>[0], organizationId: string, userId: string, role: Role, now: Date): Promise<void> {
  await insertMember(tx, { organizationId, userId, role, now });
}

function refusal(error: unknown): string {
  assert.ok(error instanceof AccountError);
  return error.code;
}
