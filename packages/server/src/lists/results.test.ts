import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { eventually, PanelClient, startTestServer, type TestServer } from '@dialhook/testing';
import { sampleNumbers } from './samples.fixture.ts';

/** What stands in the files that customers open: their cells, which strangers may have written, and our columns. */
describe('formulas in results', () => {
  let place: TestServer;
  let mine: Awaited<ReturnType<TestServer['organization']>>;
  before(async () => {
    place = await startTestServer('postgres');
    mine = await place.organization({ credits: 100_000 });
  });
  after(() => place.stop());

  const numbers = sampleNumbers(100);
  const csv = `phone,=note,balance\n${numbers.map((number, n) => `${number},"=HYPERLINK(""x"",${n})",-${n}.5`).join('\n')}\n`;
  const contacts = numbers.map((phone, n) => ({ phone, '=note': `=HYPERLINK("x",${n})`, balance: `-${n}.5` }));
  const safe = [
    `phone,'=note,balance,e164,region,time_zone,line_type,status,reason`,
    `+15550000001,"'=HYPERLINK(""x"",1)",-1.5,+15550000001`,
  ] as const;
  const asSent = [safe[0].replace("'=", '='), safe[1].replace("'=", '=')] as const;

  const completed = (id: string) =>
    eventually(
      'the list is processed',
      async () => (await mine.api.get<{ status: string }>(`/api/v1/uploads/${id}`)).body.status === 'completed',
    );
  const download = async (id: string, file: string) => {
    const { body } = await mine.api.get<{ download_url: string }>(`/api/v1/uploads/${id}/download/${file}`);
    return (await fetch(body.download_url)).text();
  };
  const check = async (id: string, [header, second]: readonly [string, string], original: string) => {
    await completed(id);
    const [first, , row] = (await download(id, 'processed')).split('\n');
    assert.equal(first, header);
    assert.ok(row!.startsWith(second), row);
    assert.equal((await download(id, 'processed-filtered')).split('\n')[0], header);
    assert.equal(await download(id, 'original'), original);
  };

  for (const [isKept, expected] of [
    [undefined, safe],
    [false, safe],
    [true, asSent],
  ] as const) {
    test(`by API, keep_formulas ${isKept}`, async () => {
      const form = new FormData();
      form.append('phone_column', 'phone');
      if (isKept !== undefined) form.append('keep_formulas', String(isKept));
      form.append('file', new Blob([csv]), 'list.csv');
      const byForm = await mine.api.send<{ id: string }>('POST', '/api/v1/uploads', form);
      const keep = isKept === undefined ? {} : { keep_formulas: isKept };
      const byJson = await mine.api.send<{ id: string }>('POST', '/api/v1/uploads', { contacts, ...keep });
      assert.deepEqual([byForm.status, byJson.status], [200, 200]);
      await check(byForm.body.id, expected, csv);
      await check(byJson.body.id, expected, csv);
    });
  }

  test('by hand, with the switch and without', async () => {
    const { body } = await place.operator.send<{ url: string }>('POST', `/operator/v1/organizations/${mine.slug}/sign-in-links`, {});
    const panel = await PanelClient.connect(place.url);
    assert.equal((await panel.send('POST', '/panel/links/redeem', { token: body.url.split('#')[1] })).status, 204);
    const path = `/panel/organizations/${mine.slug}/lists`;
    for (const [mapping, expected] of [
      [{ phone_column: 'phone' }, safe],
      [{ phone_column: 'phone', keep_formulas: true }, asSent],
    ] as const) {
      const form = new FormData();
      form.append('file', new Blob([csv]), 'list.csv');
      const { body: list } = await panel.send<{ id: string }>('POST', path, form);
      assert.equal((await panel.send('POST', `${path}/${list.id}/mapping`, mapping)).status, 200);
      assert.equal((await panel.send('POST', `${path}/${list.id}/confirm`)).status, 200);
      await check(list.id, expected, csv);
    }
  });

  test('anything else than yes or no is refused', async () => {
    const form = new FormData();
    for (const [name, value] of [
      ['phone_column', 'phone'],
      ['keep_formulas', 'perhaps'],
    ] as const)
      form.append(name, value);
    form.append('file', new Blob([csv]), 'list.csv');
    assert.equal((await mine.api.send('POST', '/api/v1/uploads', form)).status, 400);
    assert.equal((await mine.api.send('POST', '/api/v1/uploads', { phone_numbers: numbers, keep_formulas: 'perhaps' })).status, 400);
  });
});
