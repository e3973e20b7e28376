import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, rowsNaming } from '@dialhook/testing';
import { CallWorld, leads, MINUTE, number } from './calls.fixture.ts';
import { CALL_LIMITS } from './limits.ts';
import type { Campaign } from './model.ts';

for (const kind of DATABASE_KINDS) {
  describe(`campaigns on ${kind}`, () => {
    let world: CallWorld;
    before(async () => {
      world = await CallWorld.open(kind);
    });
    after(() => world.close());

    const read = async ({ id, organizationId }: Campaign) => (await world.campaigns.find(organizationId, id))!;
    const leadOf = async ({ id, organizationId }: Campaign, n: number) =>
      (await world.campaigns.listLeads(organizationId, id, undefined, { page: 1, limit: 100 })).rows.find(
        ({ phoneNumber }) => phoneNumber === number(n),
      )!;
    /** Two organizations with two campaigns each, all made at one moment and alike; the first is the one that is acted on. */
    const four = async (numbers: readonly number[], more: Parameters<CallWorld['campaign']>[2] = {}) => {
      const [ours, theirs] = [await world.organization(), await world.organization()];
      const made: Campaign[] = [];
      for (const owner of [theirs, ours, ours, theirs]) made.push(await world.campaign(owner, numbers, more));
      return { mine: made[1]!, others: [made[0]!, made[2]!, made[3]!] };
    };
    const rowsOf = (campaigns: readonly Campaign[]) => rowsNaming(world.place.database, ...campaigns.map(({ id }) => id));
    /** Ends what others left behind. */
    const end = async (campaigns: readonly Campaign[]) => {
      for (const campaign of campaigns) await world.campaigns.act(campaign.organizationId, campaign.id, 'cancel');
      await world.report('completed', ...(await world.take()));
    };

    test('who did not answer is called again after the interval of the campaign, and not a moment before', async () => {
      const [ours, theirs] = [await world.organization(), await world.organization()];
      const half = await world.campaign(ours, [1], { retryIntervalMinutes: 30 });
      const minute = await world.campaign(ours, [2], { retryIntervalMinutes: 1 });
      const hours = await world.campaign(theirs, [3], { retryIntervalMinutes: 150 });
      const foreign = await world.campaign(theirs, [4], { retryIntervalMinutes: 30 });
      const calls = await world.take();
      assert.equal(calls.length, 4);
      await world.report('no_answer', ...calls);
      assert.deepEqual([await world.called(), (await read(half)).pendingLeads], [[], 1]);
      const due = async ({ id }: Campaign) => {
        const [row] = await world.place.database.query<{ due_at: Date }>({
          text: 'select due_at from campaigns where id = $1',
          values: [id],
        });
        return (row!.due_at.getTime() - world.clock.now()) / MINUTE;
      };
      assert.deepEqual([await due(half), await due(minute), await due(hours), await due(foreign)], [30, 1, 150, 30]);
      // Nothing but the time makes them go on: they were the last leads of their campaigns.
      await world.pass(MINUTE - 1);
      assert.deepEqual(await world.called(), []);
      await world.pass(1);
      assert.deepEqual(await world.called(), [number(2)]);
      await world.pass(29 * MINUTE - 1);
      assert.deepEqual(await world.called(), []);
      await world.pass(1);
      assert.deepEqual(await world.called(), [number(1), number(4)]);
      await world.pass(120 * MINUTE - 1);
      assert.deepEqual(await world.called(), []);
      await world.pass(1);
      assert.deepEqual(await world.called(), [number(3)]);
      for (const campaign of [half, minute, hours, foreign])
        assert.deepEqual([(await read(campaign)).status, (await read(campaign)).callsPlaced], ['running', 2]);
      await end([half, minute, hours, foreign]);
    });

    test('with every line in use, the next look is when a call ends; then waiting leads are called when they are due', async () => {
      const organizationId = await world.organization();
      const campaign = await world.campaign(organizationId, [1, 2], { maxConcurrentCalls: 1, retryIntervalMinutes: 5 });
      const [first] = await world.take();
      await world.report('busy', first!);
      const [second] = await world.take();
      assert.deepEqual([first!.toPhoneNumber, second!.toPhoneNumber], [number(1), number(2)]);
      await world.pass(5 * MINUTE);
      assert.deepEqual(await world.called(), [], 'the only line is in use');
      await world.report('no_answer', second!);
      const [again] = await world.take();
      assert.deepEqual([again!.toPhoneNumber, again!.attempt], [number(1), 2]);
      await world.report('completed', again!);
      await world.pass(5 * MINUTE - 1);
      assert.deepEqual(await world.called(), []);
      await world.pass(1);
      const [last] = await world.take();
      assert.equal(last!.toPhoneNumber, number(2));
      await world.report('no_answer', last!);
      const ended = await read(campaign);
      assert.deepEqual([ended.status, ended.completedLeads, ended.failedLeads, ended.callsPlaced], ['completed', 1, 1, 4]);
      await world.pass(60 * MINUTE);
      assert.deepEqual(await world.called(), [], 'a failed lead is not called again');
    });

    test('a campaign begins at its time', async () => {
      const organizationId = await world.organization();
      const scheduledAt = new Date(world.clock.now() + 90 * MINUTE);
      const campaign = await world.campaign(organizationId, [1], { scheduledAt });
      await world.pass(90 * MINUTE - 1);
      assert.deepEqual([(await read(campaign)).status, await world.called()], ['active', []]);
      await world.pass(1);
      assert.deepEqual([(await read(campaign)).status, await world.called()], ['running', [number(1)]]);
      await end([campaign]);
    });

    for (const verb of ['pause', 'cancel'] as const)
      test(`to ${verb} takes back the waiting calls of this campaign and touches nobody else's`, async () => {
        const { mine, others } = await four([1, 2, 3], { maxConcurrentCalls: 3 });
        const single = await world.calls.create({
          organizationId: mine.organizationId,
          agentId: 'agt_1',
          agentVersionNumber: 1,
          toPhoneNumber: number(9),
          fromPhoneNumber: null,
          metadata: '{}',
        });
        const workflow = await world.workflow(
          mine.organizationId,
          { call: ['VOICE_CALL', { agent_id: 'agt_1', from_phone_number: '+442079460001' }], won: ['CONVERTED'] },
          ['call > won'],
        );
        await world.workflows.enrol(mine.organizationId, workflow.id, leads(7));
        await world.settle();
        // Of each campaign one call was begun, one was handed out, one waits.
        const [begun, handed] = (await Promise.all([mine, ...others].map(({ id, organizationId }) => callsOf(organizationId, id)))).reduce<
          [{ id: string }[], { id: string }[]]
        >(
          ([a, b], calls) => [
            [...a, calls[0]!],
            [...b, calls[1]!],
          ],
          [[], []],
        );
        const { database } = world.place;
        await database.query({
          text: `update live_calls set stage = 'taken' where call = any ($1::uuid[])`,
          values: [handed.map(({ id }) => id)],
        });
        await world.report('received', ...begun);
        const bystanders = () => rowsNaming(database, ...others.map(({ id }) => id), single.id, workflow.id);
        const before = await bystanders();
        assert.deepEqual(Object.keys(before), [
          'calls',
          'campaign_leads',
          'campaigns',
          'live_calls',
          'workflow_edges',
          'workflow_leads',
          'workflow_nodes',
          'workflows',
        ]);
        await world.campaigns.act(mine.organizationId, mine.id, verb);
        assert.deepEqual(await bystanders(), before);
        assert.deepEqual(
          (await callsOf(mine.organizationId, mine.id)).map(({ status }) => status),
          ['received', 'initiated', 'cancelled'],
        );
        const after = await read(mine);
        assert.deepEqual([after.pendingLeads, after.callingLeads], [1, 2]);
        assert.deepEqual([(await leadOf(mine, 3)).status, (await leadOf(mine, 3)).attempts], ['pending', 0]);
        assert.deepEqual(await world.events(mine.organizationId), verb === 'pause' ? ['campaign.paused'] : []);
        await end(verb === 'pause' ? [mine, ...others] : others);
        await world.workflows.act(mine.organizationId, workflow.id, 'cancel');
      });

    /** A campaign's calls, in the order of their leads. */
    const callsOf = async (organizationId: string, campaignId: string) => {
      const { rows } = await world.calls.list(organizationId, { campaignId }, { page: 1, limit: 100 });
      return [...rows].sort((a, b) => (a.toPhoneNumber < b.toPhoneNumber ? -1 : 1));
    };

    test('a lead that waits is changed or taken out; all others stay as they are, and the last one out ends the campaign', async () => {
      const { mine, others } = await four([1, 2, 3], { maxConcurrentCalls: 1, retryIntervalMinutes: 5 });
      const before = await rowsOf(others);
      const { organizationId } = mine;
      const [second, third] = [await leadOf(mine, 2), await leadOf(mine, 3)];
      const changed = await world.campaigns.changeLead(organizationId, second.id, { name: 'Ada' });
      assert.deepEqual(changed, { ...second, name: 'Ada' });
      assert.deepEqual(await leadOf(mine, 2), changed);
      assert.deepEqual(await leadOf(mine, 3), third);
      const noted = await world.campaigns.changeLead(organizationId, second.id, { notes: '{"plan":"pro"}' });
      assert.deepEqual(noted, { ...changed, notes: '{"plan":"pro"}' });
      assert.equal((await world.campaigns.changeLead(organizationId, second.id, { name: null })).name, null);
      await assert.rejects(world.campaigns.changeLead(others[0]!.organizationId, second.id, { name: 'x' }), /Lead not found/);
      await assert.rejects(world.campaigns.removeLead(others[0]!.organizationId, second.id), /Lead not found/);

      await world.campaigns.removeLead(organizationId, second.id);
      await assert.rejects(world.campaigns.removeLead(organizationId, second.id), /Lead not found/);
      assert.deepEqual([(await leadOf(mine, 2)).status, await leadOf(mine, 3)], ['removed', third]);
      assert.deepEqual([(await read(mine)).pendingLeads, (await read(mine)).callingLeads], [1, 1]);
      assert.deepEqual(await rowsOf(others), before);
      const [call] = await callsOf(organizationId, mine.id);
      await world.report('no_answer', call!);
      const [next] = (await world.take()).filter(({ campaignId }) => campaignId === mine.id);
      assert.equal(next!.toPhoneNumber, number(3), 'the removed one is not called');
      await world.report('completed', next!);
      assert.equal((await read(mine)).status, 'running');
      await world.campaigns.removeLead(organizationId, (await leadOf(mine, 1)).id);
      assert.deepEqual([(await read(mine)).status, (await read(mine)).completedLeads], ['completed', 1]);
      assert.deepEqual(await world.events(organizationId), ['call.completed', 'call.no_answer', 'campaign.completed']);
      await world.pass(5 * MINUTE);
      assert.ok((await world.take()).every(({ campaignId }) => campaignId !== mine.id));
      await end(others);
    });

    test('ends of calls settle their own leads', async () => {
      const { mine, others } = await four([1, 2, 3], { maxConcurrentCalls: 3 });
      const before = await rowsOf(others);
      const calls = await callsOf(mine.organizationId, mine.id);
      await world.report('completed', calls[0]!);
      await world.report('busy', calls[1]!);
      assert.deepEqual(await rowsOf(others), before);
      assert.deepEqual(
        [(await leadOf(mine, 1)).status, (await leadOf(mine, 2)).status, (await leadOf(mine, 3)).status],
        ['completed', 'pending', 'in_progress'],
      );
      await end([mine, ...others]);
    });

    test('calls are handed out oldest first, and again when nothing is heard of them', async () => {
      const numbers = [5, 3, 8, 1];
      for (const n of numbers) {
        const organizationId = await world.organization();
        await world.campaign(organizationId, [n]);
        world.clock.advance(1_000);
      }
      const taken: string[] = [];
      for (let n = 0; n < numbers.length; n++) {
        taken.push(...(await world.take(1, MINUTE)).map(({ toPhoneNumber }) => toPhoneNumber));
        world.clock.advance(1_000);
      }
      assert.deepEqual(taken, numbers.map(number));
      world.clock.advance(MINUTE - 4_001);
      assert.deepEqual(await world.called(), []);
      world.clock.advance(1_001);
      const again = await world.take();
      assert.deepEqual(
        again.map(({ status, toPhoneNumber }) => [status, toPhoneNumber]),
        [5, 3].map((n) => ['sent', number(n)]),
      );
      await world.report('received', again[0]!);
      await world.report('completed', again[1]!);
      world.clock.advance(CALL_LIMITS.silentMs);
      assert.deepEqual(await world.called(), [number(1), number(8)], 'those that were heard of are not given out again, however long ago');
    });
  });
}

test('a scale multiplies the interval', async (t) => {
  const world = await CallWorld.open('postgres', { retryDelayScale: 0.1 });
  t.after(() => world.close());
  const campaign = await world.campaign(await world.organization(), [1], { retryIntervalMinutes: 30 });
  await world.report('no_answer', ...(await world.take()));
  await world.pass(3 * MINUTE - 1);
  assert.deepEqual(await world.called(), []);
  await world.pass(1);
  assert.deepEqual(await world.called(), [number(1)]);
  assert.equal((await world.campaigns.find(campaign.organizationId, campaign.id))!.callsPlaced, 2);
});
