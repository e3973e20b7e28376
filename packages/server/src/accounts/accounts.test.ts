import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FakeClock, freshDatabase, RowWatch, World, WORLD_NOW, type Tenant, type TestDatabase } from '@dialhook/testing';
import { Accounts } from './accounts.ts';
import { Invitations } from './invitations.ts';
import { hashKey, newKey } from './keys.ts';
import { AccountError, KEY_KINDS } from './model.ts';
import { SESSION_LIMITS } from './session-limits.ts';
import { WRITE_LIMITS, WriteLimits } from './write-limits.ts';

/** The statements have tests of their own, on both databases; these are the rules about money and rights. */
describe('rules of accounts', () => {
  let place: TestDatabase;
  let mine: Tenant;
  let other: Tenant;
  let clock: FakeClock;
  let accounts: Accounts;
  let invitations: Invitations;
  let rows: RowWatch;
  before(async () => {
    place = await freshDatabase('postgres');
    await (
      await World.make(place.database)
    ).trial(async (trial) => {
      ({ mine, other } = trial);
    });
    clock = new FakeClock(WORLD_NOW);
    accounts = new Accounts(place.database, clock);
    invitations = new Invitations(place.database, clock);
  });
  beforeEach(async () => {
    rows = await RowWatch.start(place.database);
  });
  after(() => place.close());

  /** What it is refused with; nothing may have changed. */
  async function refused(work: Promise<unknown>): Promise<string> {
    const code = await work.then(
      () => 'nothing',
      (error: unknown) => (error instanceof AccountError ? error.code : String(error)),
    );
    assert.deepEqual(await rows.changes(), {});
    return code;
  }
  const tables = async () =>
    Object.keys(await rows.changes())
      .map((key) => key.split(' ')[0]!)
      .sort();

  test('a key has its vendor’s form, is kept as a hash alone, and no two are alike', () => {
    const forms = { optimaldial: /^od_live_[\w-]{32}$/, outboundiq: /^oiq_[\w-]{32}$/, dialnexa: /^key_[\w-]{12}:[\w-]{32}$/ };
    for (const kind of KEY_KINDS) {
      const [made, another] = [newKey(kind), newKey(kind)];
      assert.match(made.key, forms[kind]);
      assert.equal(made.prefix, made.key.slice(0, 12));
      assert.deepEqual(made.hash, createHash('sha256').update(made.key).digest());
      assert.deepEqual(hashKey(made.key), made.hash);
      assert.notEqual(made.key, another.key);
    }
  });

  test('keys are made by owners for owners of the same organization, and work there until they end', async () => {
    const make = (actor: string | null, userId?: string, slug = 'mine') => accounts.createKey(actor, slug, { kind: 'outboundiq', userId });
    assert.equal(await refused(make(mine.member)), 'owners_only');
    assert.equal(await refused(make(other.owner)), 'owners_only');
    assert.equal(await refused(make(mine.owner, mine.member)), 'not_an_owner');
    assert.equal(await refused(make(mine.owner, other.owner)), 'unknown_member');
    assert.equal(await refused(make(null, mine.owner, 'other')), 'unknown_member');
    assert.equal(await refused(make(null, undefined, 'nobody')), 'unknown_organization');
    const { apiKey, key } = await make(null);
    assert.deepEqual(await tables(), ['api_keys']);
    assert.deepEqual(
      [apiKey.userId, apiKey.name, apiKey.expiresAt],
      [mine.owner, 'outboundiq', null],
      'the first owner, named by its kind',
    );
    assert.ok(!JSON.stringify(rows.of('api_keys')).includes(key.slice(12)), 'the key itself is stored nowhere');
    const caller = {
      keyId: apiKey.id,
      organizationId: mine.organizationId,
      userId: mine.owner,
      kind: 'outboundiq',
      plan: 'list_processing',
    };
    assert.deepEqual(await accounts.caller(key), caller);
    assert.equal(await accounts.caller(`${key}x`), null);
    await rows.changes();
    const ended = () => new Error('it has ended');
    await place.database.transaction((tx) => accounts.holdKey(tx, apiKey.id, ended));
    assert.equal(await refused(accounts.revokeKey(other.owner, 'other', apiKey.id)), 'unknown_key');
    assert.equal(await refused(accounts.revokeKey(mine.member, 'mine', apiKey.id)), 'owners_only');
    await accounts.revokeKey(mine.owner, 'mine', apiKey.id);
    assert.deepEqual(await rows.changes(), { [`api_keys ${apiKey.id}`]: { revoked_at: new Date(WORLD_NOW).toISOString() } });
    assert.equal(await accounts.caller(key), null);
    assert.equal(await refused(place.database.transaction((tx) => accounts.holdKey(tx, apiKey.id, ended))), 'Error: it has ended');
  });

  test('an organization has so many keys that work, whatever others have', async () => {
    const fill = (tenant: Tenant, count: number) =>
      place.database.query({
        text: `insert into api_keys select gen_random_uuid(), organization_id, user_id, kind, 'filler', prefix, sha256((id::text || n)::bytea), null, null, null, created_at
                 from api_keys, generate_series(1, $2::int) n where id = $1`,
        values: [tenant.first.api_keys, count],
      });
    await fill(other, 2 * SESSION_LIMITS.apiKeys);
    await fill(mine, SESSION_LIMITS.apiKeys - 2);
    await rows.changes();
    const make = () => accounts.createKey(null, 'mine', { kind: 'dialnexa' });
    const two = await Promise.allSettled([make(), make()]);
    assert.deepEqual(two.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await rows.changes();
    assert.equal(await refused(make()), 'too_many_keys');
    await place.database.query({ text: `delete from api_keys where name = 'filler'` });
  });

  test('credits are spent once however many spend at the same time, and every change has its note', async () => {
    const spend = () => accounts.adjustCredits('mine', -30, 'spent');
    const results = await Promise.allSettled(Array.from({ length: 8 }, spend));
    const left = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.deepEqual(
      left.sort((a, b) => b - a),
      [70, 40, 10],
    );
    const changes = await rows.changes();
    const notes = Object.entries(changes).filter(([key]) => key.startsWith('credit_entries '));
    assert.deepEqual(changes[`organizations ${mine.organizationId}`], { credits: 10 });
    assert.equal(Object.keys(changes).length, 1 + notes.length);
    assert.deepEqual(
      notes
        .map(([, note]) => [note!.organization_id, note!.amount, note!.balance, note!.reason])
        .sort((a, b) => Number(b[2]) - Number(a[2])),
      left.map((balance) => [mine.organizationId, -30, balance, 'spent']),
    );
    assert.equal(await refused(accounts.adjustCredits('mine', -11, 'too much')), 'insufficient_credits');
    assert.equal(await accounts.adjustCredits('mine', 90, 'bought'), 100);
  });

  test('an organization begins with an owner and with its credits noted; a slug that is taken leaves nothing', async () => {
    const made = await accounts.createOrganization({ slug: 'third', credits: 7, ownerEmail: 'o@third.example' });
    assert.deepEqual([made.credits, made.plan, made.name], [7, 'list_processing', 'third']);
    const { [`organizations ${made.id}`]: stored, ...rest } = await rows.changes();
    assert.equal(stored!.credits, 7);
    const kinds = Object.keys(rest).map((key) => key.split(' ')[0]!);
    assert.deepEqual(kinds.sort(), ['credit_entries', 'memberships', 'users']);
    assert.equal((await accounts.createOrganization({ slug: 'fourth', plan: null })).plan, null);
    assert.deepEqual(await tables(), ['memberships', 'organizations', 'users'], 'no credits, no note');
    assert.equal(await refused(accounts.createOrganization({ slug: 'mine' })), 'slug_taken');
    assert.equal(await refused(accounts.updateOrganization('nobody', { name: 'x' })), 'unknown_organization');
    assert.equal((await accounts.updateOrganization('fourth', { name: 'Fourth' })).name, 'Fourth');
    assert.deepEqual(await rows.changes().then(Object.values), [{ name: 'Fourth' }]);
    assert.deepEqual([(await accounts.members('other')).length, await accounts.isEmpty()], [2, false]);
    assert.equal(await refused(accounts.createOrganization({ slug: 'fifth', ownerEmail: 'O@third.example' })), 'email_taken');
  });

  test('members are changed by owners of the same organization, and one owner is always left', async () => {
    const change = (actor: string | null, userId: string, role: 'owner' | 'member') => accounts.changeRole(actor, 'mine', userId, role);
    for (const actor of [mine.member, other.owner]) {
      assert.equal(await refused(change(actor, mine.member, 'owner')), 'owners_only');
      assert.equal(await refused(accounts.removeMember(actor, 'mine', mine.member)), 'owners_only');
    }
    assert.equal(await refused(change(null, other.member, 'owner')), 'unknown_member');
    assert.equal(await refused(accounts.removeMember(mine.owner, 'mine', other.member)), 'unknown_member');
    assert.equal(await refused(change(null, mine.owner, 'member')), 'last_owner');
    assert.equal(await refused(accounts.removeMember(mine.owner, 'mine', mine.owner)), 'last_owner');
    assert.equal(await refused(change(mine.owner, mine.owner, 'owner')), 'nothing', 'the same role is no change');
    const membership = `memberships ${mine.organizationId} ${mine.member}`;
    assert.equal((await change(mine.owner, mine.member, 'owner')).role, 'owner');
    assert.deepEqual(await rows.changes(), { [membership]: { role: 'owner' } });
    const { apiKey } = await accounts.createKey(mine.member, 'mine', { kind: 'optimaldial', userId: mine.member });
    await rows.changes();
    await change(mine.owner, mine.member, 'member');
    const revoked = { revoked_at: new Date(WORLD_NOW).toISOString() };
    assert.deepEqual(await rows.changes(), { [membership]: { role: 'member' }, [`api_keys ${apiKey.id}`]: revoked });
    const added = await accounts.addMember('mine', { email: 'late@mine.example', role: 'member' });
    assert.equal(added.name, 'late@mine.example');
    await rows.changes();
    await accounts.removeMember(mine.owner, 'mine', added.userId);
    assert.deepEqual(await rows.changes(), { [`memberships ${mine.organizationId} ${added.userId}`]: null });
    assert.equal(await refused(accounts.addMember('mine', { email: 'OWNER@other.example', role: 'member' })), 'email_taken');
  });

  test('invitations are the work of owners, replace the one for the same address, and are bounded for each organization', async () => {
    const invite = (actor: string | null, email: string) => invitations.create(actor, mine.organizationId, 'member', email);
    assert.equal(await refused(invite(mine.member, 'a@x.example')), 'owners_only');
    assert.equal(await refused(invite(other.owner, 'a@x.example')), 'owners_only');
    const id = mine.first.sign_in_links!;
    for (const actor of [mine.member, other.owner]) {
      assert.equal(await refused(invitations.resend(actor, mine.organizationId, id)), 'owners_only');
      assert.equal(await refused(invitations.revoke(actor, mine.organizationId, id)), 'owners_only');
    }
    assert.equal(await refused(invitations.resend(other.owner, other.organizationId, id)), 'unknown_invitation');
    assert.equal(await refused(invitations.revoke(other.owner, other.organizationId, id)), 'unknown_invitation');
    const { expiresAt } = await invite(mine.owner, 'Guest@example.com');
    assert.equal(expiresAt.getTime(), WORLD_NOW + SESSION_LIMITS.inviteMs);
    assert.deepEqual(await tables(), ['sign_in_links', 'sign_in_links'], 'the former one went');
    const open = async () => (await invitations.list(mine.organizationId)).map(({ email, madeBy }) => [email, madeBy]);
    assert.deepEqual(await open(), [['Guest@example.com', mine.owner]]);
    const fill = (tenant: Tenant, count: number) =>
      place.database.query({
        text: `insert into sign_in_links (hash, organization_id, role, email, made_by, created_at, expires_at)
               select sha256(($1::uuid || '/' || n)::bytea), $1::uuid, 'member', n || '@fill.example', $2, $3, $4 from generate_series(1, $5::int) n`,
        values: [tenant.organizationId, tenant.owner, new Date(WORLD_NOW), expiresAt, count],
      });
    await fill(other, SESSION_LIMITS.invitations);
    await fill(mine, SESSION_LIMITS.invitations - 2);
    const two = await Promise.allSettled([invite(null, 'a@x.example'), invite(null, 'b@x.example')]);
    assert.deepEqual(two.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await rows.changes();
    assert.equal(await refused(invite(null, 'c@x.example')), 'too_many_invitations');
    await invite(null, 'guest@example.com');
    assert.deepEqual(await tables(), ['sign_in_links', 'sign_in_links'], 'one in the place of another');
    assert.ok((await open()).some(([email, maker]) => email === 'guest@example.com' && maker === null));
    const own = rows.of('sign_in_links').filter((row) => row.organization_id === mine.organizationId);
    const stored = own.find(({ email }) => email === 'guest@example.com');
    assert.equal(stored!.by_operator, true);
  });

  test('writes are bounded for a key and for an organization in a minute; a refused one does not count, and others go on', async () => {
    const limits = new WriteLimits(place.database, clock);
    clock.advance(WRITE_LIMITS.windowMs);
    const caller = (tenant: Tenant, keyId = tenant.first.api_keys!) =>
      ({ keyId, organizationId: tenant.organizationId, userId: tenant.owner, kind: 'optimaldial', plan: null }) as const;
    const write = (tenant: Tenant, keyId: string, count: number) =>
      place.database.query({
        text: 'insert into api_writes (organization_id, api_key_id, at) select $1, $2, $3 from generate_series(1, $4::int)',
        values: [tenant.organizationId, keyId, new Date(clock.now()), count],
      });
    const [first, second, third] = [mine.first.api_keys!, mine.first.uploads!, mine.first.dials!]; // any ids
    await write(other, other.first.api_keys!, WRITE_LIMITS.perKey - 1);
    await write(mine, first, WRITE_LIMITS.perKey - 1);
    await rows.changes();
    clock.advance(10_500);
    assert.equal(await limits.take(caller(mine)), null);
    assert.deepEqual(await tables(), ['api_writes']);
    assert.deepEqual(await limits.take(caller(mine)), { limit: 60, observed: 61, retryAfterSeconds: 50 });
    assert.deepEqual(await rows.changes(), {});
    assert.equal(await limits.take(caller(mine, second)), null, 'another key');
    assert.equal(await limits.take(caller(other)), null);
    await write(mine, third, WRITE_LIMITS.perOrganization - WRITE_LIMITS.perKey - 1);
    assert.deepEqual(await limits.take(caller(mine, second)), { limit: 600, observed: 601, retryAfterSeconds: 50 });
    clock.advance(49_400);
    assert.equal((await limits.take(caller(mine)))!.retryAfterSeconds, 1, 'never less');
    clock.advance(100);
    assert.equal(await limits.take(caller(mine)), null, 'the first ones left the window');
    assert.equal((await limits.take(caller(other)))?.limit, undefined);
  });
});
