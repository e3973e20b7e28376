import { strict as assert } from 'node:assert';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '@dialhook/testing';
import { DataDirectoryInUse, DataDirectoryOnNetwork, lockDataDirectory } from './lock.ts';

const LOCK = fileURLToPath(new URL('./lock.ts', import.meta.url));
/** Takes the lock, says so, and stays. */
const HOLD = `import { lockDataDirectory } from ${JSON.stringify(LOCK)}; lockDataDirectory(process.argv[1]); console.log('held ' + process.pid); setInterval(() => {}, 1e6);`;

describe('the lock of the data directory', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'dialhook-lock-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  async function hold(wrapper: readonly string[] = []): Promise<{ child: ChildProcess; pid: number }> {
    const [command, ...args] = [...wrapper, process.execPath, '--input-type=module', '-e', HOLD, directory];
    const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(child.stdout!, 'data')) as [Buffer];
    return { child, pid: Number(/held (\d+)/.exec(said.toString())![1]) };
  }
  const free = () =>
    eventually('it is free', () => {
      try {
        lockDataDirectory(directory)();
        return true;
      } catch (error) {
        if (error instanceof DataDirectoryInUse) return null;
        throw error;
      }
    });

  test('it excludes this process and others, says who has it, and is nobody else’s to read', async () => {
    const unlock = lockDataDirectory(directory);
    assert.throws(() => lockDataDirectory(directory), new RegExp(`in use by process ${process.pid}\\. Stop`));
    assert.throws(() => lockDataDirectory(directory), DataDirectoryInUse, 'a refusal does not end the lock');
    for (const name of ['lock', 'lock.sqlite']) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', HOLD, directory], { encoding: 'utf8' });
    assert.match(other.stderr, new RegExp(`in use by process ${process.pid}`));
    unlock();
    const { child, pid } = await hold();
    assert.throws(() => lockDataDirectory(directory), new RegExp(`in use by process ${pid}`));
    child.kill('SIGKILL');
    await free();
  });

  test('a process in a container, with process ids of its own, is seen', async (t) => {
    const unshare = ['unshare', '--pid', '--fork', '--kill-child'];
    if (spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status !== 0) {
      t.diagnostic('not shown here: this system lets nobody make a process-id namespace');
      return;
    }
    const { child, pid } = await hold(unshare);
    assert.ok(pid < 100, 'its own numbering');
    assert.throws(() => lockDataDirectory(directory), DataDirectoryInUse);
    child.kill('SIGKILL');
    await free();
  });

  test('a process that is dead and not yet forgotten by its parent holds nothing', async () => {
    // The shell becomes a program that never asks for its child: that stays a zombie.
    const script = `"$0" --input-type=module -e "$1" "$2" & exec sleep 600`;
    const parent = spawn('sh', ['-c', script, process.execPath, HOLD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(/held (\d+)/.exec(said.toString())![1]);
    process.kill(pid, 'SIGKILL');
    await eventually('it is a zombie', () => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    await free();
    assert.match(readFileSync(`/proc/${pid}/stat`, 'utf8'), / Z /, 'its parent has not forgotten it yet');
    parent.kill('SIGKILL');
  });

  test('an older version that runs is seen, one that is gone is not', () => {
    const path = join(directory, 'lock');
    const stat = readFileSync(`/proc/${process.pid}/stat`, 'utf8');
    const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    writeFileSync(path, JSON.stringify({ pid: process.pid, began }));
    assert.throws(() => lockDataDirectory(directory), DataDirectoryInUse);
    for (const stale of [JSON.stringify({ pid: 4_000_000, began: '1' }), JSON.stringify({ pid: process.pid, began: '1' }), '{"pid":', '']) {
      writeFileSync(path, stale);
      lockDataDirectory(directory)();
    }
  });

  test('a network file system is refused with what to do', () => {
    for (const type of [0x6969, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997])
      assert.throws(
        () => lockDataDirectory(directory, () => type),
        (error) =>
          error instanceof DataDirectoryOnNetwork &&
          /Set DIALHOOK_DATA_DIR to a directory on a local disk, or DATABASE_URL/.test(error.message),
      );
    for (const type of [0xef53, 0x58465342, 0x9123683e, 0x794c7630, 0x01021994]) lockDataDirectory(directory, () => type)();
  });
});
