import { strict as assert } from 'node:assert';
import type { TestContext } from 'node:test';
import { eventually, openAdmin } from '@dialhook/testing';
import { Fleet, number, single } from './fleet.fixture.ts';

/**
 * A workflow of six steps on two nodes, three kills, a pause and a resume: every lead arrives once. `speed` is how many
 * times faster than life simulated calls are: slow enough that the pause comes before the last lead has arrived.
 */
export async function runWorkflow(t: TestContext, leadCount: number, speed: number): Promise<void> {
  const fleet = await Fleet.start(t, (receiver) => ({
    DIALHOOK_CALL_ENGINE: 'simulator',
    DIALHOOK_SIMULATOR_SPEED: String(speed),
    DIALHOOK_APPLICATION_URL: receiver.url('/application'),
  }));
  /** Five of them. */
  const isRefused = (to: string) => Number(to.slice(-5)) % (leadCount / 5) === 1;
  const refuses = (body: string) => isRefused(/"phone_number":"(\+\d*)"/.exec(body)![1]!);
  fleet.receiver.answer = ({ body, path }) => (path === '/application' && refuses(body) ? 500 : 200);
  const { id } = await fleet.send<{ id: string }>('POST', '/v1/workflows', { title: 'Trial follow-up' });
  const node = async (node_type: string, config: object = {}) =>
    (await fleet.send<{ id: string }>('POST', `/v1/workflows/${id}/nodes`, { node_type, label: node_type, config })).id;
  const edge = (from_node_id: string, to_node_id: string, label: string | null = null) =>
    fleet.send('POST', `/v1/workflows/${id}/edges`, { from_node_id, to_node_id, label });
  const call = await node('VOICE_CALL', { agent_id: 'agt_1', from_phone_number: '+442079460001' });
  const wait = await node('TIME', { delay_hours: 0.0005 });
  const plan = await node('CONDITIONAL', { condition_field: 'plan', branches: ['pro', 'free'] });
  const ask = await node('APPLICATION', { action: 'create_deal' });
  const won = await node('CONVERTED');
  const lost = await node('DROPPED');
  await edge(call, plan, 'COMPLETED');
  await edge(call, wait, 'NO_ANSWER');
  await edge(call, lost, 'FAILED');
  await edge(wait, plan);
  await edge(plan, ask, 'pro');
  await edge(plan, won, 'free');
  await edge(ask, won, 'success');
  await edge(ask, lost, 'failure');
  await fleet.send('POST', `/v1/workflows/${id}/activate`);
  await fleet.upload(
    `/v1/workflows/${id}/leads`,
    `phone_number,plan\n${Array.from({ length: leadCount }, (_, n) => `${number(n)},${n % 2 ? 'pro' : 'free'}`).join('\n')}\n`,
  );

  const database = await openAdmin(fleet.place);
  t.after(() => database.close());
  const count = async (text: string) => (await database.query<{ n: number }>({ text: `select count(*) as n from ${text}` }))[0]!.n;
  const reaches = (share: number) =>
    eventually(
      `${share} of the leads have arrived`,
      async () => (await count(`workflow_leads where phase = 'ended'`)) >= leadCount * share,
      90_000,
    );
  await reaches(0.2);
  fleet.kill(0);
  await reaches(0.4);
  assert.equal((await fleet.send<{ status: string }>('POST', `/v1/workflows/${id}/pause`)).status, 'paused');
  await eventually('the calls under way have ended', async () => (await count('live_calls')) === 0);
  const before = [await count('calls'), await count(`workflow_leads where phase = 'ended'`)];
  assert.ok(before[1]! < leadCount, 'the pause is in the middle');
  // A kill and a start take seconds, in which nothing may move.
  await fleet.restarting;
  fleet.kill(1);
  await fleet.restarting;
  assert.deepEqual([await count('calls'), await count(`workflow_leads where phase = 'ended'`)], before, 'a paused workflow stands still');
  await fleet.send('POST', `/v1/workflows/${id}/resume`);
  await reaches(0.7);
  fleet.kill(0);
  await fleet.restarting;
  await reaches(1);
  await fleet.noneWaits();

  const leads = await database.query<{ id: string; phone_number: string; status: string; outcome: string }>({
    text: 'select id, phone_number, status, outcome from workflow_leads',
  });
  const stored = await database.query<{ status: string; to: string }>({
    text: 'select status, to_phone_number as "to" from calls where status <> \'cancelled\'',
  });
  assert.equal(stored.length, leadCount, 'one call for each lead');
  const ends = new Map(stored.map(({ status, to }) => [to, status]));
  for (const { phone_number: to, status } of leads) {
    const isLost = ends.get(to) === 'failed' || ends.get(to) === 'busy' || isRefused(to);
    assert.equal(status, isLost ? 'dropped' : 'completed', `${to} ${ends.get(to)}`);
  }
  assert.equal(await count('workflow_steps where exited_at is null'), 0);
  assert.deepEqual((await database.query({ text: 'select calling_leads from workflows' }))[0], { calling_leads: 0 });
  const ids = await fleet.eventIds((data) => (data.call ?? data.lead)!.id);
  const completed = ids.get('workflow.lead.completed')!;
  assert.deepEqual(
    new Set(completed.keys()),
    new Set(leads.filter(({ status }) => status === 'completed').map(({ id: lead }) => `wlead_${lead.replaceAll('-', '')}`)),
  );
  assert.ok([...ids.values()].every(single), 'one event id for each thing');
  t.diagnostic(`${completed.size} completed of ${leadCount}, ${fleet.receiver.received.length} requests`);
}
