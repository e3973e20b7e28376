import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { zipSync } from 'fflate';
import { DATABASE_KINDS, Dialler, Receiver, type ApiClient } from '@dialhook/testing';
import { CALL_LIMITS } from '../../calls/limits.ts';
import { CAMPAIGN_STATUSES, CAMPAIGN_TRANSITIONS } from '../../calls/states.ts';
import { workbook, workbookParts } from '../../lists/worker/workbook.fixture.ts';
import { startClockedServer, type ClockedServer } from './clocked.fixture.ts';

interface Campaign {
  readonly id: string;
  readonly status: string;
  readonly total_leads: number;
  readonly completed_calls: number;
  readonly failed_calls: number;
  readonly pending_calls: number;
}
interface Lead {
  readonly id: string;
  readonly status: string;
  readonly phone_number: string;
  readonly name: string | null;
  readonly notes: Record<string, string>;
  readonly call_log_id: string | null;
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
  readonly data: { readonly campaign: Campaign };
}

const MINUTE = 60_000;
const number = (n: number) => `+447700900${String(n).padStart(3, '0')}`;

for (const kind of DATABASE_KINDS) {
  describe(`DialNexa campaigns on ${kind}`, () => {
    let place: ClockedServer;
    let clock: ClockedServer['clock'];
    let soon: ClockedServer['soon'];
    let receiver: Receiver;
    let dialler: Dialler;
    before(async () => {
      place = await startClockedServer(kind);
      ({ clock, soon } = place);
      receiver = await Receiver.start();
      dialler = new Dialler(place.operator);
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    /** A node whose time has leapt sends nothing until its next heartbeat. */
    const delivered = (condition: () => boolean) => soon('the event is delivered', condition, 250);
    const organization = async () => {
      const made = await place.organization({ kind: 'dialnexa' });
      const events = ['campaign.completed', 'campaign.paused'];
      await made.api.send('POST', '/v1/user-webhooks', { url: receiver.url(`/${made.slug}`), events, secret: 'chosen-by-us' });
      return {
        ...made,
        events: () => receiver.received.filter(({ path }) => path === `/${made.slug}`).map(({ body }) => JSON.parse(body) as Event),
      };
    };
    const create = async (api: ApiClient, more: object = {}) => {
      const body = { name: 'May', agent_id: 'agt_1', from_phone_number: '+442079460001', max_concurrent_calls: 2, ...more };
      const answer = await api.send<Campaign>('POST', '/v1/campaigns', body);
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return answer.body;
    };
    const read = async (api: ApiClient, { id }: { id: string }) => (await api.get<Campaign>(`/v1/campaigns/${id}`)).body;
    const addLead = (api: ApiClient, { id: campaignId }: { id: string }, n: number) =>
      api.send<Lead>('POST', '/v1/campaigns-leads', { campaignId, phoneNumber: number(n), name: `Lead ${n}`, notes: { n } });
    const upload = (api: ApiClient, { id }: { id: string }, content: string | Uint8Array<ArrayBuffer>, name = 'leads.csv') => {
      const form = new FormData();
      form.append('file', new Blob([content]), name);
      return api.send<Refused & { leads_created: number; leads_skipped: number }>('POST', `/v1/campaigns-leads/upload-file/${id}`, form);
    };
    const leads = async (api: ApiClient, { id }: { id: string }, status = '') =>
      (await api.get<Page<Lead>>(`/v1/campaigns-leads?campaignId=${id}&limit=100${status && `&status=${status}`}`)).body;
    /** The calls of one campaign that can be dialled now; others' are left in the queue of the dialler. */
    const take = async ({ id }: { id: string }) => (await dialler.take()).filter(({ campaign_id }) => campaign_id === id);
    const takeSome = (campaign: { id: string }, least = 1) => {
      const taken: Awaited<ReturnType<typeof take>> = [];
      return soon(`${least} calls`, async () => (taken.push(...(await take(campaign))), taken.length >= least && taken));
    };
    const counts = (campaign: Campaign) => [campaign.total_leads, campaign.completed_calls, campaign.failed_calls, campaign.pending_calls];

    test('leads are called some at once, again while nobody answers, and the campaign ends once', async () => {
      const { api, events } = await organization();
      const campaign = await create(api, { retry_config: { max_retries: 1, retry_interval_minutes: 30 } });
      assert.deepEqual([campaign.status, ...counts(campaign)], ['active', 0, 0, 0, 0]);
      for (let n = 0; n < 5; n++) assert.equal((await addLead(api, campaign, n)).status, 201);
      assert.equal((await read(api, campaign)).status, 'running');

      const attempts = new Map<string, number[]>();
      let most = 0;
      for (;;) {
        const calls = await soon('calls, or the end', async () => {
          const taken = await take(campaign);
          if (taken.length > 0 || (await read(api, campaign)).status === 'completed') return taken;
          clock.advance(5 * MINUTE);
          return null;
        });
        if (calls.length === 0) break;
        most = Math.max(most, calls.length);
        for (const { attempt, id, to_phone_number: to } of calls) {
          attempts.set(to, [...(attempts.get(to) ?? []), attempt]);
          // Lead 0 is never reached, lead 1 at the second call, the others at once; lead 4 has a bad number.
          const status = to === number(0) || (to === number(1) && attempt === 1) ? 'no_answer' : to === number(4) ? 'failed' : 'completed';
          await dialler.report({ call_id: id, status });
        }
      }
      assert.equal(most, 2);
      assert.deepEqual(
        [0, 1, 2, 3, 4].map((n) => attempts.get(number(n))),
        [[1, 2], [1, 2], [1], [1], [1]],
      );
      assert.deepEqual(counts(await read(api, campaign)), [5, 3, 2, 0]);
      assert.equal((await leads(api, campaign, 'failed')).meta.total, 2);
      await delivered(() => events().length > 0);
      const [event] = events();
      assert.deepEqual([events().length, event!.event, ...counts(event!.data.campaign)], [1, 'campaign.completed', 5, 3, 2, 0]);
      assert.deepEqual((await api.get<Page<object>>(`/v1/call-logs/campaign/${campaign.id}`)).body.meta.total, 7);

      const late = await addLead(api, campaign, 9);
      assert.deepEqual([late.status, (late.body as unknown as Refused).error], [409, 'Conflict']);
    });

    test('a pause takes back what nobody dials yet, lets the rest end, and is one event', async () => {
      const { api, events } = await organization();
      const campaign = await create(api, { max_concurrent_calls: 3 });
      await upload(api, campaign, `phone_number\n${number(0)}\n${number(1)}\n`);
      const [first] = await takeSome(campaign, 2);
      for (let n = 2; n < 5; n++) await addLead(api, campaign, n);
      // Five callers pause at once: one does it.
      const answers = await Promise.all(Array.from({ length: 5 }, () => api.send<Refused>('POST', `/v1/campaigns/${campaign.id}/pause`)));
      assert.deepEqual(
        answers.map(({ status }) => status).sort((a, b) => a - b),
        [200, 409, 409, 409, 409],
      );
      assert.match(String(answers.find(({ status }) => status === 409)!.body.message), /A paused campaign cannot be paused/);
      assert.deepEqual(await take(campaign), []);
      const paused = await read(api, campaign);
      assert.deepEqual([paused.status, ...counts(paused)], ['paused', 5, 0, 0, 5]);
      await dialler.report({ call_id: first!.id, status: 'completed' });
      assert.deepEqual(counts(await read(api, campaign)), [5, 1, 0, 4]);
      assert.deepEqual(await take(campaign), [], 'no new calls while it is paused');
      assert.equal((await addLead(api, campaign, 5)).status, 201);
      assert.deepEqual(await take(campaign), []);

      assert.equal((await api.send<Campaign>('POST', `/v1/campaigns/${campaign.id}/resume`)).body.status, 'running');
      assert.equal((await takeSome(campaign, 2)).length, 2, 'two lines are free');
      await delivered(() => events().length > 0);
      assert.deepEqual(
        events().map(({ data, event }) => [event, data.campaign.status, data.campaign.pending_calls]),
        [['campaign.paused', 'paused', 5]],
      );
    });

    test('a campaign waits for its time, and a cancelled one stops for good', async () => {
      const { api } = await organization();
      const later = await create(api, { scheduled_at: '2099-01-01T00:00:00.000Z' });
      await addLead(api, later, 0);
      assert.deepEqual([(await read(api, later)).status, await take(later)], ['active', []]);
      const next = await create(api, { scheduled_at: new Date(clock.now() + 90 * MINUTE).toISOString() });
      await addLead(api, next, 0);
      clock.advance(89 * MINUTE);
      assert.deepEqual([(await read(api, next)).status, await take(next)], ['active', []]);
      clock.advance(MINUTE);
      const [call] = await takeSome(next);
      await addLead(api, next, 1);
      assert.equal((await api.send<Campaign>('PATCH', `/v1/campaigns/${next.id}`, { status: 'cancelled' })).body.status, 'cancelled');
      assert.deepEqual(await take(next), []);
      await dialler.report({ call_id: call!.id, status: 'completed' });
      const ended = await read(api, next);
      assert.deepEqual([ended.status, ended.completed_calls], ['cancelled', 1]);
      assert.equal((await api.send('PATCH', `/v1/campaigns/${next.id}`, { name: 'x' })).status, 409);
    });

    test('settings change while it runs, and the agent only before the first call', async () => {
      const { api } = await organization();
      const campaign = await create(api, { max_concurrent_calls: 1 });
      const path = `/v1/campaigns/${campaign.id}`;
      assert.equal((await api.send('PATCH', path, { agent_id: 'agt_2' })).status, 200);
      for (let n = 0; n < 4; n++) await addLead(api, campaign, n);
      assert.equal((await takeSome(campaign)).length, 1);
      await api.send('PATCH', path, { max_concurrent_calls: 3, retry_policy: { max_retries: 2 } });
      assert.equal((await takeSome(campaign, 2)).length, 2);
      const refused = await api.send<Refused>('PATCH', path, { agent_id: 'agt_3' });
      assert.deepEqual([refused.status, refused.body.message], [409, 'agent_id cannot be changed after a call was placed']);
      assert.equal((await api.send('PATCH', path, { agent_id: 'agt_2' })).status, 200, 'the same one is no change');
    });

    test('leads are read, changed while pending, and removed', async () => {
      const { api, events } = await organization();
      const campaign = await create(api, { status: 'draft' });
      const { body: lead } = await addLead(api, campaign, 0);
      assert.deepEqual(
        [lead.status, lead.phone_number, lead.name, lead.notes, lead.call_log_id],
        ['pending', number(0), 'Lead 0', { n: 0 }, null],
      );
      const path = `/v1/campaigns-leads/${lead.id}`;
      const changed = await api.send<Lead>('PATCH', path, { phoneNumber: '7700900777', countryCode: '+44', notes: { plan: 'pro' } });
      assert.deepEqual([changed.body.phone_number, changed.body.notes, changed.body.name], ['+447700900777', { plan: 'pro' }, 'Lead 0']);
      assert.deepEqual((await api.get<Lead>(path)).body, changed.body);
      const second = (await addLead(api, campaign, 1)).body;
      const renamed = (await api.send<Lead>('PATCH', path, { name: 'Ada' })).body;
      assert.deepEqual(renamed, { ...changed.body, name: 'Ada' });
      assert.equal((await api.send<Lead>('PATCH', path, { name: null })).body.name, null);
      assert.deepEqual((await api.get<Lead>(`/v1/campaigns-leads/${second.id}`)).body, second);
      const third = (await addLead(api, campaign, 2)).body;
      assert.equal((await api.send('DELETE', `/v1/campaigns-leads/${third.id}`)).status, 200);
      assert.deepEqual([(await leads(api, campaign, 'pending')).meta.total, (await read(api, campaign)).total_leads], [2, 2]);
      assert.deepEqual(await take(campaign), [], 'a draft makes no calls');
      await api.send('PATCH', `/v1/campaigns/${campaign.id}`, { status: 'active' });
      const calls = await takeSome(campaign, 2);
      assert.equal((await api.send('PATCH', path, { name: 'x' })).status, 409, 'it is being called');
      assert.deepEqual((await api.send<{ message: string }>('DELETE', path)).body, { message: 'Lead removed from campaign.' });
      assert.equal((await api.send('DELETE', path)).status, 404);
      for (const { id } of calls) await dialler.report({ call_id: id, status: 'completed' });
      const ended = await read(api, campaign);
      assert.deepEqual([ended.status, ...counts(ended)], ['completed', 1, 1, 0, 0]);
      assert.equal((await api.get<Lead>(path)).body.status, 'removed');
      assert.ok((await api.get<Lead>(`/v1/campaigns-leads/${second.id}`)).body.call_log_id);
      assert.equal((await api.send('DELETE', `/v1/campaigns-leads/${second.id}`)).status, 409);
      await delivered(() => events().length === 1);
    });

    test('a lead that is added as the last one finishes is called, or refused', async () => {
      const { api, events } = await organization();
      for (let round = 0; round < 8; round++) {
        const campaign = await create(api);
        await addLead(api, campaign, 0);
        const [call] = await takeSome(campaign);
        const [added] = await Promise.all([addLead(api, campaign, 1), dialler.report({ call_id: call!.id, status: 'completed' })]);
        if (added.status === 201) {
          const [next] = await takeSome(campaign);
          await dialler.report({ call_id: next!.id, status: 'completed' });
        } else assert.equal(added.status, 409);
        const ended = await read(api, campaign);
        assert.deepEqual([ended.status, ended.completed_calls], ['completed', added.status === 201 ? 2 : 1]);
        await delivered(() => events().length === round + 1);
      }
    });

    test('files: CSV and XLSX, repeats skipped, bad rows named, nothing half done', async () => {
      const { api } = await organization();
      const campaign = await create(api, { status: 'draft' });
      const csv = `Name,phone_number,country_code,plan\nAda,7700900001,+44,pro\nBob,+1 (312) 555-0142,,\n,,,\nAda again,+447700900001,,free\n`;
      const good = await upload(api, campaign, csv);
      assert.deepEqual([good.status, good.body.leads_created, good.body.leads_skipped], [201, 2, 2]);
      const { data } = await leads(api, campaign);
      assert.deepEqual(
        data.map(({ name, notes, phone_number }) => [name, phone_number, notes]),
        [
          ['Bob', '+13125550142', {}],
          ['Ada', '+447700900001', { country_code: '+44', plan: 'pro' }],
        ],
      );
      const xlsx = await upload(
        api,
        campaign,
        workbook([
          ['phone_number', 'city'],
          ['+447700900002', 'Leeds'],
          [447700900003, 'York'],
        ]),
        'leads.xlsx',
      );
      assert.deepEqual(
        [xlsx.status, xlsx.body.message],
        [400, [`phone_number must be in E.164 form, such as +447700900123, or come with a country_code: row 3`]],
      );
      const fixed = await upload(
        api,
        campaign,
        workbook([
          ['phone_number', 'country_code'],
          ['+447700900002', ''],
          [7700900003, 44],
        ]),
        'leads.xlsx',
      );
      assert.deepEqual([fixed.status, fixed.body.leads_created], [201, 2]);
      const before = (await leads(api, campaign)).meta.total;
      const many = Array.from({ length: 30 }, (_, n) => (n % 2 ? number(n) : `bad${n}`)).join('\n');
      const refusals: readonly [string | Uint8Array<ArrayBuffer>, RegExp, number][] = [
        [`phone_number\n${many}\n`, /rows 2, 4, 6.*30/, 400],
        [`phone\n${number(1)}\n`, /needs a column phone_number/, 400],
        ['', /file is empty/, 400],
        ['phone_number\n\n', /no row with a phone_number/, 400],
        [`phone_number,${Array.from({ length: 16 }, (_, n) => `c${n}`).join()}\n${number(1)}\n`, /at most 15 columns/, 400],
        [`phone_number,note\n${number(1)},${'x'.repeat(2_001)}\n`, /at most 2000 characters: row 2/, 400],
        [`phone_number,${'c'.repeat(70_000)}\n${number(1)}\n`, /at most 65536 characters/, 400],
        [utf16(`phone_number,name\n${number(1)},a\n${number(2)},b\0\n`), /U\+0000.*: row 3$/, 400],
        [
          workbook([
            ['phone_number', 'city'],
            [number(1), 'a'],
            [number(2), 'b_x0000_'],
          ]),
          /U\+0000.*: row 3$/,
          400,
        ],
        [bomb, /too large once it is unpacked/, 400],
        [new Uint8Array(Buffer.from('504b0304ffffffffffffffff', 'hex')), /cannot be read|can be read/, 400],
        [new Uint8Array(Buffer.from('d0cf11e0a1b11ae1', 'hex')), /save it as XLSX or CSV/, 400],
        [new Uint8Array(11 * 1024 * 1024).fill(65), /at most 10 MB/, 413],
      ];
      for (const [content, pattern, status] of refusals) {
        const answer = await upload(api, campaign, content, 'x.xlsx');
        assert.deepEqual(
          [answer.status, pattern.test(String(answer.body.message))],
          [status, true],
          `${pattern}: ${String(answer.body.message)}`,
        );
      }
      assert.equal((await leads(api, campaign)).meta.total, before);
      const foreign = await organization();
      assert.equal((await upload(foreign.api, campaign, csv)).status, 404);
      assert.equal((await api.send('POST', `/v1/campaigns-leads/upload-file/${campaign.id}`, '{}')).status, 415);
    });

    test('every way that the table of states does not know is 409', async () => {
      const { api, slug } = await organization();
      const { id } = (await place.operator.get<{ id: string }>(`/operator/v1/organizations/${slug}`)).body;
      const database = place.server.database;
      const verbs = { pause: ['paused'], resume: ['active', 'running'], cancel: ['cancelled'] } as const;
      for (const from of CAMPAIGN_STATUSES) {
        for (const [verb, targets] of Object.entries(verbs)) {
          const campaign = await create(api);
          await database.query({
            text: 'update campaigns set status = $1 where organization_id = $2 and name = $3',
            values: [from, id, 'May'],
          });
          const known = targets.some((to) => CAMPAIGN_TRANSITIONS[from].includes(to)) && (verb !== 'resume' || from === 'paused');
          const answer = await api.send<Campaign & Refused>('POST', `/v1/campaigns/${campaign.id}/${verb}`);
          assert.equal(answer.status, known ? 200 : 409, `${from} ${verb}`);
          if (known) assert.ok((targets as readonly string[]).includes(answer.body.status));
          else assert.deepEqual([answer.body.statusCode, answer.body.error, (await read(api, campaign)).status], [409, 'Conflict', from]);
        }
      }
    });

    test('bad input is named; another organization’s things are not there', async () => {
      const [mine, other] = [await organization(), await organization()];
      const campaign = await create(mine.api);
      const valid = { name: 'x', agent_id: 'a', from_phone_number: '+442079460001' };
      for (const [change, pattern] of [
        [{ name: '' }, /name/],
        [{ from_phone_number: '12' }, /from_phone_number/],
        [{ max_concurrent_calls: 0 }, /max_concurrent_calls/],
        [{ max_concurrent_calls: 501 }, /max_concurrent_calls/],
        [{ retry_config: { max_retries: -1 } }, /max_retries/],
        [{ retry_config: { retry_interval_minutes: 0 } }, /retry_interval_minutes/],
        [{ scheduled_at: 'soon' }, /scheduled_at/],
        [{ status: 'running' }, /status/],
      ] as const) {
        const { body, status } = await mine.api.send<Refused>('POST', '/v1/campaigns', { ...valid, ...change });
        assert.equal(status, 400, JSON.stringify(change));
        assert.match(String(body.message), pattern);
      }
      const lead = (await addLead(mine.api, campaign, 1)).body;
      for (const [method, path] of [
        ['GET', `/v1/campaigns/${campaign.id}`],
        ['GET', `/v1/campaigns/${campaign.id}/status`],
        ['PATCH', `/v1/campaigns/${campaign.id}`],
        ['POST', `/v1/campaigns/${campaign.id}/pause`],
        ['GET', `/v1/campaigns-leads?campaignId=${campaign.id}`],
        ['GET', `/v1/campaigns-leads/${lead.id}`],
        ['PATCH', `/v1/campaigns-leads/${lead.id}`],
        ['DELETE', `/v1/campaigns-leads/${lead.id}`],
        ['GET', `/v1/call-logs/campaign/${campaign.id}`],
        ['GET', '/v1/campaigns/cmp_nonsense'],
      ] as const)
        assert.equal((await other.api.send(method, path, method === 'PATCH' ? { name: 'y' } : undefined)).status, 404, `${method} ${path}`);
      assert.equal((await addLead(other.api, campaign, 2)).status, 404);
      const tooMany = {
        campaignId: campaign.id,
        phoneNumber: number(3),
        notes: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, n])),
      };
      assert.equal((await mine.api.send('POST', '/v1/campaigns-leads', tooMany)).status, 400);
      assert.equal((await read(mine.api, campaign)).total_leads, 1);
    });
  });
}

/** A workbook of a few hundred kilobytes that unpacks to more than may be. Made once: it takes a second. */
const bomb = zipSync({ ...workbookParts('<sheetData/>'), 'xl/media/zeros': new Uint8Array(CALL_LIMITS.workbookBytes + 1) }, { level: 1 });

function utf16(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'));
}
