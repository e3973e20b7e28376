import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, Dialler, Receiver, type ApiClient, type TakenCall } from '@dialhook/testing';
import { CALL_LIMITS } from '../../calls/limits.ts';
import { WORKFLOW_STATUSES, WORKFLOW_TRANSITIONS } from '../../calls/states.ts';
import { startClockedServer, type ClockedServer } from './clocked.fixture.ts';

interface Workflow {
  readonly id: string;
  readonly title: string;
  readonly status: string;
}
interface Lead {
  readonly id: string;
  readonly phone_number: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly current_node_id: string | null;
  readonly metadata: Record<string, string>;
}
interface Page<Row> {
  readonly data: Row[];
  readonly meta: { readonly total: number };
}
interface Refused {
  readonly statusCode: number;
  readonly message: string | string[];
  readonly error: string;
}
interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly workflow: { id: string; title: string }; readonly lead: Lead };
}
interface Step {
  readonly node_label: string;
  readonly status: string;
  readonly call_id: string | null;
  readonly exited_at: string | null;
}

const HOUR = 3_600_000;
const number = (n: number) => `+447700900${String(n).padStart(3, '0')}`;
const voice = { agent_id: 'agt_1', from_phone_number: '+442079460001' };

for (const kind of DATABASE_KINDS) {
  describe(`DialNexa workflows on ${kind}`, () => {
    let place: ClockedServer;
    let clock: ClockedServer['clock'];
    let soon: ClockedServer['soon'];
    let receiver: Receiver;
    let dialler: Dialler;
    before(async () => {
      receiver = await Receiver.start();
      place = await startClockedServer(kind, { DIALHOOK_APPLICATION_URL: receiver.url('/application') });
      ({ clock, soon } = place);
      dialler = new Dialler(place.operator);
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    const organization = async () => {
      const made = await place.organization({ kind: 'dialnexa' });
      const events = ['workflow.lead.completed'];
      await made.api.send('POST', '/v1/user-webhooks', { url: receiver.url(`/${made.slug}`), events, secret: 'chosen-by-us' });
      return {
        ...made,
        events: () => receiver.received.filter(({ path }) => path === `/${made.slug}`).map(({ body }) => JSON.parse(body) as Event),
      };
    };
    /** Makes a workflow of nodes by name and edges `from > to` or `from LABEL > to`. */
    const build = async (api: ApiClient, nodes: Record<string, [string, object?]>, edges: string[]) => {
      const { id } = (await api.send<Workflow>('POST', '/v1/workflows', { title: 'Trial follow-up' })).body;
      const ids: Record<string, string> = {};
      for (const [label, [node_type, config]] of Object.entries(nodes)) {
        const answer = await api.send<{ id: string }>('POST', `/v1/workflows/${id}/nodes`, { node_type, label, config });
        assert.equal(answer.status, 201, JSON.stringify(answer.body));
        ids[label] = answer.body.id;
      }
      for (const edge of edges) {
        const [, from, label, to] = /^(\w+) ?(\w*) > (\w+)$/.exec(edge)!;
        const body = { from_node_id: ids[from!], to_node_id: ids[to!], label: label === '' ? null : label };
        assert.equal((await api.send('POST', `/v1/workflows/${id}/edges`, body)).status, 201);
      }
      return { id, ids };
    };
    const act = (api: ApiClient, id: string, verb: string) => api.send<Workflow & Refused>('POST', `/v1/workflows/${id}/${verb}`);
    const activate = async (api: ApiClient, id: string) =>
      assert.deepEqual((await act(api, id, 'activate')).body, { id, status: 'active' });
    const enrol = async (api: ApiClient, id: string, csv: string) => {
      const form = new FormData();
      form.append('file', new Blob([csv]), 'leads.csv');
      return api.send<{ leads_enrolled: number } & Refused>('POST', `/v1/workflows/${id}/leads`, form);
    };
    const leads = async (api: ApiClient, id: string, query = '') =>
      (await api.get<Page<Lead>>(`/v1/workflows/${id}/leads?limit=100${query}`)).body;
    const leadOf = async (api: ApiClient, id: string, n = 0) =>
      (await leads(api, id)).data.find(({ phone_number: to }) => to === number(n))!;
    const history = async (api: ApiClient, id: string, lead: Lead) =>
      (await api.get<{ history: Step[] }>(`/v1/workflows/${id}/leads/${lead.id}/history`)).body.history;
    /** Calls that were taken and not answered yet, of all tests. */
    const ringing = new Map<string, TakenCall>();
    const takeAll = async () => {
      for (const call of await dialler.take()) ringing.set(call.to_phone_number, call);
    };
    const isRinging = async (n: number) => (await takeAll(), ringing.has(number(n)));
    const answerCall = async (n: number, status: string, more: object = {}) => {
      await soon(`${n} is called`, () => isRinging(n));
      await dialler.report({ call_id: ringing.get(number(n))!.id, status, ...more });
      ringing.delete(number(n));
    };

    test('leads wait for the application as long as it takes, in the database, and each try is a request that was made', async () => {
      const [busy, bystander] = [await organization(), await organization()];
      const graph = { ask: ['APPLICATION', { action: 'a' }], won: ['CONVERTED'], lost: ['DROPPED'] } as const;
      const edges = ['ask success > won', 'ask failure > lost'];
      const big = await build(busy.api, graph as never, edges);
      const small = await build(bystander.api, graph as never, edges);
      const asked: string[] = [];
      let isHanging = true;
      receiver.answer = ({ body, path }) => {
        if (path !== '/application') return 200;
        const { workflow_id: workflow } = JSON.parse(body) as { workflow_id: string };
        asked.push(workflow);
        return isHanging && workflow === big.id ? () => {} : 200;
      };
      const times = ({ id }: { id: string }) => asked.filter((workflow) => workflow === id).length;
      const room = CALL_LIMITS.applicationsAtOnce;
      const count = 3 * room;
      await activate(busy.api, big.id);
      await enrol(busy.api, big.id, `phone_number\n${Array.from({ length: count }, (_, n) => number(600 + n)).join('\n')}\n`);
      await soon('all room is taken', () => times(big) === room);
      await activate(bystander.api, small.id);
      await enrol(bystander.api, small.id, `phone_number\n${number(500)}\n`);
      // Nobody answers for as long as two tries of each lead take, and none is made that there is no room for.
      for (let round = 1; round <= 6; round++) {
        await soon(`room for ${round} times`, () => times(big) >= round * room);
        await leads(busy.api, big.id);
        assert.equal(times(big), round * room);
        if (round === 1) assert.equal(times(small), 0);
        else assert.equal((await leadOf(bystander.api, small.id, 500)).outcome, 'converted', 'it had its share of the next room');
        clock.advance(CALL_LIMITS.applicationTimeoutMs);
      }
      isHanging = false;
      await soon('every lead is asked for a last time', () => times(big) === CALL_LIMITS.applicationTries * count, 50);
      await soon('and is won', async () => (await leads(busy.api, big.id, '&status=completed')).meta.total === count);
      assert.deepEqual([times(big), times(small)], [CALL_LIMITS.applicationTries * count, 1]);
      receiver.answer = () => 200;
    });

    test('nodes, edges and steps say whose they are; every table has a primary key', async () => {
      const { database } = place.server;
      for (const table of ['workflow_nodes', 'workflow_edges', 'workflow_steps']) {
        const owner = table === 'workflow_steps' ? 'workflow_leads o on o.id = t.lead_id' : 'workflows o on o.id = t.workflow_id';
        const [row] = await database.query<{ all: number; right: number }>({
          text: `select count(*) as all, count(*) filter (where t.organization_id = o.organization_id) as right from ${table} t join ${owner}`,
        });
        assert.ok(row!.all > 0, table);
        assert.equal(row!.right, row!.all, table);
      }
      const without = await database.query({
        text: `select c.relname from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
                 and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')`,
      });
      assert.deepEqual(without, []);
    });

    test('leads walk the graph: calls, time, conditions, the application, and both ends', async () => {
      const { api, events } = await organization();
      const before = receiver.received.length;
      const { id, ids } = await build(
        api,
        {
          call: ['VOICE_CALL', voice],
          long: [
            'CONDITIONAL',
            {
              conditions: [
                { field: 'call.duration_seconds', operator: 'greater_than', value: 60 },
                { field: 'plan', operator: 'equals', value: 'PRO' },
              ],
            },
          ],
          crm: ['APPLICATION', { action: 'create_deal', parameters: { stage: 'won' } }],
          wait: ['TIME', { delay_hours: 2 }],
          won: ['CONVERTED'],
          lost: ['DROPPED'],
        },
        [
          'call COMPLETED > long',
          'call DNP > wait',
          'call FAILED > lost',
          'long true > crm',
          'long > lost',
          'crm success > won',
          'crm failure > lost',
          'wait > crm',
        ],
      );
      await activate(api, id);
      receiver.answer = ({ body, path }) => (path === '/application' && body.includes(number(3)) ? 500 : 200);
      const enrolled = await enrol(
        api,
        id,
        `phone_number,plan\n${[0, 1, 2, 3].map((n) => `${number(n)},${n === 1 ? 'free' : 'pro'}`).join('\n')}\n`,
      );
      assert.deepEqual([enrolled.status, enrolled.body.leads_enrolled], [201, 4]);
      await answerCall(0, 'completed', { duration_seconds: 61 });
      await answerCall(1, 'completed', { duration_seconds: 100 });
      await answerCall(2, 'no_answer');
      await answerCall(3, 'completed', { duration_seconds: 90 });
      await soon('lead 0 is won', async () => (await leadOf(api, id)).status === 'completed');
      await soon('lead 1 is lost', async () => (await leadOf(api, id, 1)).status === 'dropped');
      assert.equal((await leadOf(api, id, 2)).current_node_id, ids.wait);
      clock.advance(HOUR);
      await soon('lead 3 is lost after three tries', async () => (clock.advance(5_000), (await leadOf(api, id, 3)).status === 'dropped'));
      assert.equal((await leadOf(api, id, 2)).status, 'in_progress');
      clock.advance(HOUR);
      await soon('lead 2 is won', async () => (await leadOf(api, id, 2)).status === 'completed');

      const asked = receiver.received
        .slice(before)
        .filter(({ path }) => path === '/application')
        .map(({ body, headers }) => ({ body: JSON.parse(body) as { node: object; lead: Lead }, key: headers['idempotency-key'] }));
      const tries = asked.filter(({ body }) => body.lead.phone_number === number(3));
      assert.deepEqual([tries.length, new Set(tries.map(({ key }) => key)).size], [CALL_LIMITS.applicationTries, 1]);
      assert.deepEqual(asked[0]!.body.node, { id: ids.crm, label: 'crm', action: 'create_deal', parameters: { stage: 'won' } });
      const [first, second] = [await leadOf(api, id), await leadOf(api, id, 2)];
      assert.deepEqual([first.outcome, first.current_node_id, first.metadata], ['converted', ids.won, { plan: 'pro' }]);
      assert.deepEqual(
        (await history(api, id, first)).map(({ node_label, status }) => `${node_label} ${status}`),
        ['call completed', 'long true', 'crm success', 'won converted'],
      );
      const steps = await history(api, id, second);
      assert.deepEqual(
        steps.map(({ node_label, status }) => `${node_label} ${status}`),
        ['call no_answer', 'wait elapsed', 'crm success', 'won converted'],
      );
      assert.ok(steps[0]!.call_id?.startsWith('call_'));
      assert.ok(steps.every(({ exited_at }) => exited_at !== null));
      await soon('two events', () => events().length === 2, 250); // a node whose time has leapt sends nothing until its next heartbeat
      assert.deepEqual(
        events().map(({ data, event }) => [event, data.workflow, data.lead.outcome, data.lead.status]),
        [0, 1].map(() => ['workflow.lead.completed', { id, title: 'Trial follow-up' }, 'converted', 'completed']),
      );
      assert.equal((await leads(api, id, '&status=dropped')).meta.total, 2);
    });

    test('a pause freezes timers and starts nothing; calls under way end; resume goes on with the time left', async () => {
      const { api, events } = await organization();
      const { id, ids } = await build(
        api,
        { wait: ['TIME', { duration_value: 60, unit: 'minutes' }], call: ['VOICE_CALL', voice], won: ['CONVERTED'] },
        ['wait > call', 'call > won'],
      );
      await activate(api, id);
      await enrol(api, id, `phone_number\n${number(10)}\n`);
      await soon('it waits', async () => (await leadOf(api, id, 10)).current_node_id === ids.wait);
      clock.advance(HOUR / 2);
      await enrol(api, id, `phone_number\n${number(11)}\n`);
      await soon('both wait', async () => (await leadOf(api, id, 11)).current_node_id === ids.wait);
      assert.equal((await act(api, id, 'pause')).body.status, 'paused');
      clock.advance(10 * HOUR);
      await enrol(api, id, `phone_number\n${number(12)}\n`);
      const frozen = await leads(api, id);
      assert.deepEqual(frozen.data.map(({ status }) => status).sort(), ['in_progress', 'in_progress', 'pending']);
      for (const n of [10, 11, 12]) assert.ok(!(await isRinging(n)));
      assert.equal((await act(api, id, 'resume')).body.status, 'active');
      clock.advance(HOUR / 2 - 60_000);
      await soon('the new one waits', async () => (await leadOf(api, id, 12)).current_node_id === ids.wait);
      assert.ok(!(await isRinging(10)), 'a minute is left');
      clock.advance(60_000);
      await soon('the first is called', () => isRinging(10));
      assert.ok(!(await isRinging(11)));
      await act(api, id, 'pause');
      await answerCall(10, 'completed');
      clock.advance(HOUR);
      assert.equal((await leadOf(api, id, 10)).status, 'in_progress', 'its call ended, the next step is not begun');
      await act(api, id, 'resume');
      await soon('it is won', async () => (await leadOf(api, id, 10)).status === 'completed');
      clock.advance(HOUR / 2);
      await answerCall(11, 'completed');
      await soon('two events', () => events().length === 2, 250); // a node whose time has leapt sends nothing until its next heartbeat
    });

    test('a loop ends after the greatest number of steps', async () => {
      const { api, events } = await organization();
      const { id } = await build(
        api,
        {
          start: ['CONDITIONAL', { condition_field: 'plan', branches: ['pro'] }],
          a: ['CONDITIONAL', { condition_field: 'plan', branches: ['x'] }],
          b: ['CONDITIONAL', { condition_field: 'plan', branches: ['x'] }],
        },
        ['start > a', 'a > b', 'b > a'],
      );
      await activate(api, id);
      await enrol(api, id, `phone_number,plan\n${number(20)},free\n`);
      const lead = await soon('it has failed', async () => {
        const found = await leadOf(api, id, 20);
        return found.status === 'failed' && found;
      });
      assert.equal(lead.outcome, 'too_many_steps');
      assert.equal((await history(api, id, lead)).length, CALL_LIMITS.steps);
      assert.deepEqual(events(), []);
    });

    test('no edge that fits leaves the lead where it is; a deleted node strands its leads; removed leads are left alone', async () => {
      const { api, events } = await organization();
      const { id, ids } = await build(api, { call: ['VOICE_CALL', voice], wait: ['TIME', { delay_hours: 1 }], won: ['CONVERTED'] }, [
        'call COMPLETED > wait',
        'wait > won',
      ]);
      await activate(api, id);
      await enrol(api, id, `phone_number\n${[30, 31, 32, 33].map(number).join('\n')}\n`);
      await answerCall(30, 'failed');
      await answerCall(31, 'completed');
      await soon('31 waits', async () => (await leadOf(api, id, 31)).current_node_id === ids.wait);
      const removed = await leadOf(api, id, 32);
      const path = `/v1/workflows/${id}/leads/${removed.id}`;
      assert.deepEqual((await api.send<{ message: string }>('DELETE', path)).body, { message: 'Lead removed from workflow.' });
      assert.equal((await api.send('DELETE', path)).status, 409);
      await answerCall(33, 'completed');
      assert.equal((await api.send('DELETE', `/v1/workflows/${id}/nodes/${ids.wait}`)).status, 409, 'won would be a second entry');
      await api.send('POST', `/v1/workflows/${id}/edges`, { from_node_id: ids.call, to_node_id: ids.won, label: 'FAILED' });
      assert.equal((await api.send('DELETE', `/v1/workflows/${id}/nodes/${ids.wait}`)).status, 200);
      clock.advance(2 * HOUR);
      const statuses = Object.fromEntries((await leads(api, id)).data.map(({ phone_number, status }) => [phone_number, status]));
      assert.deepEqual(
        [30, 31, 32, 33].map((n) => statuses[number(n)]),
        ['in_progress', 'in_progress', 'removed', 'in_progress'],
      );
      assert.deepEqual(events(), []);
    });

    test('calls whose history is gone end as failed and free their line; the others live on', async () => {
      const { api } = await organization();
      const { id } = await build(api, { call: ['VOICE_CALL', voice], won: ['CONVERTED'], lost: ['DROPPED'] }, [
        'call FAILED > lost',
        'call > won',
      ]);
      await activate(api, id);
      await enrol(api, id, `phone_number\n${[50, 51, 52].map(number).join('\n')}\n`);
      await soon('all are called', async () => (await isRinging(50)) && (await isRinging(51)) && isRinging(52));
      const [reported, silent, bystander] = [50, 51, 52].map((n) => ringing.get(number(n))!);
      const { database } = place.server;
      const uuid = (call: TakenCall) => call.id.slice('call_'.length);
      await database.query({ text: 'delete from calls where id = any ($1::uuid[])', values: [[uuid(reported!), uuid(silent!)]] });
      const live = () => database.query({ text: 'select * from live_calls where call = any ($1::uuid[])', values: [[uuid(bystander!)]] });
      const before = await live();
      assert.deepEqual(await dialler.report({ call_id: reported!.id, status: 'completed' }), ['unknown_call']);
      await soon('the reported one has failed', async () => (await leadOf(api, id, 50)).status === 'dropped');
      await database.query({ text: 'update live_calls set ends_at = to_timestamp(0) where call = $1', values: [uuid(silent!)] });
      await soon(
        'so has the silent one',
        async () => (clock.advance(CALL_LIMITS.sweepIntervalMs), (await leadOf(api, id, 51)).status === 'dropped'),
      );
      assert.deepEqual(await live(), before);
      const [rows] = await database.query<{ calling_leads: number; live: number }>({
        text: `select w.calling_leads, (select count(*) from live_calls l where l.workflow_id = w.id) as live from workflows w where w.id = $1`,
        values: [id.slice('wf_'.length)],
      });
      assert.deepEqual(rows, { calling_leads: 1, live: 1 });
    });

    test('a call that nobody begins expires, and one that is not heard of any more has failed: every lead goes on', async () => {
      const { api } = await organization();
      const { id } = await build(api, { call: ['VOICE_CALL', voice], won: ['CONVERTED'], lost: ['DROPPED'] }, [
        'call FAILED > lost',
        'call > won',
      ]);
      await activate(api, id);
      await enrol(api, id, `phone_number\n${[40, 41].map(number).join('\n')}\n`);
      await soon('both are called', async () => (await isRinging(40)) && isRinging(41));
      await dialler.report({ call_id: ringing.get(number(40))!.id, status: 'received' });
      clock.advance(CALL_LIMITS.silentMs + CALL_LIMITS.sweepIntervalMs);
      await soon(
        'the one that went silent has failed',
        async () => (clock.advance(CALL_LIMITS.sweepIntervalMs), (await leadOf(api, id, 40)).status === 'dropped'),
      );
      assert.equal((await leadOf(api, id, 41)).status, 'in_progress', 'it was taken and may still be begun');
      clock.advance(CALL_LIMITS.waitingMs);
      await soon(
        'the other has expired',
        async () => (clock.advance(CALL_LIMITS.sweepIntervalMs), (await leadOf(api, id, 41)).status === 'dropped'),
      );
      const statuses = (await api.get<Page<{ status: string; end_reason: string | null }>>('/v1/calls')).body.data.map((call) => [
        call.status,
        call.end_reason,
      ]);
      assert.deepEqual(
        statuses.sort(([a], [b]) => (a! < b! ? -1 : 1)),
        [
          ['failed', 'unknown'],
          ['retry_expired', null],
        ],
      );
    });

    test('graphs are checked when they are activated, and configs when they are stored', async () => {
      const { api } = await organization();
      const refused = async (nodes: Parameters<typeof build>[1], edges: string[], ...patterns: RegExp[]) => {
        const { id } = await build(api, nodes, edges);
        const { body, status } = await act(api, id, 'activate');
        assert.equal(status, 400);
        for (const pattern of patterns) assert.match(String(body.message), pattern);
        return id;
      };
      await refused({}, [], /has no nodes/);
      await refused({ a: ['CONVERTED'], b: ['DROPPED'] }, [], /exactly one node.*there are 2/);
      await refused({ a: ['TIME', { delay_hours: 1 }], b: ['TIME', { delay_hours: 1 }] }, ['a > b', 'b > a'], /there are 0/);
      await refused({ a: ['VOICE_CALL', { agent_id: 'x' }] }, [], /"a" needs an outgoing edge/, /"a" needs config.from_phone_number/);
      await refused({ a: ['TIME', { duration_value: 3 }], b: ['CONVERTED'] }, ['a > b'], /"a" needs config.delay_hours/);
      const id = await refused({ a: ['CONDITIONAL'], b: ['CONVERTED'] }, ['a > b'], /"a" needs config.condition_field/);
      for (const [body, pattern] of [
        [{ node_type: 'SMS', label: 'x' }, /node_type must be one of/],
        [{ node_type: 'TIME', label: 'x', config: { delay_hours: -1 } }, /config.delay_hours/],
        [{ node_type: 'TIME', label: 'x', config: { dely: 1 } }, /config.dely is not a known field/],
        [{ node_type: 'CONDITIONAL', label: 'x', config: { conditions: [{ field: 'a', operator: 'like' }] } }, /operator must be one of/],
        [{ node_type: 'VOICE_CALL', label: '' }, /label/],
      ] as const) {
        const answer = await api.send<Refused>('POST', `/v1/workflows/${id}/nodes`, body);
        assert.equal(answer.status, 400);
        assert.match(String(answer.body.message), pattern);
      }
      const edge = await api.send<Refused>('POST', `/v1/workflows/${id}/edges`, { from_node_id: 'node_1', to_node_id: 'node_2' });
      assert.deepEqual(edge.body.message, ['from_node_id must be a node of this workflow', 'to_node_id must be a node of this workflow']);
    });

    test('copied, renamed and deleted; nodes and edges are read and changed', async () => {
      const [{ api }, other] = [await organization(), await organization()];
      const { id, ids } = await build(api, { a: ['TIME', { delay_hours: 1 }], b: ['CONVERTED'] }, ['a > b']);
      const path = `/v1/workflows/${id}`;
      const copy = await api.send<Workflow>('POST', `${path}/duplicate`);
      assert.deepEqual([copy.status, copy.body.title, copy.body.status], [201, 'Trial follow-up (Copy)', 'draft']);
      await activate(api, copy.body.id);
      assert.equal((await api.send('PATCH', path, { status: 'active' })).status, 409);
      assert.equal((await api.send('PATCH', path, {})).status, 400);
      assert.equal((await api.send<Workflow>('PATCH', path, { title: 'New' })).body.title, 'New');
      const node = `${path}/nodes/${ids.a}`;
      assert.equal((await api.send('PATCH', node, { node_type: 'DROPPED' })).status, 400);
      assert.equal((await api.send<{ label: string }>('PATCH', node, { label: 'A', config: { delay_hours: 2 } })).body.label, 'A');
      assert.deepEqual(
        (await api.get<{ data: { label: string }[] }>(`${path}/nodes`)).body.data.map(({ label }) => label),
        ['A', 'b'],
      );
      const [edge] = (await api.get<{ data: { id: string }[] }>(`${path}/edges`)).body.data;
      assert.equal((await api.send('DELETE', `${path}/edges/${edge!.id}`)).status, 200);
      assert.equal((await api.send('DELETE', `${path}/edges/${edge!.id}`)).status, 404);
      for (const [method, target] of [
        ['GET', path],
        ['PATCH', path],
        ['POST', `${path}/activate`],
        ['POST', `${path}/duplicate`],
        ['GET', `${path}/nodes`],
        ['PATCH', node],
        ['DELETE', node],
        ['GET', `${path}/leads`],
        ['DELETE', path],
        ['GET', '/v1/workflows/wf_1'],
      ] as const)
        assert.equal(
          (await other.api.send(method, target, method === 'PATCH' ? { title: 'x', label: 'x' } : undefined)).status,
          404,
          `${method} ${target}`,
        );
      assert.equal((await enrol(other.api, id, `phone_number\n${number(1)}\n`)).status, 404);
      assert.equal((await api.send('DELETE', `/v1/workflows/${copy.body.id}`)).status, 409);
      assert.deepEqual((await api.send<{ message: string }>('DELETE', path)).body, { message: 'Workflow deleted.' });
      assert.equal((await api.get(path)).status, 404);
      assert.equal((await api.get<Page<Workflow>>('/v1/workflows')).body.meta.total, 1);
    });

    test('every way that the table of states does not know is 409', async () => {
      const { api } = await organization();
      const verbs = {
        activate: ['draft', 'active'],
        pause: ['active', 'paused'],
        resume: ['paused', 'active'],
        cancel: [null, 'cancelled'],
      } as const;
      const { id } = await build(api, { a: ['TIME', { delay_hours: 1 }], b: ['CONVERTED'] }, ['a > b']);
      for (const from of WORKFLOW_STATUSES) {
        for (const [verb, [only, to]] of Object.entries(verbs)) {
          await place.server.database.query({ text: 'update workflows set status = $1, paused_at = null', values: [from] });
          const known = WORKFLOW_TRANSITIONS[from].includes(to) && (only === null || only === from);
          const answer = await act(api, id, verb);
          assert.equal(answer.status, known ? 200 : 409, `${from} ${verb}`);
          assert.equal((await api.get<Workflow>(`/v1/workflows/${id}`)).body.status, known ? to : from);
          if (!known) assert.deepEqual([answer.body.statusCode, answer.body.error], [409, 'Conflict']);
        }
      }
      assert.equal((await enrol(api, id, `phone_number\n${number(1)}\n`)).status, 409);
    });
  });
}
