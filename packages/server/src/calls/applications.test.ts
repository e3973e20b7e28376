import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { silentLog } from '@dialhook/engine';
import { eventually, FakeClock, freePort, Receiver } from '@dialhook/testing';
import { Applications, type ApplicationRequest } from './applications.ts';
import { CALL_LIMITS } from './limits.ts';

const id = (n: number) => `0191f3a2-7c1e-7d7a-b0a4-${String(n).padStart(12, '0')}`;
const request = (n: number): ApplicationRequest => ({
  organizationId: id(1),
  workflowId: id(2),
  leadId: id(n),
  step: 3,
  phoneNumber: '+447700900123',
  metadata: '{"plan":"pro"}',
  lastCall: null,
  node: { id: id(4), label: 'crm', action: 'create_deal', parameters: {} },
});

test('an application is waited for until its time is over, and not longer; any 2xx is success', async (t) => {
  const receiver = await Receiver.start();
  t.after(() => receiver.stop());
  const clock = new FakeClock();
  const applications = new Applications({ url: receiver.url('/application'), token: 'for-tests', clock, log: silentLog });
  const answers = new Map<number, boolean>();
  const ask = (n: number) => applications.ask(request(n), async (isSuccess) => void answers.set(n, isSuccess));

  // One never answers, one does just in time, one begins to answer too late.
  let [inTime, late] = [() => {}, () => {}];
  receiver.answer = ({ body }) => {
    if (body.includes('000000000007')) return () => {};
    if (body.includes('000000000008')) return (_request, response) => void (inTime = () => void response.writeHead(204).end());
    if (body.includes('000000000009')) return (_request, response) => void (late = () => void response.writeHead(200).end());
    return body.includes('000000000010') ? 299 : 500;
  };
  for (const n of [7, 8, 9, 10, 11]) ask(n);
  await receiver.until(() => receiver.received.length === 5);
  await eventually('those that answer at once have', () => answers.size === 2);
  assert.deepEqual([answers.get(10), answers.get(11)], [true, false]);
  assert.equal(applications.room, CALL_LIMITS.applicationsAtOnce - 3);
  clock.advance(CALL_LIMITS.applicationTimeoutMs - 1);
  inTime();
  await eventually('the one in time has', () => answers.size === 3);
  assert.deepEqual([answers.get(8), answers.has(7), answers.has(9)], [true, false, false]);
  clock.advance(1);
  await eventually('the others are given up', () => answers.size === 5);
  assert.deepEqual([answers.get(7), answers.get(9)], [false, false]);
  late();
  await eventually('all room is free', () => applications.room === CALL_LIMITS.applicationsAtOnce);

  const [first] = receiver.received;
  assert.deepEqual(
    [first!.headers.authorization, first!.headers['idempotency-key'], first!.headers['content-type']],
    ['Bearer for-tests', 'wlead_0191f3a27c1e7d7ab0a4000000000007-3', 'application/json'],
  );
  ask(7);
  await receiver.until(() => receiver.received.length === 6);
  await applications.stop();
  assert.deepEqual([answers.get(7), applications.room], [false, 0]);
  clock.advance(2 * CALL_LIMITS.applicationTimeoutMs);
  const nobody = new Applications({ url: `http://127.0.0.1:${await freePort()}/`, token: undefined, clock, log: silentLog });
  nobody.ask(request(12), async (isSuccess) => void answers.set(12, isSuccess));
  await eventually('nobody there is no success', () => answers.has(12));
  assert.equal(answers.get(12), false);
});
