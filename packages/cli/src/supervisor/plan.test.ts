import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { silentLog } from '@dialhook/engine';
import { ConfigError, loadConfig } from '@dialhook/server';
import { freshPlace } from '@dialhook/testing';
import { fittingProcesses, planProcesses } from './plan.ts';

const LIMIT = { available: 97, max: 100, reserved: 3 };

test('as many processes as there are connections for, with one more while they are replaced', () => {
  assert.equal(fittingProcesses(4, false, 13, LIMIT), 4);
  assert.equal(fittingProcesses(6, true, 13, LIMIT), 6, '7 × 13 = 91');
  assert.equal(fittingProcesses(16, false, 13, LIMIT), 6);
  assert.equal(fittingProcesses(16, false, 60, LIMIT), 1);
  assert.throws(() => fittingProcesses(7, true, 13, LIMIT), {
    name: 'ConfigError',
    message:
      'DIALHOOK_PROCESSES="7" is not valid: at most 6, since 7 processes and one more while they are replaced may need 8 × 13 = 104 connections, ' +
      'and the database has 97 (max_connections 100, of which 3 are reserved)',
  });
});

test('the database is asked for its connections: what is asked for is refused, what is not is lowered, one process always runs', async (t) => {
  const place = await freshPlace('postgres');
  t.after(place.remove);
  const plan = async (env: Record<string, string>) => {
    const lines: object[] = [];
    const count = await planProcesses(loadConfig({ ...place.env, ...env }), { ...silentLog, warn: (fields) => void lines.push(fields) }, 8);
    return { count, lines };
  };
  const large = { DIALHOOK_HOT_CONNECTIONS: '50', DIALHOOK_WORK_CONNECTIONS: '50', DIALHOOK_READ_CONNECTIONS: '50' };
  assert.deepEqual(await plan({ DIALHOOK_PROCESSES: '3' }), { count: 3, lines: [] });
  assert.deepEqual(await plan({}), { count: 8, lines: [] });
  const limit = { available: 197, max: 200, reserved: 3 };
  assert.deepEqual(await plan({ DIALHOOK_HOT_CONNECTIONS: '50' }), { count: 2, lines: [{ cores: 8, processes: 2, each: 59, ...limit }] });
  assert.deepEqual(await plan(large), { count: 1, lines: [{ cores: 8, processes: 1, each: 153, ...limit }] });
  assert.deepEqual(await plan({ DIALHOOK_PROCESSES: '1', ...large }), { count: 1, lines: [] });
  await assert.rejects(plan({ DIALHOOK_PROCESSES: '3', ...large }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /at most 1, .* 4 × 153 = 612 connections, and the database has 197 \(max_connections 200, of which 3/);
    return true;
  });
});
