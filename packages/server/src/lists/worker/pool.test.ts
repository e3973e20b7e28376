import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sampleCsv } from '../samples.fixture.ts';
import { WorkerPool } from './pool.ts';

test('one organization with many files has its share of the threads; another comes next, and nothing is left out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dialhook-pool-'));
  const workers = new WorkerPool(3);
  t.after(async () => {
    await workers.close();
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'list.csv');
  writeFileSync(path, sampleCsv(20_000));
  const ended: string[] = [];
  const read = async (owner: string, n: number) => {
    const stagedPath = join(folder, `${owner}-${n}`);
    const { validRows } = await workers.run(owner, {
      type: 'scan',
      format: 'csv',
      inputPath: path,
      stagedPath,
      originalPath: null,
      phoneColumn: 'phone',
      keepFormulas: false,
    });
    assert.equal(validRows, 20_000);
    ended.push(owner);
  };
  const flood = Array.from({ length: 8 }, (_, n) => read('busy', n));
  await Promise.all([read('other', 0), read('other', 1)]);
  const before = ended.filter((owner) => owner === 'busy').length;
  assert.ok(before <= 4, `${before} of the files that came first were read before the other's two`);
  await Promise.all(flood);
  assert.equal(ended.length, 10);
});
