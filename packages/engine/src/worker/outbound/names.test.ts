import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import { NetworkGuard } from '../guard.ts';
import { Transport } from '../transport.ts';
import { parseHosts } from './hosts-file.ts';
import { TestNameServer, type Behaviour } from './name-server.fixture.ts';
import { Names } from './names.ts';

/** Names against a real name server on loopback that answers, refuses, or says nothing. */

const LOCAL: Behaviour = { addresses: ['127.0.0.1'], ttl: 60 };
const directory = mkdtempSync(join(tmpdir(), 'names-'));
const hostsFile = join(directory, 'hosts');
const nameServer = new TestNameServer(() => LOCAL);
let servers: readonly string[];
let clock = 0;
let names: Names;

before(async () => {
  servers = [await nameServer.start()];
});
beforeEach(() => {
  nameServer.asked.length = 0;
  nameServer.behaviour = () => LOCAL;
  writeFileSync(hostsFile, '127.0.0.7 receiver.test other # comment\n\n# 127.0.0.8 gone.test\n::1 receiver.test\nnonsense x.test\n');
  names = new Names({ servers, hostsFile, now: () => clock });
});
afterEach(() => names.close());
after(() => {
  nameServer.close();
  rmSync(directory, { recursive: true });
});

const addressesOf = async (name: string, organization = 'a') => (await names.resolve(name, organization)).map(({ address }) => address);
const askedFor = (name: string) => nameServer.asked.filter((question) => question === `${name} A`).length;

describe('names', () => {
  test('the hosts file and localhost come first, and nobody is asked', async () => {
    assert.deepEqual(await addressesOf('Receiver.TEST.'), ['127.0.0.7', '::1']);
    assert.deepEqual(await addressesOf('other'), ['127.0.0.7']);
    assert.deepEqual(await addressesOf('localhost'), ['127.0.0.1', '::1']);
    assert.deepEqual(await addressesOf('app.localhost'), ['127.0.0.1', '::1']);
    await assert.rejects(addressesOf('missing.invalid'), { code: 'ENOTFOUND', isAnswer: true, ours: false });
    assert.deepEqual(nameServer.asked, []);
    writeFileSync(hostsFile, '127.0.0.9 localhost receiver.test\n');
    assert.deepEqual(await addressesOf('other'), ['127.0.0.7'], 'looked at once in a while');
    clock += NETWORK_LIMITS.hostsFileMs;
    assert.deepEqual(await addressesOf('receiver.test'), ['127.0.0.9']);
    assert.deepEqual(await addressesOf('localhost'), ['127.0.0.9']);
    assert.deepEqual(await addressesOf('other'), ['127.0.0.1'], 'no longer in the file');
  });

  test('a hosts file may be anything', () => {
    assert.deepEqual([...parseHosts('\0\u{feff}\r\n127.0.0.1\r\n 10.0.0.1\tA b\r\nfe80::1%lo z\n')].flat(), [
      'a',
      [{ address: '10.0.0.1', family: 4 }],
      'b',
      [{ address: '10.0.0.1', family: 4 }],
    ]);
  });

  test('one look-up for each name at once, whoever asks; answers hold for their time to live within bounds', async () => {
    nameServer.behaviour = (name) => ({ addresses: ['127.0.0.1'], ttl: name === 'short.test' ? 0 : name === 'long.test' ? 86_400 : 60 });
    await Promise.all(Array.from({ length: 50 }, (_, i) => addressesOf('same.test', `organization ${i % 5}`)));
    assert.equal(askedFor('same.test'), 1);
    for (const name of ['short.test', 'long.test']) await addressesOf(name);
    const asked = async (name: string, afterMs: number) => {
      clock += afterMs;
      await addressesOf(name);
      return askedFor(name);
    };
    assert.equal(await asked('short.test', NETWORK_LIMITS.minNameMs - 1), 1);
    assert.equal(await asked('short.test', 1), 2);
    assert.equal(await asked('same.test', 60_000 - NETWORK_LIMITS.minNameMs - 1), 1);
    assert.equal(await asked('same.test', 1), 2);
    assert.equal(await asked('long.test', NETWORK_LIMITS.maxNameMs - 60_000 - 1), 1);
    assert.equal(await asked('long.test', 1), 2);
  });

  test('both families; one that fails or is silent leaves the other', async () => {
    const six = '2001:db8:0:0:0:0:0:1';
    nameServer.behaviour = (name, type) => {
      if (name === 'both.test') return { addresses: ['127.0.0.1', six] };
      if (name === 'silent.test') return type === 'A' ? LOCAL : 'silent';
      return type === 'AAAA' ? { addresses: [six] } : 'failure';
    };
    assert.deepEqual(await addressesOf('both.test'), ['127.0.0.1', '2001:db8::1']);
    assert.deepEqual(await addressesOf('silent.test'), ['127.0.0.1']);
    assert.deepEqual(await addressesOf('six.test'), ['2001:db8::1']);
  });

  test('what failed is not asked again for a moment, and is not ours while the name server answers others', async () => {
    nameServer.behaviour = (name) => (name === 'missing.test' ? 'not-found' : name === 'broken.test' ? 'failure' : LOCAL);
    await assert.rejects(addressesOf('missing.test'), { code: 'ENOTFOUND', isAnswer: true, ours: false });
    await assert.rejects(addressesOf('broken.test'), { code: 'ESERVFAIL', isAnswer: false, ours: false });
    await assert.rejects(addressesOf('missing.test'), { code: 'ENOTFOUND' });
    assert.deepEqual([askedFor('missing.test'), askedFor('broken.test')], [1, 1]);
    nameServer.behaviour = () => LOCAL;
    clock += NETWORK_LIMITS.failedNameMs;
    assert.deepEqual(await addressesOf('missing.test'), ['127.0.0.1']);
  });

  test('a name server that fails for every name, or whose port is closed, is trouble of ours', async () => {
    nameServer.behaviour = () => 'failure';
    await assert.rejects(addressesOf('any.test'), { code: 'ESERVFAIL', ours: true });
    const spare = new TestNameServer(() => LOCAL);
    const closed = await spare.start();
    spare.close();
    const nobody = new Names({ servers: [closed], hostsFile, now: () => clock });
    await assert.rejects(nobody.resolve('any.test'), { code: 'ECONNREFUSED', ours: true });
  });

  test('while there is no answer the last one is used, for a while; "there is no such name" ends it at once', async () => {
    await addressesOf('kept.test');
    await addressesOf('removed.test');
    nameServer.behaviour = (name) => (name === 'removed.test' ? 'not-found' : 'failure');
    clock += 60_000;
    assert.deepEqual(await addressesOf('kept.test'), ['127.0.0.1']);
    await assert.rejects(addressesOf('removed.test'), { code: 'ENOTFOUND' });
    clock += NETWORK_LIMITS.staleNameMs;
    await assert.rejects(addressesOf('kept.test'), { code: 'ESERVFAIL' });
  });

  test('names that could be anything reach no server and end as names that do not exist', async () => {
    for (const name of ['a..b', 'x'.repeat(64), `${'a.'.repeat(130)}test`, '', '.', 'a b.test', 'exa\0mple.test'])
      await assert.rejects(addressesOf(name), (error: { code: string; ours: boolean }) => !error.ours, JSON.stringify(name));
  });
});

describe('a slow name server of one customer', { concurrency: true }, () => {
  const receiver = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  before(async () => {
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
  });
  after(() => receiver.close());

  /** A sender with a name server of its own. */
  async function sender(behaviour: (name: string) => Behaviour) {
    const server = new TestNameServer(behaviour);
    const transport = new Transport(new NetworkGuard({ allowPrivateTargets: true, nameServers: [await server.start()] }), Date.now);
    const { port } = receiver.address() as { port: number };
    return {
      asked: server.asked,
      post: (host: string, organizationId: string, timeoutMs = 60_000) =>
        transport.post({ origin: `http://${host}:${port}`, path: '/', body: Buffer.from('{}'), headers: {}, timeoutMs, organizationId }),
      close: async () => {
        await transport.close();
        server.close();
      },
    };
  }

  test('delays nobody else, however many of its names stall; and it is not our trouble', async () => {
    const { asked, close, post } = await sender((name) => (name.startsWith('stall') ? 'silent' : LOCAL));
    const stalled = Array.from({ length: 96 }, (_, i) => post(`stall${i}.test`, 'slow'));
    // These are done before the first look-up of the slow one can have ended.
    for (let n = 0; n < 40; n++) assert.equal((await post(`healthy${n}.test`, 'healthy')).status, 200);
    const begun = new Set(asked.filter((question) => /^stall.* A$/.test(question))).size;
    assert.equal(begun, NETWORK_LIMITS.organizationLookups, 'the other names of the slow one wait for their turn');
    // A name that waits in the slow one's queue does not wait there for somebody else.
    assert.equal((await post('stall95.test', 'third', 200)).error, 'timeout');
    assert.ok(asked.includes('stall95.test A'));
    const results = await Promise.all(stalled.slice(0, NETWORK_LIMITS.organizationLookups));
    for (const { error, ours } of results) assert.deepEqual([error, ours], ['dns_error', false]);
    await close();
    await Promise.all(stalled);
  });

  test('a name server that answers nobody is our trouble, and the attempt says so', async () => {
    const { close, post } = await sender(() => 'silent');
    const { error, ours } = await post('any.test', 'somebody');
    assert.deepEqual([error, ours], ['dns_error', true]);
    await close();
  });
});
