import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DATABASE_KINDS, freshDatabase, type TestDatabase } from '@dialhook/testing';
import { uuidTime } from '../core/ids.ts';
import { booleanArray, byteArray, intArray, newIdArray, textArray, timeArray, uuidArray, type BinaryArray } from './binary-arrays.ts';

for (const kind of DATABASE_KINDS) {
  describe(`arrays in binary form on ${kind}`, () => {
    let place: TestDatabase;
    before(async () => {
      place = await freshDatabase(kind);
    });
    after(() => place.close());

    async function asText(value: BinaryArray, type: string): Promise<(string | null)[]> {
      const rows = await place.database.query<{ x: string | null }>({
        text: `select x::text from unnest($1::${type}[]) x`,
        values: [value],
      });
      return rows.map(({ x }) => x);
    }

    test('the server reads what was meant', async () => {
      const ids = [randomUUID(), null, 'ffffffff-ffff-ffff-ffff-ffffffffffff', randomUUID()];
      assert.deepEqual(await asText(uuidArray(ids), 'uuid'), ids);
      assert.deepEqual(await asText(uuidArray(['ABCDEF01-2345-6789-ABCD-EF0123456789']), 'uuid'), ['abcdef01-2345-6789-abcd-ef0123456789']);
      assert.deepEqual(await asText(intArray([0, null, -1, 2 ** 31 - 1, -(2 ** 31)]), 'int'), [
        '0',
        null,
        '-1',
        '2147483647',
        '-2147483648',
      ]);
      assert.deepEqual(await asText(booleanArray([true, false]), 'boolean'), ['true', 'false']);
      const texts = ['', null, 'null', '{"a":"\\"}', "it's ünïcödé 🎉", ',{}" \n'];
      assert.deepEqual(await asText(textArray(texts), 'text'), texts);
      assert.deepEqual(await asText(byteArray([Buffer.from([0, 255]), null, Buffer.alloc(0)]), 'bytea'), ['\\x00ff', null, '\\x']);
      for (const [empty, type] of [
        [uuidArray([]), 'uuid'],
        [newIdArray(0, 0), 'uuid'],
        [textArray([]), 'text'],
      ] as const)
        assert.deepEqual(await asText(empty, type), []);
    });

    test('times keep their millisecond, before and after the year 2000', async () => {
      const times = [
        0,
        1,
        Date.UTC(1999, 11, 31, 23, 59, 59, 999),
        Date.UTC(2000, 0, 1),
        Date.now(),
        Date.UTC(2286, 10, 20, 17, 46, 40, 1),
      ];
      const rows = await place.database.query<{ at: Date }>({ text: 'select unnest($1::timestamptz[]) as at', values: [timeArray(times)] });
      assert.deepEqual(
        rows.map(({ at }) => at.getTime()),
        times,
      );
      assert.deepEqual(await asText(timeArray([null]), 'timestamptz'), [null]);
    });

    test('new ids are all different, and of their moment', async () => {
      const now = Date.now();
      const ids = await asText(newIdArray(1_000, now), 'uuid');
      assert.equal(new Set(ids).size, 1_000);
      for (const id of ids) {
        assert.equal(uuidTime(id!), now);
        assert.match(id!, /^.{14}7.{4}[89ab]/);
      }
    });

    test('what is no id is refused before it is sent', () => {
      for (const wrong of [
        '',
        'x',
        randomUUID().slice(1),
        randomUUID().replace(/.$/, 'g'),
        randomUUID().replace(/.$/, 'é'),
        randomUUID().replaceAll('-', ''),
      ])
        assert.throws(() => uuidArray([wrong]), /not a UUID/, wrong);
    });
  });
}
