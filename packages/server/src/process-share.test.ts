import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Config } from './config.ts';
import { processShare } from './process-share.ts';

test('what a machine has once is divided among its processes; one alone has all of it', () => {
  const share = (processes: number | null) => processShare({ eventMemoryMb: 256, processes } as Config, 16);
  const mib = 1024 * 1024;
  const all = { lists: 15, listThreads: 17, hashes: 4, eventMemoryBytes: 256 * mib };
  assert.deepEqual([share(null), share(1)], [all, all]);
  assert.deepEqual(share(4), { lists: 4, listThreads: 6, hashes: 1, eventMemoryBytes: 64 * mib });
  assert.deepEqual(share(32), { lists: 1, listThreads: 3, hashes: 1, eventMemoryBytes: 16 * mib });
});
