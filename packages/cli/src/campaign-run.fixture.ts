import { strict as assert } from 'node:assert';
import type { TestContext } from 'node:test';
import { Dialler, openAdmin } from '@dialhook/testing';
import { Fleet, NODES, number, single } from './fleet.fixture.ts';

interface Counts {
  readonly id: string;
  readonly status: string;
  readonly total_leads: number;
  readonly completed_calls: number;
  readonly failed_calls: number;
  readonly pending_calls: number;
}

const LINES = 20;
const RETRIES = 2;

/** A campaign on two nodes, three kills: every lead has its outcome, every call its event, and never too many at once. */
export async function runCampaign(t: TestContext, leadCount: number): Promise<void> {
  const fleet = await Fleet.start(t);
  const campaign = await fleet.send<Counts>('POST', '/v1/campaigns', {
    name: 'Autumn',
    agent_id: 'agt_1',
    from_phone_number: '+442079460001',
    max_concurrent_calls: LINES,
    retry_config: { max_retries: RETRIES, retry_interval_minutes: 1 },
  });
  await fleet.upload(
    `/v1/campaigns-leads/upload-file/${campaign.id}`,
    `phone_number\n${Array.from({ length: leadCount }, (_, n) => number(n)).join('\n')}\n`,
  );

  /** What the dialled say: of a hundred, 30 do not answer the first time, 10 the second, 3 are busy, 4 have a bad number. */
  const outcome = (to: string, attempt: number) => {
    const n = Number(to.slice(-5)) % 100;
    if (n < (attempt === 1 ? 30 : 10)) return 'no_answer';
    return n >= 93 && n < 96 && attempt === 1 ? 'busy' : n >= 96 ? 'failed' : 'completed';
  };
  /** Calls by id: open from being taken to their end. */
  const calls = new Map<string, { readonly to: string; readonly attempt: number; open: boolean }>();
  let most = 0;
  let ended = 0;
  /** Calls that have ended when a node is killed, and which. */
  const kills = [0.25, 0.6, 0.9].map((share, turn) => ({ at: leadCount * share, node: turn % NODES }));
  let isOver = false;
  const dial = async (first: number) => {
    for (let turn = first; !isOver; turn++) {
      const dialler = new Dialler(fleet.operators[turn % NODES]!);
      // A call whose answer a kill swallowed comes again after five seconds.
      const taken = await dialler.take(LINES, 5).catch(() => null);
      if (taken === null) continue;
      const fresh = taken.filter(({ id }) => !calls.has(id));
      for (const { attempt, id, to_phone_number: to } of fresh) calls.set(id, { to, attempt, open: true });
      most = Math.max(most, [...calls.values()].filter(({ open }) => open).length);
      if (taken.length === 0) {
        isOver = (await fleet.send<Counts>('GET', `/v1/campaigns/${campaign.id}/status`)).status === 'completed';
        continue;
      }
      // A call is over when it has ended, whoever knows of it yet: the answer to the report may come after the next calls.
      for (const { id } of taken) {
        const call = calls.get(id)!;
        if (call.open) ended += 1;
        call.open = false;
      }
      const reports = taken.map(({ attempt, id, to_phone_number: to }) => ({ call_id: id, status: outcome(to, attempt) }));
      // Once, or twice in one request, or again because nobody knows whether it arrived.
      const twice = reports.flatMap((report, index) => (index % 5 === 0 ? [report, report] : [report]));
      const results = await fleet.whicheverIsThere((operator) => new Dialler(operator).report(...twice));
      assert.ok(
        results.every((result) => result === 'applied' || result === 'late'),
        results.join(),
      );
      if (kills[0] !== undefined && ended >= kills[0].at) {
        await fleet.restarting;
        const due = kills[0] !== undefined && ended >= kills[0].at ? kills.shift() : undefined; // or the other caller has done it
        if (due !== undefined) fleet.kill(due.node);
      }
    }
  };
  await Promise.all([dial(0), dial(1)]);
  await fleet.restarting;
  assert.deepEqual(kills, []);
  assert.ok(most <= LINES, `${most} calls at once`);

  const counts = await fleet.send<Counts>('GET', `/v1/campaigns/${campaign.id}`);
  await fleet.noneWaits();
  const database = await openAdmin(fleet.place);
  const rows = await database.query<{ phone_number: string; status: string; attempts: number }>({
    text: 'select phone_number, status, attempts from campaign_leads',
  });
  const stored = await database.query<{ status: string; from: Date; to: Date; attempt: number; to_number: string }>({
    text: 'select status, created_at as "from", ended_at as "to", attempt, to_phone_number as to_number from calls',
  });
  await database.close();
  assert.equal(rows.length, leadCount);
  const expected = new Map(Array.from({ length: leadCount }, (_, n) => [number(n), walk(number(n), outcome, RETRIES)]));
  for (const { attempts, phone_number: to, status } of rows) assert.deepEqual({ status, attempts }, expected.get(to), to);
  const completed = rows.filter(({ status }) => status === 'completed').length;
  assert.deepEqual(
    [counts.status, counts.total_leads, counts.completed_calls, counts.failed_calls, counts.pending_calls],
    ['completed', leadCount, completed, leadCount - completed, 0],
  );
  const attempts = [...expected.values()].reduce((sum, lead) => sum + lead.attempts, 0);
  assert.equal(stored.length, attempts, 'one call for each attempt');
  assert.ok(stored.every(({ attempt, status, to_number: to }) => status === outcome(to, attempt)));
  assert.ok(overlap(stored) <= LINES, `${overlap(stored)} calls at once, says the log`);

  const ids = await fleet.eventIds((data) => (data.call ?? data.campaign)!.id);
  const events = ['call.completed', 'call.no_answer', 'call.failed'].map((type) => ids.get(type)!);
  assert.equal(
    events.reduce((sum, things) => sum + things.size, 0),
    attempts,
    'one event for each call',
  );
  assert.ok(events.every(single) && single(ids.get('campaign.completed')), 'one event id for each thing');
  assert.deepEqual([...ids.get('campaign.completed')!.keys()], [campaign.id]);
  t.diagnostic(`${attempts} calls, ${fleet.receiver.received.length} deliveries`);
}

function walk(to: string, outcome: (to: string, attempt: number) => string, retries: number): { status: string; attempts: number } {
  for (let attempts = 1; ; attempts++) {
    const status = outcome(to, attempts);
    if (status === 'completed' || status === 'failed') return { status, attempts };
    if (attempts > retries) return { status: 'failed', attempts };
  }
}

/** How many of these intervals overlap at most; one that begins when another ends does not overlap it. */
function overlap(intervals: readonly { readonly from: Date; readonly to: Date }[]): number {
  const edges = intervals.flatMap(({ from, to }) => [
    { at: from.getTime(), change: 1 },
    { at: to.getTime(), change: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at || a.change - b.change);
  let open = 0;
  return edges.reduce((most, { change }) => Math.max(most, (open += change)), 0);
}
