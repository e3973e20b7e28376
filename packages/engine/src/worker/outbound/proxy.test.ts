import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import tls from 'node:tls';
import { silentLog } from '../../core/log.ts';
import { AUTHORITY, OTHER_HOST, SERVER_KEY, VALID } from '../certificates.fixture.ts';
import { NetworkGuard, type TargetOptions } from '../guard.ts';
import { Transport } from '../transport.ts';
import { EgressProxy, type ProxyOptions } from './proxy.ts';

/** Out through a real proxy: it is asked for an address that was checked, and the receiver sees the name. */

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const requests: string[] = [];
const hosts: string[] = [];
const lines: object[] = [];
let connections = 0;
const onSocket = (socket: Socket) => {
  connections += 1;
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    hosts.push(/host: (\S+)/.exec(bytes.toString())![1]!);
    socket.write(OK);
  });
};
const plain = net.createServer(onSocket);
const secure = tls.createServer({ cert: VALID, key: SERVER_KEY }, onSocket);
const wrongName = tls.createServer({ cert: OTHER_HOST, key: SERVER_KEY }, onSocket);
/** What the proxy does with `CONNECT`; it connects when this gives null. */
let refusal: (authority: string) => string | null = () => null;
let credentials: string | undefined;
const proxy = http.createServer().on('connect', (request, client: Socket) => {
  requests.push(request.url!);
  credentials = request.headers['proxy-authorization'];
  client.on('error', () => {});
  const refused = refusal(request.url!);
  if (refused !== null) {
    client.end(refused);
    return;
  }
  const { hostname, port } = new URL(`http://${request.url}`);
  // The test's receivers are on loopback, whatever public address the proxy was asked for.
  const target = net.connect(Number(port), '127.0.0.1', () => {
    assert.equal(net.isIP(hostname.replace(/^\[|\]$/g, '')) === 0, false, 'an address, no name');
    client.write('HTTP/1.1 200 Connection established\r\nproxy-agent: test\r\n\r\n');
    target.pipe(client);
    client.pipe(target);
  });
  target.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'));
  client.on('close', () => target.destroy());
  target.on('close', () => client.destroy());
});
const portOf = (server: net.Server) => (server.address() as { port: number }).port;

before(async () => {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), AUTHORITY]);
  wrongName.on('tlsClientError', () => {});
  for (const server of [plain, secure, wrongName, proxy]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
beforeEach(() => {
  requests.length = hosts.length = lines.length = connections = 0;
  refusal = () => null;
});
after(() => {
  for (const server of [plain, secure, wrongName, proxy]) server.close();
  proxy.closeAllConnections();
});

/** Public addresses: what the proxy is asked for, and nothing that this machine could reach. */
const ZONE: Record<string, string[]> = {
  'receiver.test': ['93.184.215.14'],
  'two.test': ['93.184.215.15', '2606:2800:21f:cb07::1'],
  'inner.test': ['10.0.0.1'],
  'direct.test': ['127.0.0.1'],
};
const resolve = async (name: string) => (ZONE[name] ?? []).map((address) => ({ address, family: net.isIP(address) }));

function sender(options: ProxyOptions & TargetOptions = {}) {
  const { egressProxy = `http://127.0.0.1:${portOf(proxy)}`, noProxy, ...targets } = options;
  const log = { ...silentLog, info: (fields: object) => void lines.push(fields) };
  const transport = new Transport(new NetworkGuard({ resolve, ...targets }, log), Date.now, { egressProxy, noProxy });
  const post = async (origin: string, timeoutMs = 10_000) => {
    const { error, ours, status } = await transport.post({ origin, path: '/', body: Buffer.from('{}'), headers: {}, timeoutMs });
    return [status ?? error, ours] as const;
  };
  return { post, close: () => transport.close() };
}

describe('out through a proxy', () => {
  test('https: the proxy is asked for the checked address, the receiver sees the name, and the connection is kept', async () => {
    const { close, post } = sender({ egressProxy: `http://us%40er:p%3Aw@127.0.0.1:${portOf(proxy)}` });
    const origin = `https://receiver.test:${portOf(secure)}`;
    for (let n = 0; n < 3; n++) assert.deepEqual(await post(origin), [200, false]);
    assert.deepEqual(requests, [`93.184.215.14:${portOf(secure)}`]);
    assert.deepEqual(
      hosts,
      Array.from({ length: 3 }, () => `receiver.test:${portOf(secure)}`),
    );
    assert.equal(credentials, `Basic ${Buffer.from('us@er:p:w').toString('base64')}`);
    assert.deepEqual(await post(`https://receiver.test:${portOf(wrongName)}`), ['tls_error', false]);
    await close();
  });

  test('http in development goes the same way', async () => {
    const { close, post } = sender({ allowPrivateTargets: true });
    for (let n = 0; n < 3; n++) assert.deepEqual(await post(`http://receiver.test:${portOf(plain)}`), [200, false]);
    assert.deepEqual([requests, connections], [[`93.184.215.14:${portOf(plain)}`], 1]);
    await close();
  });

  test('the guard stays whole: the proxy is not asked for what is not public', async () => {
    const { close, post } = sender();
    for (const host of ['inner.test', '127.0.0.1', '[::1]', '169.254.169.254', 'missing.test'])
      assert.deepEqual(await post(`https://${host}:${portOf(secure)}`), ['dns_error', false]);
    assert.deepEqual(requests, []);
    await close();
  });

  test('the second address is tried when the proxy cannot reach the first', async () => {
    refusal = (authority) => (authority.startsWith('[') ? null : 'HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n');
    const { close, post } = sender({ allowPrivateTargets: true });
    assert.deepEqual(await post(`http://two.test:${portOf(plain)}`), [200, false]);
    assert.deepEqual(requests, [`93.184.215.15:${portOf(plain)}`, `[2606:2800:21f:cb07::1]:${portOf(plain)}`]);
    await close();
  });

  test('whose fault it is: the target’s when the proxy says so, ours when the proxy is the trouble', async () => {
    const { close, post } = sender();
    const origin = `https://receiver.test:${portOf(secure)}`;
    const cases: [answer: string, ours: boolean][] = [
      ['HTTP/1.1 502 Bad Gateway\r\n\r\n', false],
      ['HTTP/1.1 403 Forbidden\r\n\r\n', false],
      ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', true],
      ['HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n', true],
      ['SSH-2.0-OpenSSH\r\n\r\n', true],
      ['HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', true], // the target has not been asked yet
      [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`, true],
      ['', true],
    ];
    for (const [answer, ours] of cases) {
      refusal = () => answer;
      assert.deepEqual(await post(origin), ['connection_error', ours], answer.slice(0, 40));
    }
    await close();
    const said = ['PROXY 407', 'PROXY 302', 'PROXY 0', 'PROXY said too much', 'PROXY answers without end', 'PROXY closed'];
    assert.deepEqual(
      lines,
      said.map((reason) => ({ host: 'receiver.test', reason })),
      'the operator sees what the trouble is',
    );
    const away = sender({ egressProxy: 'http://proxy-away.test:3128' });
    assert.deepEqual(await away.post(origin), ['connection_error', true], 'its name does not resolve');
    await away.close();
    const silent = net.createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const slow = sender({ egressProxy: `http://127.0.0.1:${portOf(silent)}` });
    assert.deepEqual(await slow.post(origin, 200), ['timeout', false]);
    await slow.close();
    silent.close();
  });

  test('what is named as an exception is reached directly', async () => {
    const { close, post } = sender({ allowPrivateTargets: true, noProxy: ['direct.test'] });
    assert.deepEqual(await post(`http://direct.test:${portOf(plain)}`), [200, false]);
    assert.deepEqual(requests, []);
    await close();
    const at = (...addresses: string[]) => addresses.map((address) => ({ address, family: net.isIP(address) }));
    const except = new EgressProxy('http://proxy.test', [
      'example.com',
      '.below.org',
      '*.stars.net',
      '10.1.0.0/16',
      'fd00::/8',
      '192.0.2.7',
    ]);
    for (const [host, addresses, serves] of [
      ['example.com', at('8.8.8.8'), false],
      ['a.EXAMPLE.com.', at('8.8.8.8'), false],
      ['badexample.com', at('8.8.8.8'), true],
      ['a.below.org', at('8.8.8.8'), false],
      ['a.stars.net', at('8.8.8.8'), false],
      ['other.test', at('10.1.2.3', 'fd12::1'), false],
      ['other.test', at('10.1.2.3', '10.2.0.1'), true],
      ['192.0.2.7', at('192.0.2.7'), false],
      ['192.0.2.8', at('192.0.2.8'), true],
    ] as const)
      assert.equal(except.serves(host, addresses), serves, `${host} ${JSON.stringify(addresses)}`);
    assert.equal(new EgressProxy('http://proxy.test', ['*']).serves('a.test', at('8.8.8.8')), false);
    for (const url of ['https://proxy.test', 'http://proxy.test/x', 'socks5://proxy.test', 'http://proxy.test?x', 'proxy.test:80'])
      assert.throws(() => new EgressProxy(url, []), TypeError, url);
  });
});
