import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DATABASE_KINDS,
  eventually,
  freshDatabase,
  PanelClient,
  Receiver,
  startTestServer,
  type ApiClient,
  type TestServer,
} from '@dialhook/testing';
import { openDatabase, systemClock, uuidv7 } from '@dialhook/engine';
import { DirectoryStore } from './files.ts';
import { judge } from './classify/history.ts';
import { CALL_STATUSES, UPLOAD_STATUSES, UPLOAD_TRANSITIONS } from './model.ts';
import { UploadFolders } from './upload-folders.ts';
import { sampleCsv, sampleNumbers } from './samples.fixture.ts';
import { cancelUpload, claimUpload, finishUpload, insertApiUpload } from './store/uploads.ts';

interface Upload {
  readonly id: string;
  readonly status: string;
  readonly valid_row_count: number;
  readonly invalid_row_count: number;
  readonly error_message: string | null;
}

async function processed(api: ApiClient, upload: Upload): Promise<Upload> {
  return eventually('the list is finished', async () => {
    const { body } = await api.get<Upload>(`/api/v1/uploads/${upload.id}`);
    return (body.status === 'completed' || body.status === 'failed') && body;
  });
}

/** The owner of an organization in the panel, by a link. */
async function signIn(place: TestServer, slug: string): Promise<PanelClient> {
  const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${slug}/sign-in-links`, {});
  const panel = await PanelClient.connect(place.url);
  assert.equal((await panel.send('POST', '/panel/links/redeem', { token: body.url.split('#')[1] })).status, 204);
  return panel;
}

async function download(api: ApiClient, upload: Upload, file: string): Promise<string[]> {
  const { body } = await api.get<{ download_url: string }>(`/api/v1/uploads/${upload.id}/download/${file}`);
  return (await (await fetch(body.download_url)).text()).trimEnd().split('\n');
}

for (const kind of DATABASE_KINDS) {
  describe(`lists on ${kind}`, () => {
    let place: TestServer;
    let receiver: Receiver;
    before(async () => {
      place = await startTestServer(kind);
      receiver = await Receiver.start();
    });
    after(async () => {
      await receiver.stop();
      await place.stop();
    });

    test('the sweep looks at folders without a list alone, after one look at all, and removes those that are old', async () => {
      const { api } = await place.organization();
      const list = (await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) })).body;
      const { database, config } = place.server;
      const root = join(config.dataDir, 'files');
      const looked: string[] = [];
      class Watched extends DirectoryStore {
        override names(folder: string): Promise<string[]> {
          looked.push(folder);
          return super.names(folder);
        }
      }
      let ahead = 0;
      const clock = { ...systemClock, now: () => Date.now() + ahead };
      const make = () => {
        const id = uuidv7(Date.now());
        mkdirSync(join(root, 'uploads', id), { recursive: true });
        writeFileSync(join(root, 'uploads', id, 'original.csv'), 'x');
        return id;
      };
      const folders = new UploadFolders({
        database,
        files: new Watched(root),
        clock,
        log: { info: () => {}, warn: () => {}, error: () => {} } as never,
      });
      const left = make(); // by an older version
      await folders.sweep();
      assert.deepEqual(
        [existsSync(join(root, 'uploads', left)), existsSync(join(root, 'unsettled', left))],
        [true, true],
        'young: it may be under way',
      );
      const killed = make();
      await folders.begin(killed);
      await folders.begin(list.id); // killed after the commit
      ahead = 2 * 3_600_000;
      looked.length = 0;
      await folders.sweep();
      assert.deepEqual(looked, ['unsettled']);
      const uploads = readdirSync(join(root, 'uploads'));
      assert.deepEqual(
        [left, killed, list.id].map((id) => uploads.includes(id)),
        [false, false, true],
      );
      assert.deepEqual(readdirSync(join(root, 'unsettled')), []);
    });

    test('results keep the customer’s columns and say what the history knows, of the number and of its prefix', async () => {
      const { api } = await place.organization();
      const entries = [
        { number: '+1 (312) 201-0001', dials: 4, contacts: 4 },
        { number: '3122010002', dials: 6, contacts: 0 },
        { number: '3122010003', dials: 10, contacts: 9 },
        { number: 'nonsense', dials: 1, contacts: 1 },
      ];
      const loaded = await place.operator.send('POST', '/operator/v1/contact-history', { entries });
      assert.deepEqual(loaded.body, { added: 3, refused: [3] });
      const rows = [
        'Ana;"Say ""hi""; now";312-201-0001;busy',
        'Bob;;(312) 201 0002;x',
        'Cy;;+13122010009;x',
        'Dee;;312 201 0001;x',
        'Eve;;12;x',
        'Fay;;+442079460001;x',
        ...sampleNumbers(100).map((number) => `Gus;;${number};x`),
      ];
      const form = new FormData();
      form.append('phone_column', 'Phone');
      form.append('file', new Blob([`name;note;Phone;status\r\n${rows.join('\r\n')}`]), 'mine.csv');
      const { body: upload } = await api.send<Upload>('POST', '/api/v1/uploads', form);
      assert.deepEqual([upload.valid_row_count, upload.invalid_row_count], [103, 2], 'a repeated number is in neither count');
      assert.equal((await processed(api, upload)).status, 'completed');
      const lines = await download(api, upload, 'processed');
      assert.deepEqual(lines.slice(0, 8), [
        'name,note,Phone,status,e164,region,time_zone,line_type,status_2,reason',
        'Ana,"Say ""hi""; now",312-201-0001,busy,+13122010001,IL,America/Chicago,fixed_line_or_mobile,Likely Answer,number: 4 of 4 dials answered',
        'Bob,,(312) 201 0002,x,+13122010002,IL,America/Chicago,fixed_line_or_mobile,Likely Voicemail,number: 0 of 6 dials answered',
        'Cy,,+13122010009,x,+13122010009,IL,America/Chicago,fixed_line_or_mobile,Likely Answer,prefix: 13 of 20 dials answered',
        'Dee,,312 201 0001,x,+13122010001,IL,America/Chicago,fixed_line_or_mobile,Unknown,repeats an earlier row',
        'Eve,,12,x,,,,,Unknown,not a phone number',
        'Fay,,+442079460001,x,,,,,Unknown,not a US or Canadian number',
        'Gus,,+15550000000,x,+15550000000,,,unknown,Unknown,no history',
      ]);
      assert.equal(lines.length, 107);
      assert.deepEqual(await download(api, upload, 'processed-filtered'), [lines[0], lines[1], lines[3]]);
      assert.equal((await download(api, upload, 'original'))[0], 'name;note;Phone;status\r', 'the original is what was sent');
    });

    test('contacts given as objects keep their fields', async () => {
      const { api } = await place.organization();
      const contacts = sampleNumbers(100).map((phone, n) => ({ phone, name: `N${n}`, vip: n === 0, score: null }));
      const { body: upload } = await api.send<Upload>('POST', '/api/v1/uploads', {
        contacts,
        filename: 'people.csv',
        skip_mobile_lookup: true,
      });
      await processed(api, upload);
      const lines = await download(api, upload, 'processed');
      assert.equal(lines[0], 'phone,name,vip,score,e164,region,time_zone,line_type,status,reason');
      assert.equal(lines[1], '+15550000000,N0,true,,+15550000000,,,unknown,Unknown,no history');
    });

    test('of a list nothing stays on disk but what can be downloaded, however it came and ended', async () => {
      const { api, slug } = await place.organization();
      const panel = await signIn(place, slug);
      const lists = `/panel/organizations/${slug}/lists`;
      const files = ({ id }: Upload) => readdirSync(join(place.server.config.dataDir, 'files', 'uploads', id)).sort();
      const form = (fields: Record<string, string> = {}, count = 100) => {
        const body = new FormData();
        for (const [name, value] of Object.entries(fields)) body.append(name, value);
        body.append('file', new Blob([sampleCsv(count)]), 'a.csv');
        return body;
      };
      const bystander = (await panel.send<Upload>('POST', lists, form())).body;
      assert.deepEqual(files(bystander), ['original.csv']);
      const json = async () => (await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) })).body;
      const csv = async () => (await api.send<Upload>('POST', '/api/v1/uploads', form({ phone_column: 'phone' }))).body;
      const byHand = async () => {
        const { body } = await panel.send<Upload>('POST', lists, form());
        assert.equal((await panel.send('POST', `${lists}/${body.id}/mapping`, { phone_column: 'telephone' })).status, 400);
        assert.deepEqual(files(body), ['original.csv'], 'a column that there is not');
        assert.equal((await panel.send('POST', `${lists}/${body.id}/mapping`, { phone_column: 'phone' })).status, 200);
        assert.deepEqual(files(body), ['original.csv', 'staged.rows']);
        return body;
      };
      const given = await byHand();
      assert.equal((await panel.send('DELETE', `${lists}/${given.id}`)).status, 200);
      assert.deepEqual(files(given), ['original.csv'], 'given up');
      const follow = async (send: () => Promise<Upload>) => {
        const begin = async () => {
          const list = await send();
          if (send === byHand) assert.equal((await panel.send('POST', `${lists}/${list.id}/confirm`)).status, 200);
          return list;
        };
        // On a busy machine processing may begin first: then the next one is cancelled.
        const cancelled = await eventually('a list is cancelled', async () => {
          const list = await begin();
          return (await panel.send('DELETE', `${lists}/${list.id}`)).status === 200 && list;
        });
        assert.deepEqual(files(cancelled), ['original.csv'], send.name);
        const done = await begin();
        await processed(api, done);
        await eventually(`${send.name}: three files`, () => files(done).join() === 'original.csv,processed-filtered.csv,processed.csv');
      };
      await Promise.all([json, csv, byHand].map(follow));
      const few = (await panel.send<Upload>('POST', lists, form({}, 99))).body;
      const refused = await panel.send<Upload>('POST', `${lists}/${few.id}/mapping`, { phone_column: 'phone' });
      assert.deepEqual([refused.body.status, files(few)], ['validation_failed', ['original.csv']]);
      assert.deepEqual(files(bystander), ['original.csv']);
    });

    test('only the holder of the latest lease can end a list, and a cancel only comes before the start', async () => {
      const { database, close } = await freshDatabase(kind);
      const now = new Date();
      const user = '00000000-0000-7000-8000-000000000001';
      await database.query({
        text: `insert into organizations (id, slug, name, created_at, updated_at) values ($1, 'o', 'O', now(), now())`,
        values: [user],
      });
      await database.query({ text: `insert into users (id, name, created_at) values ($1, 'U', now())`, values: [user] });
      await database.query({ text: `insert into nodes (id, started_at, heartbeat_at) values ($1, now(), now())`, values: [user] });
      const base = {
        organizationId: user,
        userId: user,
        originalFilename: 'a',
        fileSizeBytes: 1,
        totalRows: 1,
        validRows: 1,
        invalidRows: 0,
        duplicateRows: 0,
        skipMobileLookup: false,
        now,
        startAfter: now,
      };
      await database.query({ text: 'alter table uploads alter column api_key_id drop not null' });
      const insert = (id: string) => insertApiUpload(database, { ...base, id, apiKeyId: null as unknown as string });
      const [first, second] = ['00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b'];
      await insert(first);
      const claimed = await claimUpload(database, user, [], now);
      assert.equal(claimed!.lease, 1);
      assert.equal(await claimUpload(database, user, [], now), null, 'the node lives: nobody takes over');
      assert.equal(await cancelUpload(database, user, first, now), null);
      await database.query({ text: 'delete from nodes' });
      const other = await claimUpload(database, second, [], now);
      assert.deepEqual([other!.id, other!.lease], [first, 2]);
      const end = { status: 'completed', errorMessage: null, summary: null, now } as const;
      assert.equal(await finishUpload(database, first, 1, end), null, 'the former holder is fenced off');
      assert.equal((await finishUpload(database, first, 2, end))!.status, 'completed');
      assert.equal(await finishUpload(database, first, 2, end), null, 'once');
      await insert(second);
      assert.equal((await cancelUpload(database, user, second, now))!.creditsRefunded, 1);
      assert.equal(await claimUpload(database, user, [], now), null, 'a cancelled list is not started');
      await close();
    });
  });
}

describe('the look-up service', () => {
  let place: TestServer;
  let receiver: Receiver;
  let lookup: Server;
  let asked: { numbers: string[]; authorization: string | undefined }[] = [];
  let answer: (numbers: string[]) => { status: number; body: unknown };

  before(async () => {
    lookup = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { numbers } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { numbers: string[] };
        asked.push({ numbers, authorization: request.headers.authorization });
        const { body, status } = answer(numbers);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    }).listen(0, '127.0.0.1');
    await once(lookup, 'listening');
    const { port } = lookup.address() as { port: number };
    place = await startTestServer('postgres', {
      DIALHOOK_LOOKUP_URL: `http://127.0.0.1:${port}/classify`,
      DIALHOOK_LOOKUP_TOKEN: 'lookup-token',
    });
    receiver = await Receiver.start();
  });
  after(async () => {
    await receiver.stop();
    await place.stop();
    lookup.close();
  });

  test('is asked in batches, decides, and is left out on request', async () => {
    const { api } = await place.organization();
    answer = (numbers) => ({
      status: 200,
      body: {
        results: numbers.slice(1).map((number) => ({ number, status: 'Likely Answer', reason: 'live, today', line_type: 'mobile' })),
      },
    });
    const { body: upload } = await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(120) });
    await processed(api, upload);
    assert.equal(asked.length, 1);
    assert.equal(asked[0]!.numbers.length, 120);
    assert.equal(asked[0]!.authorization, 'Bearer lookup-token');
    const lines = await download(api, upload, 'processed');
    assert.equal(lines[1], '+15550000000,+15550000000,,,unknown,Unknown,no history', 'a number that it leaves out');
    assert.equal(lines[2], '+15550000001,+15550000001,,,mobile,Likely Answer,"live, today"');
    assert.equal((await download(api, upload, 'processed-filtered')).length, 120);
  });

  test('is asked for the lists of those who want it alone, however a list comes', async () => {
    answer = () => ({ status: 200, body: { results: [] } });
    asked = [];
    const { api, slug } = await place.organization();
    const panel = await signIn(place, slug);
    const lists = `/panel/organizations/${slug}/lists`;
    const formOf = (numbers: string[], fields: Record<string, string>) => {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('file', new Blob([`phone\n${numbers.join('\n')}\n`]), 'a.csv');
      return form;
    };
    const ways: Record<string, (numbers: string[], skip: { skip_mobile_lookup?: boolean }) => Promise<Upload>> = {
      json: async (numbers, skip) => (await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: numbers, ...skip })).body,
      csv: async (numbers, skip) => {
        const fields = Object.fromEntries(Object.entries(skip).map(([name, value]) => [name, String(value)]));
        return (await api.send<Upload>('POST', '/api/v1/uploads', formOf(numbers, { phone_column: 'phone', ...fields }))).body;
      },
      byHand: async (numbers, skip) => {
        const { body } = await panel.send<Upload>('POST', lists, formOf(numbers, {}));
        assert.equal((await panel.send('POST', `${lists}/${body.id}/mapping`, { phone_column: 'phone', ...skip })).status, 200);
        assert.equal((await panel.send('POST', `${lists}/${body.id}/confirm`)).status, 200);
        return body;
      },
    };
    const [wanted, sent]: [string[], Upload[]] = [[], []];
    for (const [n, send] of Object.values(ways).entries())
      for (const [m, skip] of [{ skip_mobile_lookup: true }, { skip_mobile_lookup: false }, {}].entries()) {
        const numbers = sampleNumbers(100, 1_000 * (3 * n + m));
        if (m > 0) wanted.push(numbers[0]!);
        sent.push(await send(numbers, skip));
      }
    for (const upload of sent) assert.equal((await processed(api, upload)).status, 'completed');
    assert.deepEqual(asked.map(({ numbers }) => numbers[0]!).sort(), wanted);
  });

  test('that fails three times fails the list, with one upload.failed', async () => {
    const { api } = await place.organization();
    await api.send('POST', '/api/v1/webhooks', { url: receiver.url('/failed') });
    asked = [];
    answer = () => ({ status: 200, body: { results: [{ number: 5 }] } });
    const { body: upload } = await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(100) });
    const failed = await processed(api, upload);
    assert.deepEqual([failed.status, failed.error_message], ['failed', 'Carrier lookup unavailable']);
    const folder = join(place.server.config.dataDir, 'files', 'uploads', upload.id);
    await eventually('the checked rows are gone', () => readdirSync(folder).join() === 'original.csv');
    assert.equal(asked.length, 3);
    await receiver.until(() => receiver.received.some(({ headers }) => headers['x-optimaldial-event'] === 'upload.failed'));
    const { data } = JSON.parse(receiver.received.at(-1)!.body) as {
      data: { error_message: string; upload: { error_message: string; status: string } };
    };
    assert.deepEqual(
      [data.error_message, data.upload.error_message, data.upload.status],
      ['Carrier lookup unavailable', 'Carrier lookup unavailable', 'failed'],
    );
  });
});

test('lists are finished although the database cuts its connections again and again', async (t) => {
  const place = await startTestServer('postgres');
  const receiver = await Receiver.start();
  const admin = await openDatabase({ url: place.server.config.databaseUrl, dataDir: '' });
  t.after(async () => {
    await admin.close();
    await place.stop();
    await receiver.stop();
  });
  const { api } = await place.organization();
  await api.send('POST', '/api/v1/webhooks', { url: receiver.url('/cut') });
  const uploads: Upload[] = [];
  for (let n = 0; n < 5; n++)
    uploads.push((await api.send<Upload>('POST', '/api/v1/uploads', { phone_numbers: sampleNumbers(1000, n) })).body);
  let cuts = 0;
  const text = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
  for (const end = Date.now() + 2_500; Date.now() < end;) {
    cuts += (await admin.query({ text })).length;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.ok(cuts > 0);
  for (const upload of uploads) assert.equal((await processed(api, upload)).status, 'completed');
  const completions = () => receiver.received.filter(({ headers }) => headers['x-optimaldial-event'] === 'upload.completed');
  const distinct = () => new Set(completions().map(({ headers }) => headers['x-optimaldial-event-id'])).size;
  await receiver.until(() => distinct() === uploads.length);
  assert.equal(distinct(), uploads.length, 'one completion event each');
});

test('a full disk is a 500 that stores and charges nothing', async (t) => {
  /** Every file leads to the device that is always full: the kernel's own ENOSPC. */
  class FullStore extends DirectoryStore {
    override async scratch(key: string): Promise<string> {
      const path = await super.scratch(key);
      symlinkSync('/dev/full', path);
      return path;
    }
  }
  const place = await startTestServer('embedded', {}, (config) => ({ files: new FullStore(join(config.dataDir, 'files')) }));
  t.after(() => place.stop());
  const { api, slug } = await place.organization();
  const form = new FormData();
  form.append('phone_column', 'phone');
  form.append('file', new Blob([`phone\n${sampleNumbers(200_000).join('\n')}`]), 'a.csv');
  for (const body of [form, { phone_numbers: sampleNumbers(1000) }]) {
    const refused = await api.send<{ detail: string }>('POST', '/api/v1/uploads', body);
    assert.deepEqual([refused.status, refused.body], [500, { detail: 'Internal server error' }]);
  }
  assert.equal((await place.operator.get<{ credits: number }>(`/operator/v1/organizations/${slug}`)).body.credits, 10_000);
  assert.deepEqual((await api.get<{ data: unknown[] }>('/api/v1/uploads')).body.data, []);
});

test('verdicts by history: own dials first, smoothed by the prefix; nothing known is Unknown', () => {
  const cases: [Parameters<typeof judge>[0], Parameters<typeof judge>[1], string][] = [
    [undefined, undefined, 'Unknown'],
    [undefined, { dials: 9, contacts: 9 }, 'Unknown'],
    [undefined, { dials: 10, contacts: 9 }, 'Likely Answer'],
    [undefined, { dials: 100, contacts: 20 }, 'Likely Voicemail'],
    [{ dials: 1, contacts: 1 }, undefined, 'Likely Answer'],
    [{ dials: 1, contacts: 0 }, undefined, 'Likely Voicemail'],
    [{ dials: 1, contacts: 1 }, { dials: 1000, contacts: 0 }, 'Likely Voicemail'],
    [{ dials: 5, contacts: 5 }, { dials: 1000, contacts: 0 }, 'Likely Answer'],
    [{ dials: 20, contacts: 2 }, { dials: 1000, contacts: 1000 }, 'Likely Voicemail'],
  ];
  for (const [own, prefix, expected] of cases)
    assert.equal(CALL_STATUSES[judge(own, prefix).status], expected, JSON.stringify([own, prefix]));
});

test('every pair of upload states is either in the table or refused by it', () => {
  const allowed = UPLOAD_STATUSES.flatMap((from) =>
    UPLOAD_STATUSES.filter((to) => UPLOAD_TRANSITIONS[from].includes(to)).map((to) => `${from} ${to}`),
  );
  assert.deepEqual(allowed, [
    'pending_mapping validating',
    'pending_mapping cancelled',
    'validating pending_mapping',
    'validating validation_failed',
    'validating awaiting_confirmation',
    'awaiting_confirmation ready_for_processing',
    'awaiting_confirmation cancelled',
    'ready_for_processing processing',
    'ready_for_processing cancelled',
    'processing processing',
    'processing completed',
    'processing failed',
  ]);
});
