import { strict as assert } from 'node:assert';
import { chmodSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { eventually, freePort, freshPlace, Receiver, ServerProcess, type Received } from '@dialhook/testing';

/** Several server processes under one supervisor: real processes, a real PostgreSQL, real signals. */

const TOKEN = 'operator-token-for-supervisors';
const READY = 'a server process is ready';

type Place = Awaited<ReturnType<typeof freshPlace>>;

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** Everything takes its time on a busy machine: processes are started all the time. */
const PATIENCE_MS = 150_000;
const until = <T>(what: string, probe: () => Promise<T | null | false> | T | null | false) => eventually(what, probe, PATIENCE_MS);

/** A call on a connection of its own, or of the agent; rejects when the connection is refused or cut off. */
function call(url: string, method: string, options: { body?: unknown; token?: string; agent?: Agent } = {}): Promise<Answer> {
  const { agent, body, token = TOKEN } = options;
  const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: agent ?? new Agent({ keepAlive: false }) }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode!, headers: response.headers, body }), reject);
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function start(place: Place, env: Record<string, string> = {}): Promise<ServerProcess> {
  return ServerProcess.start({
    ...place.env,
    PORT: String(await freePort()),
    DIALHOOK_PROCESSES: '2',
    DIALHOOK_OPERATOR_TOKEN: TOKEN,
    DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
    ...env,
  });
}

function lines(server: ServerProcess): { msg: string; process?: number }[] {
  return server.output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { msg: string; process?: number });
}

/** Processes that were ever ready, oldest first; waits until there are so many. */
function processes(server: ServerProcess, count: number): Promise<number[]> {
  return until(`${count} processes were ready`, () => {
    const ready = lines(server).filter(({ msg }) => msg === READY);
    return ready.length >= count && ready.map((line) => line.process!);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/^State:\s+Z/m.test(readStatus(pid));
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

async function organization(server: ServerProcess, slug: string, receiver: Receiver, path: string): Promise<void> {
  const base = `${server.url}/operator/v1/organizations`;
  assert.equal((await call(base, 'POST', { body: { slug } })).status, 201);
  const endpoint = { dialect: 'standard', url: receiver.url(path) };
  assert.equal((await call(`${base}/${slug}/endpoints`, 'POST', { body: endpoint })).status, 201);
}

let events = 0;

/** Publishes an event with a number of its own, and gives that. */
async function publish(server: ServerProcess, slug: string, agent?: Agent): Promise<number> {
  const number = ++events;
  const body = { organization: slug, type: 'call.ended', data: { number } };
  const answer = await call(`${server.url}/operator/v1/events`, 'POST', { body, ...(agent && { agent }) });
  assert.equal(answer.status, 202, answer.body);
  return number;
}

function numberOf(received: Received): number {
  return (JSON.parse(received.body) as { data: { number: number } }).data.number;
}

/** Sums by name and labels, as Prometheus reads them. */
async function metrics(server: ServerProcess): Promise<Map<string, number>> {
  const { body } = await call(`${server.url}/metrics`, 'GET');
  const values = [...body.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm)].map(([, name, value]) => [name!, Number(value)] as const);
  assert.equal(new Set(values.map(([name]) => name)).size, values.length, 'no series comes twice');
  return new Map(values);
}

describe('two processes', () => {
  let place: Place;
  let server: ServerProcess;
  let receiver: Receiver;
  /** Numbers of events whose request the dead process had in hand. */
  const cut: number[] = [];
  const published = { kept: [] as number[], bystander: [] as number[] };
  const arrivedAt = (path: string) => receiver.received.filter((one) => one.path === path).map(numberOf);

  before(async () => {
    [place, receiver] = [await freshPlace('postgres'), await Receiver.start()];
    server = await start(place);
    await organization(server, 'kept', receiver, '/kept');
    await organization(server, 'bystander', receiver, '/bystander');
  });
  after(async () => {
    await server.kill();
    await receiver.stop();
    await place.remove();
  });

  test('they say once where they listen', async () => {
    await processes(server, 2);
    await until('the address is printed', () => /listens on \S+ with 2 processes/.test(server.output));
    assert.equal(server.output.match(/listens on/g)?.length, 1);
  });

  test('one that is killed comes back; the other one goes on, and what the dead one had in hand is delivered', async () => {
    const [victim] = await processes(server, 2);
    // Every process has requests in hand when one of them dies.
    const held: (() => void)[] = [];
    receiver.answer = ({ path }) => {
      if (path === '/bystander') return 200;
      return (_request, response, received) => {
        response.once('close', () => !response.writableFinished && cut.push(numberOf(received)));
        held.push(() => response.end());
      };
    };
    for (let n = 0; n < 8; n++) published.kept.push(await publish(server, 'kept'));
    await receiver.until(() => held.length >= 2, PATIENCE_MS); // an endpoint that was never tried gets one request from each
    process.kill(victim!, 'SIGKILL');
    // A call that the dead one had is cut off; all others are answered.
    for (let n = 0; n < 8; n++)
      await publish(server, 'bystander').then(
        (id) => published.bystander.push(id),
        () => {},
      );
    await receiver.until(() => published.bystander.every((id) => arrivedAt('/bystander').includes(id)), PATIENCE_MS);
    assert.ok(published.bystander.length >= 7);
    await until('its request is cut off', () => cut.length > 0);
    receiver.answer = () => 200;
    for (const answer of held) answer();
    const [, other, replacement] = await processes(server, 3);
    assert.ok(isAlive(other!) && isAlive(replacement!) && !isAlive(victim!));
  });

  test('whichever answers /metrics gives the sum of all, which did not fall when one died', async () => {
    const asked = `dialhook_http_request_duration_seconds_count{method="POST",route="/operator/v1/events",status="2xx"}`;
    await metrics(server);
    const before = (await metrics(server)).get(asked)!;
    const more = 12;
    for (let n = 0; n < more; n++) published.bystander.push(await publish(server, 'bystander'));
    for (let n = 0; n < 4; n++) {
      const now = await metrics(server);
      assert.equal(now.get(asked), before + more);
      assert.equal(now.get('dialhook_processes'), 2);
      // Nodes and what waits are the same for all: they are not added up. The dead one is still counted, or not any more.
      assert.ok([2, 3].includes(now.get('dialhook_sending_nodes')!));
    }
  });

  test('calls of a DialNexa key are counted once for all processes', async () => {
    const { body } = await call(`${server.url}/operator/v1/organizations/kept/api-keys`, 'POST', { body: { kind: 'dialnexa' } });
    const { key } = JSON.parse(body) as { key: string };
    const answers = await Promise.all(Array.from({ length: 155 }, () => call(`${server.url}/v1/user-webhooks`, 'GET', { token: key })));
    assert.equal(answers.filter(({ status }) => status === 429).length, 5);
    const remaining = answers.filter(({ status }) => status === 200).map(({ headers }) => Number(headers['x-ratelimit-remaining']));
    assert.deepEqual(
      remaining.sort(ascending),
      Array.from({ length: 150 }, (_, n) => n),
    );
  });

  test('nothing that was accepted is lost', async () => {
    // A node counts as dead after ten seconds of silence.
    for (const slug of ['kept', 'bystander'] as const)
      await receiver.until(() => new Set(published[slug]).isSubsetOf(new Set(arrivedAt(`/${slug}`))), PATIENCE_MS);
    const timesOf = (wanted: number) => arrivedAt('/kept').filter((number) => number === wanted).length;
    await receiver.until(() => cut.every((number) => timesOf(number) >= 2), PATIENCE_MS);
  });

  test('SIGHUP replaces them one by one under load: no call is refused or cut off, nothing is lost or sent twice', async () => {
    const old = (await processes(server, 3)).filter(isAlive);
    const first = events + 1;
    const arrived = () => arrivedAt('/bystander').filter((number) => number >= first);
    let isOver = false;
    const sent: number[] = [];
    const failures: unknown[] = [];
    const client = async (agent?: Agent) => {
      for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 25)))
        await publish(server, 'bystander', agent).then(
          (number) => sent.push(number),
          (error: unknown) => failures.push(error),
        );
    };
    const keptOpen = Array.from({ length: 3 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const clients = [...keptOpen.map((agent) => client(agent)), client(), client()];
    process.kill(server.pid, 'SIGHUP');
    await until('all are replaced', () => lines(server).some(({ msg }) => msg === 'all processes were replaced'));
    isOver = true;
    await Promise.all(clients);
    for (const agent of keptOpen) agent.destroy();
    assert.deepEqual(failures, []);
    assert.ok(sent.length > 20);
    assert.equal(old.some(isAlive), false);
    await receiver.until(() => arrived().length >= sent.length);
    assert.equal(arrived().sort(ascending).join(), sent.sort(ascending).join());
  });

  test('a new one that cannot start leaves the old ones as they are', async () => {
    const running = (await processes(server, 5)).filter(isAlive);
    chmodSync(join(place.dataDir, 'secret-key'), 0o644);
    process.kill(server.pid, 'SIGHUP');
    await until('it is given up', () => lines(server).some(({ msg }) => msg.startsWith('a new process did not start')));
    chmodSync(join(place.dataDir, 'secret-key'), 0o600);
    assert.match(server.output, /"reason":"The key file \S+ can be read by other users/);
    assert.deepEqual(running.filter(isAlive), running);
    for (let n = 0; n < 4; n++) assert.equal((await call(`${server.url}/readyz`, 'GET')).status, 200);
  });

  test('SIGTERM stops all in order: what is in flight is finished and not repeated, and the exit code is 0', async () => {
    const running = (await processes(server, 5)).filter(isAlive);
    const held: (() => void)[] = [];
    receiver.answer = () => (_request, response) => void held.push(() => response.end());
    const count = receiver.received.length;
    const number = await publish(server, 'bystander');
    await receiver.until(() => held.length === 1, PATIENCE_MS);
    const stopped = server.stop();
    await until('the port is closed', () => refuses(server));
    for (const answer of held) answer();
    assert.equal(await stopped, 0);
    assert.equal(running.some(isAlive), false);
    assert.deepEqual(receiver.received.slice(count).map(numberOf), [number]);
  });
});

test('when the supervisor is killed, its processes end and the port is free', async (t) => {
  const place = await freshPlace('postgres');
  t.after(place.remove);
  const server = await start(place);
  const running = await processes(server, 2);
  await server.kill();
  await until('they are gone', () => !running.some(isAlive));
  assert.equal(await refuses(server), true);
});

test('a process that ends at once again and again ends all, with its error said once and its exit code', async (t) => {
  const place = await freshPlace('postgres');
  t.after(place.remove);
  const server = await start(place);
  const [victim, other] = await processes(server, 2);
  chmodSync(join(place.dataDir, 'secret-key'), 0o644);
  process.kill(victim!, 'SIGKILL');
  assert.equal(await server.exited, 1);
  assert.equal(isAlive(other!), false);
  assert.equal(server.output.match(/^The key file/gm)?.length, 1);
});

test('a port that is taken is one line, said once', async (t) => {
  const place = await freshPlace('postgres');
  t.after(place.remove);
  const taken = await Receiver.start();
  t.after(() => taken.stop());
  taken.answer = () => 503; // it is not the server that is ready
  await assert.rejects(start(place, { PORT: String(taken.port), DIALHOOK_LOG_LEVEL: 'error' }), (error: Error) => {
    assert.match(error.message, /^The server ended with 1: \S+ EADDRINUSE[^\n]+set PORT to another one\.\n$/);
    return true;
  });
});

const ascending = (a: number, b: number) => a - b;

function refuses(server: ServerProcess): Promise<boolean> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => (socket.destroy(), resolve(false)));
    socket.once('error', () => resolve(true));
  });
}
