import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, rowsNaming } from '@dialhook/testing';
import { CallWorld, leads, MINUTE, number } from './calls.fixture.ts';
import { CALL_LIMITS } from './limits.ts';

const HOUR = 60 * MINUTE;
const voice = { agent_id: 'agt_1', from_phone_number: '+442079460001' };

for (const kind of DATABASE_KINDS) {
  describe(`workflows on ${kind}`, () => {
    let world: CallWorld;
    before(async () => {
      world = await CallWorld.open(kind);
    });
    after(() => world.close());

    const leadOf = async (organizationId: string, { id }: { id: string }, n: number) =>
      (await world.workflows.listLeads(organizationId, id, undefined, { page: 1, limit: 100 })).rows.find(
        ({ phoneNumber }) => phoneNumber === number(n),
      )!;
    /** The names of the nodes that a lead went through, with what came out of each. */
    const path = async (organizationId: string, workflow: { id: string }, n: number) => {
      const { steps } = await world.workflows.history(organizationId, workflow.id, (await leadOf(organizationId, workflow, n)).id);
      return steps.map(({ nodeLabel, status }) => `${nodeLabel} ${status}`);
    };
    /** Rows of workflows, with the steps of their leads. */
    const rowsOf = async (...workflows: readonly { organizationId: string; id: string }[]) => {
      const ids = workflows.map(({ id }) => id);
      for (const { id, organizationId } of workflows)
        ids.push(...(await world.workflows.listLeads(organizationId, id, undefined, { page: 1, limit: 100 })).rows.map((lead) => lead.id));
      return rowsNaming(world.place.database, ...ids);
    };

    test('leads walk the graph of their own workflow, at their own time', async () => {
      const [ours, theirs] = [await world.organization(), await world.organization()];
      const two = [await world.workflow(ours, { wait: ['TIME', { delay_hours: 2 }], won: ['CONVERTED'] }, ['wait > won'])];
      two.push(await world.workflow(ours, { wait: ['TIME', { delay_hours: 2 }], lost: ['DROPPED'] }, ['wait > lost']));
      const [converting, dropping] = two as [(typeof two)[0], (typeof two)[0]];
      const foreign = await world.workflow(theirs, { wait: ['TIME', { duration_value: 90, unit: 'minutes' }], lost: ['DROPPED'] }, [
        'wait > lost',
      ]);
      for (const { id } of [converting, dropping]) await world.workflows.enrol(ours, id, leads(1, 2));
      await world.workflows.enrol(theirs, foreign.id, leads(1));
      await world.settle();
      await world.pass(90 * MINUTE - 1);
      assert.equal((await leadOf(theirs, foreign, 1)).status, 'in_progress');
      await world.pass(1);
      assert.deepEqual(await path(theirs, foreign, 1), ['wait elapsed', 'lost dropped']);
      await world.pass(30 * MINUTE - 1);
      assert.deepEqual(await path(ours, converting, 1), ['wait in_progress']);
      // One of them is looked at while the other's leads are as due as its own.
      world.clock.advance(1);
      const before = await rowsOf({ organizationId: ours, id: dropping.id });
      await world.workflows.rename(ours, converting.id, { title: 'Looked at' });
      assert.deepEqual(await path(ours, converting, 1), ['wait elapsed', 'won converted']);
      assert.deepEqual(await rowsOf({ organizationId: ours, id: dropping.id }), before);
      await world.settle();
      assert.deepEqual(await path(ours, dropping, 2), ['wait elapsed', 'lost dropped']);
      assert.deepEqual(await world.events(ours), ['workflow.lead.completed', 'workflow.lead.completed']);
      assert.deepEqual(await world.events(theirs), []);
    });

    test('a pause takes back the waiting calls and stops the timers of this workflow alone; so does its end', async () => {
      const [ours, theirs] = [await world.organization(), await world.organization()];
      const graph = { call: ['VOICE_CALL', voice], wait: ['TIME', { delay_hours: 1 }], won: ['CONVERTED'], lost: ['DROPPED'] } as const;
      const edges = ['call COMPLETED > wait', 'call > lost', 'wait > won'];
      const made: { organizationId: string; id: string }[] = [];
      for (const organizationId of [theirs, ours, ours, theirs]) {
        const { id } = await world.workflow(organizationId, graph, edges);
        await world.workflows.enrol(organizationId, id, leads(1, 2, 3));
        made.push({ organizationId, id });
      }
      const campaign = await world.campaign(ours, [1, 2]);
      await world.settle();
      const mine = made[1]!;
      const others = [made[0]!, made[2]!, made[3]!];
      // Of each workflow the first call has ended, the second was begun, the third waits.
      const calls = (await Promise.all(made.map(({ organizationId }) => world.calls.list(organizationId, {}, { page: 1, limit: 100 }))))
        .flatMap(({ rows }) => rows)
        .filter(({ workflowId }) => workflowId !== null);
      const numbered = (n: number) => [
        ...new Map(calls.filter((call) => call.toPhoneNumber === number(n)).map((call) => [call.id, call])).values(),
      ];
      await world.report('completed', ...numbered(1));
      await world.report('received', ...numbered(2));
      world.clock.advance(HOUR / 2);
      const bystanders = async () => [await rowsOf(...others), await rowsNaming(world.place.database, campaign.id)];
      const before = await bystanders();
      await world.workflows.act(ours, mine.id, 'pause');
      assert.deepEqual(await bystanders(), before);
      const cancelled = (await world.calls.list(ours, { status: 'cancelled' }, { page: 1, limit: 100 })).rows;
      assert.deepEqual(
        cancelled.map(({ toPhoneNumber, workflowId }) => [toPhoneNumber, workflowId]),
        [[number(3), mine.id]],
      );
      world.clock.advance(10 * HOUR);
      await world.workflows.act(ours, mine.id, 'resume');
      assert.deepEqual(await bystanders(), before);
      // Half an hour was left of the timer; the others' are long over.
      await world.pass(HOUR / 2 - 1);
      assert.deepEqual(await path(ours, mine, 1), ['call completed', 'wait in_progress']);
      for (const other of others) assert.equal((await leadOf(other.organizationId, other, 1)).status, 'completed');
      await world.pass(1);
      assert.deepEqual(await path(ours, mine, 1), ['call completed', 'wait elapsed', 'won converted']);
      const still = await bystanders();
      await world.workflows.act(ours, mine.id, 'cancel');
      assert.deepEqual(await bystanders(), still);
      assert.equal((await world.calls.list(ours, { status: 'cancelled' }, { page: 1, limit: 100 })).total, 2);
      for (const { id, organizationId } of others) await world.workflows.act(organizationId, id, 'cancel');
      await world.campaigns.act(ours, campaign.id, 'cancel');
    });

    test('requests to the application are counted for their own workflow, and made again after their time', async () => {
      const [ours, theirs] = [await world.organization(), await world.organization()];
      const graph = { ask: ['APPLICATION', { action: 'a' }], won: ['CONVERTED'], lost: ['DROPPED'] } as const;
      const edges = ['ask success > won', 'ask failure > lost'];
      const made: { organizationId: string; id: string }[] = [];
      for (const organizationId of [theirs, ours, ours]) {
        const { id } = await world.workflow(organizationId, graph, edges);
        await world.workflows.enrol(organizationId, id, leads(1, 2));
        made.push({ organizationId, id });
      }
      await world.settle();
      const [mine, others] = [made[1]!, [made[0]!, made[2]!]];
      const before = await rowsOf(...others);
      const claim = () => world.runs.claimRequests(mine.id, 100);
      const first = await claim();
      assert.deepEqual(
        first.map(({ phoneNumber, workflowId }) => [phoneNumber, workflowId]),
        [1, 2].map((n) => [number(n), mine.id]),
      );
      assert.deepEqual(await claim(), [], 'each is asked for');
      await world.runs.answered(first[0]!, true);
      await world.runs.answered(first[1]!, false);
      assert.deepEqual(await path(ours, mine, 1), ['ask success', 'won converted']);
      world.clock.advance(CALL_LIMITS.applicationRetryMs - 1);
      assert.deepEqual(await claim(), []);
      world.clock.advance(1);
      assert.equal((await claim()).length, 1);
      // Its node died: nobody tells, and it is asked for once more.
      world.clock.advance(CALL_LIMITS.applicationTimeoutMs + CALL_LIMITS.applicationRetryMs - 1);
      assert.deepEqual(await claim(), []);
      world.clock.advance(1);
      const [last] = await claim();
      await world.runs.answered(last!, false);
      await world.runs.answered(last!, true); // too late
      assert.deepEqual(await path(ours, mine, 2), ['ask failure', 'lost dropped']);
      assert.deepEqual(await rowsOf(...others), before);
      // Whose every try was a dead node's has failed.
      const second = others[1]!;
      for (let tries = 0; tries < CALL_LIMITS.applicationTries; tries++) {
        assert.equal((await world.runs.claimRequests(second.id, 100)).length, 2);
        world.clock.advance(CALL_LIMITS.applicationTimeoutMs + CALL_LIMITS.applicationRetryMs);
      }
      assert.deepEqual(await world.runs.claimRequests(second.id, 100), []);
      for (const n of [1, 2]) assert.deepEqual(await path(ours, second, n), ['ask failure', 'lost dropped']);
    });

    test('a copy has its nodes and edges in the order of the original, and is walked in it', async () => {
      const [ours, theirs] = [await world.organization(), await world.organization()];
      const nodes = {
        start: ['CONDITIONAL', { condition_field: 'n', branches: ['x'] }],
        b: ['CONVERTED'],
        c: ['DROPPED'],
        d: ['CONVERTED'],
      } as const;
      // Two edges fit a lead without a branch: the first is taken.
      const edges = ['start x > d', 'start > c', 'start > b'];
      const original = await world.workflow(ours, nodes, edges);
      const bystander = await world.workflow(theirs, nodes, edges);
      const before = await rowsNaming(world.place.database, original.id, bystander.id);
      const copy = await world.workflows.duplicate(ours, original.id);
      assert.deepEqual(await rowsNaming(world.place.database, original.id, bystander.id), before);
      const shape = async (id: string) => {
        const graph = await world.workflows.graph(ours, id);
        const label = (node: string) => graph.nodes.get(node)!.label;
        return [
          [...graph.nodes.values()].map((node) => node.label),
          graph.edges.map((edge) => [label(edge.from), edge.label, label(edge.to)]),
        ];
      };
      assert.deepEqual(await shape(copy.id), [
        ['start', 'b', 'c', 'd'],
        [
          ['start', 'x', 'd'],
          ['start', null, 'c'],
          ['start', null, 'b'],
        ],
      ]);
      assert.deepEqual(await shape(original.id), await shape(copy.id));
      await world.workflows.act(ours, copy.id, 'activate');
      for (const { id } of [original, copy]) await world.workflows.enrol(ours, id, leads(1));
      await world.settle();
      for (const workflow of [original, copy]) assert.deepEqual(await path(ours, workflow, 1), ['start no_branch', 'c dropped']);
    });

    test('a node or an edge that is changed or deleted, and a lead that is taken out, are of this workflow', async () => {
      const [ours, theirs] = [await world.organization(), await world.organization()];
      const graph = { wait: ['TIME', { delay_hours: 1 }], later: ['TIME', { delay_hours: 1 }], won: ['CONVERTED'] } as const;
      const edges = ['wait > later', 'later > won', 'wait > won'];
      const made: { organizationId: string; id: string; nodes: Readonly<Record<string, string>> }[] = [];
      for (const organizationId of [theirs, ours, ours]) {
        const { id, nodes } = await world.workflow(organizationId, graph, edges);
        await world.workflows.enrol(organizationId, id, leads(1, 2));
        made.push({ organizationId, id, nodes });
      }
      await world.settle();
      const [mine, others] = [made[1]!, [made[0]!, made[2]!]];
      const before = await rowsOf(...others);
      const { edges: all } = await world.workflows.graph(ours, mine.id);
      await world.workflows.changeNode(ours, mine.id, mine.nodes.later!, { label: 'much later' });
      await world.workflows.deleteEdge(ours, mine.id, all[2]!.id);
      assert.deepEqual((await world.workflows.graph(ours, mine.id)).edges, all.slice(0, 2));
      const second = await leadOf(ours, mine, 2);
      await world.workflows.removeLead(ours, mine.id, (await leadOf(ours, mine, 1)).id);
      assert.deepEqual([(await leadOf(ours, mine, 1)).status, await leadOf(ours, mine, 2)], ['removed', second]);
      await world.workflows.deleteNode(ours, mine.id, mine.nodes.wait!);
      assert.deepEqual([(await leadOf(ours, mine, 2)).phase, (await leadOf(ours, mine, 2)).dueAt], ['stuck', null]);
      assert.deepEqual(
        [...(await world.workflows.graph(ours, mine.id)).nodes.values()].map(({ label }) => label),
        ['much later', 'won'],
      );
      assert.deepEqual(await rowsOf(...others), before);
      await assert.rejects(world.workflows.delete(ours, mine.id), /cancel it first/);
      await world.workflows.act(ours, mine.id, 'cancel');
      await world.workflows.delete(ours, mine.id);
      assert.deepEqual(await rowsOf(...others), before);
      assert.deepEqual(await rowsNaming(world.place.database, mine.id), {});
    });
  });
}
