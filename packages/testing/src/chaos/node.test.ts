import { strict as assert } from 'node:assert';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../eventually.ts';
import { ChaosNode } from './node.ts';
import { Reaper } from './reaper.ts';
import { Troubles } from './troubles.ts';

class Counting extends Reaper {
  readonly children: ChildProcess[] = [];

  override watch(child: ChildProcess): void {
    this.children.push(child);
    super.watch(child);
  }
}

test('a node that is killed while it waits to be started again is started once', async () => {
  const reaper = new Counting();
  const folder = mkdtempSync(join(tmpdir(), 'dialhook-node-test-'));
  reaper.made(folder);
  const options = { index: 0, port: 1, clockFile: join(folder, 'clock'), reaper, troubles: new Troubles() };
  const node = new ChaosNode({ ...options, env: { DIALHOOK_ROLE: 'nonsense' } }); // it ends by itself
  node.setClock(0);
  try {
    node.start();
    await eventually('it has ended', () => Promise.resolve(node.ends.length === 1));
    await node.kill();
    const alive = reaper.children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    assert.deepEqual(alive, reaper.children.slice(-1));
  } finally {
    await node.close();
    await reaper.finish();
  }
});
