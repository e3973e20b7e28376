import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, Dialler, eventually, Receiver, startTestServer, type TakenCall, type TestServer } from '@dialhook/testing';
import { CALL_EVENTS } from '../../calls/events.ts';
import { CALL_STATUSES, CALL_TRANSITIONS } from '../../calls/states.ts';

interface Call {
  readonly id: string;
  readonly status: string;
  readonly end_reason: string | null;
  readonly duration_seconds: number | null;
  readonly recording_url: string | null;
  readonly metadata: Record<string, unknown>;
  readonly ended_at: string | null;
}
interface Page<Row> {
  readonly data: Row[];
  readonly meta: { readonly total: number };
}
interface Details {
  readonly id: string;
  readonly transcript: string | null;
  readonly timeline: { readonly event: string }[];
  readonly sentiment: string;
}
interface Refused {
  readonly statusCode: number;
  readonly message: string | string[];
}

for (const kind of DATABASE_KINDS) {
  describe(`DialNexa calls on ${kind}`, () => {
    let place: TestServer;
    let receiver: Receiver;
    let dialler: Dialler;
    before(async () => {
      place = await startTestServer(kind);
      receiver = await Receiver.start();
      dialler = new Dialler(place.operator);
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    const organization = async () => {
      const made = await place.organization({ kind: 'dialnexa' });
      const url = receiver.url(`/${made.slug}`);
      await made.api.send('POST', '/v1/user-webhooks', { url, events: Object.values(CALL_EVENTS), secret: 'chosen-by-us' });
      return {
        ...made,
        events: () => receiver.received.filter(({ path }) => path === `/${made.slug}`).map(({ body }) => JSON.parse(body) as Event),
      };
    };
    interface Event {
      readonly id: string;
      readonly event: string;
      readonly organization_id: string;
      readonly data: { readonly call: Call };
    }
    const create = async (api: Awaited<ReturnType<typeof organization>>['api'], more: object = {}) =>
      (await api.send<Call>('POST', '/v1/calls', { agent_id: 'agt_1', to_phone_number: '+447700900123', ...more })).body;
    /** The call as the dialler gets it; what other tests left behind is put aside. */
    const takeOne = async (id: string): Promise<TakenCall> =>
      eventually(`${id} is handed out`, async () => (await dialler.take()).find((call) => call.id === id) ?? null);

    test('a call is placed, taken, followed and ended; reports may come in any order and more than once', async () => {
      const { api, events, slug } = await organization();
      const answer = await api.send<Call>('POST', '/v1/calls', {
        agent_id: 'agt_31xa',
        to_phone_number: '+44 7700 900123',
        from_phone_number: '+442079460001',
        metadata: { order: 'A-17', amount: 3 },
      });
      assert.equal(answer.status, 201);
      assert.deepEqual(Object.keys(answer.body), ['id', 'to_phone_number', 'agent_id', 'agent_version_number', 'status', 'created_at']);
      const { id } = answer.body;
      const taken = await takeOne(id);
      assert.deepEqual([taken.to_phone_number, taken.organization, taken.attempt], ['+447700900123', slug, 1]);
      assert.deepEqual(taken.metadata, { order: 'A-17', amount: 3 });
      assert.equal((await api.get<Call>(`/v1/calls/${id}`)).body.status, 'sent');

      const end = { call_id: id, status: 'completed', duration_seconds: 88, end_reason: 'agent_disconnected' };
      assert.deepEqual(await dialler.report(end, { call_id: id, status: 'received' }, end), ['applied', 'late', 'late']);
      assert.deepEqual(
        await dialler.report({ ...end, recording_url: 'https://rec.example.net/1.mp3', transcript: 'Agent: Hi.\nUser: Hi.' }),
        ['late'],
      );
      assert.deepEqual(await dialler.report({ call_id: id, status: 'failed' }), ['conflict']);
      assert.deepEqual(
        await dialler.report({ call_id: `call_${'0'.repeat(32)}`, status: 'failed' }, { call_id: 'nonsense', status: 'busy' }),
        ['unknown_call', 'unknown_call'],
      );

      const call = (await api.get<Call>(`/v1/calls/${id}`)).body;
      assert.deepEqual(
        [call.status, call.end_reason, call.duration_seconds, call.recording_url],
        ['completed', 'agent_disconnected', 88, 'https://rec.example.net/1.mp3'],
      );
      const details = (await api.get<Details>(`/v1/call-logs/${id.replace('call_', 'log_')}/details`)).body;
      assert.equal(details.transcript, 'Agent: Hi.\nUser: Hi.');
      assert.deepEqual(details.timeline.map(({ event }) => event).sort(), ['completed', 'initiated', 'received', 'sent']);

      await receiver.until(() => events().length === 1);
      const [event] = events();
      assert.deepEqual([event!.event, event!.data.call.id, event!.data.call.status], ['call.completed', id, 'completed']);
      assert.equal(event!.data.call.ended_at, call.ended_at);
      assert.deepEqual(event!.data.call.metadata, { order: 'A-17', amount: 3 });
    });

    test('each end fires one event or none, as the table says', async () => {
      const { api, events } = await organization();
      const ends = CALL_STATUSES.filter((status) => CALL_TRANSITIONS[status].length === 0);
      const byCall = new Map<string, string>();
      for (const status of ends) {
        const { id } = await create(api);
        byCall.set(id, status);
        await takeOne(id);
        assert.deepEqual(await dialler.report({ call_id: id, status }, { call_id: id, status }), ['applied', 'late']);
      }
      const expected = ends.filter((status) => CALL_EVENTS[status] !== undefined);
      assert.deepEqual(expected, ['completed', 'did_not_pick', 'busy', 'no_answer', 'failed']);
      await receiver.until(() => events().length === expected.length);
      assert.deepEqual(
        events()
          .map(({ data, event }) => `${byCall.get(data.call.id)} ${event}`)
          .sort(),
        expected.map((status) => `${status} ${CALL_EVENTS[status]}`).sort(),
      );
      const { body } = await api.get<Page<Call>>('/v1/calls?status=busy');
      assert.deepEqual([body.meta.total, body.data[0]!.end_reason], [1, 'user_busy']);
    });

    test('concurrent ends: one wins, the others are told', async () => {
      const { api, events } = await organization();
      const { id } = await create(api);
      await takeOne(id);
      const results = await Promise.all(
        ['completed', 'failed', 'no_answer', 'completed', 'busy'].map(
          async (status) => (await dialler.report({ call_id: id, status }))[0]!,
        ),
      );
      assert.equal(results.filter((result) => result === 'applied').length, 1);
      assert.ok(
        results.every((result) => ['applied', 'late', 'conflict'].includes(result)),
        results.join(),
      );
      const { status } = (await api.get<Call>(`/v1/calls/${id}`)).body;
      await receiver.until(() => events().length > 0);
      assert.deepEqual(
        events().map(({ data }) => data.call.status),
        [status],
      );
    });

    test('a call is handed to one taker, and not again once it was heard of', async () => {
      const { api } = await organization();
      const ids = new Set((await Promise.all(Array.from({ length: 12 }, () => create(api)))).map(({ id }) => id));
      const taken = (await Promise.all(Array.from({ length: 6 }, () => dialler.take(5)))).flat().filter(({ id }) => ids.has(id));
      const rest = (await dialler.take()).filter(({ id }) => ids.has(id));
      assert.deepEqual(new Set([...taken, ...rest].map(({ id }) => id)), ids);
      assert.equal(taken.length + rest.length, ids.size);
    });

    test('lists are filtered, paged and bounded to the organization; unchanged log pages are 304', async () => {
      const [mine, other] = [await organization(), await organization()];
      const { id } = await create(mine.api, { agent_id: 'agt_mine' });
      await create(mine.api, { agent_id: 'agt_else' });
      const page = (await mine.api.get<Page<Call>>('/v1/calls?agent_id=agt_mine&limit=1')).body;
      assert.deepEqual([page.meta.total, page.data[0]!.id], [1, id]);
      assert.equal((await mine.api.get<Page<Call>>('/v1/calls?to=2020-01-01T00:00:00.000Z')).body.meta.total, 0);
      for (const path of [
        `/v1/calls/${id}`,
        `/v1/call-logs/${id.replace('call_', 'log_')}`,
        '/v1/calls/call_1',
        `/v1/call-logs/campaign/${id}`,
      ])
        assert.equal((await other.api.get(path)).status, 404, path);
      assert.equal((await mine.api.get(`/v1/call-logs/${id.replace('call_', 'log_')}`)).status, 404, 'not before the call has ended');
      await takeOne(id);
      await dialler.report({ call_id: id, status: 'completed' });
      const logs = await mine.api.get<Page<Details>>('/v1/call-logs');
      assert.equal(logs.body.meta.total, 1);
      const etag = logs.headers.get('etag')!;
      const again = await mine.api.send('GET', '/v1/call-logs', undefined, { 'if-none-match': etag });
      assert.deepEqual([again.status, again.body], [304, null]);
      assert.equal((await mine.api.send('GET', '/v1/call-logs', undefined, { 'if-none-match': '"other"' })).status, 200);
    });

    test('bad input names the field, and places nothing', async () => {
      const { api } = await organization();
      const valid = { agent_id: 'a', to_phone_number: '+447700900123' };
      for (const [change, pattern] of [
        [{ to_phone_number: '7700900123' }, /to_phone_number must be a phone number in E\.164/],
        [{ to_phone_number: 'nonsense', from_phone_number: '+1' }, /to_phone_number.*from_phone_number/],
        [{ agent_id: '' }, /agent_id/],
        [{ agent_id: 7 }, /agent_id/],
        [{ metadata: { a: { b: 1 } } }, /metadata/],
        [{ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, n])) }, /metadata/],
        [{ agent_version_number: 1.5 }, /agent_version_number/],
      ] as const) {
        const { body, status } = await api.send<Refused>('POST', '/v1/calls', { ...valid, ...change });
        assert.equal(status, 400);
        assert.match(String(body.message), pattern);
      }
      assert.equal((await api.send('POST', '/v1/calls', '[')).status, 400);
      assert.equal((await api.get<Refused>('/v1/calls?from=yesterday')).status, 400);
      assert.equal((await api.get<Page<Call>>('/v1/calls')).body.meta.total, 0);
      const bad = { reports: [{ call_id: 'call_1', status: 'initiated' }] };
      assert.equal((await place.operator.send('POST', '/operator/v1/calls/reports', bad)).status, 400);
      assert.equal((await place.operator.send('POST', '/operator/v1/calls/take', { limit: 501 })).status, 400);
      assert.equal((await api.send('POST', '/operator/v1/calls/take', {})).status, 401);
    });
  });
}
