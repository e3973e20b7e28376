import { strict as assert } from 'node:assert';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { EngineError } from '../core/errors.ts';
import { silentLog } from '../core/log.ts';
import { NetworkGuard, type Address } from './guard.ts';
import { Transport } from './transport.ts';

/** Every spelling that might lead to an address of ours, against a listener that must never be reached. */

const INNER_V4 = [
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '198.18.0.1',
];
const bytes = (address: string) => address.split('.').map(Number);
const integer = (address: string) => bytes(address).reduce((sum, byte) => sum * 256 + byte, 0);
const hex = (n: number, width = 0) => n.toString(16).padStart(width, '0');
const groups = (address: string) => `${hex(integer(address) >>> 16)}:${hex(integer(address) & 0xffff)}`;

const SPELLINGS: Record<string, (address: string) => string> = {
  dotted: (a) => a,
  'trailing dot': (a) => `${a}.`,
  decimal: (a) => String(integer(a)),
  hexadecimal: (a) => `0x${hex(integer(a))}`,
  octal: (a) => `0${integer(a).toString(8)}`,
  'dotted octal': (a) =>
    bytes(a)
      .map((b) => `0${b.toString(8)}`)
      .join('.'),
  'dotted hexadecimal': (a) =>
    bytes(a)
      .map((b) => `0x${hex(b)}`)
      .join('.'),
  'mixed bases': (a) =>
    bytes(a)
      .map((b, i) => (i % 2 === 0 ? `0x${hex(b)}` : `0${b.toString(8)}`))
      .join('.'),
  'padded octal': (a) =>
    bytes(a)
      .map((b) => `000${b.toString(8)}`)
      .join('.'),
  'two parts': (a) => `${bytes(a)[0]}.${integer(a) % 2 ** 24}`,
  'three parts': (a) => `${bytes(a)[0]}.${bytes(a)[1]}.${integer(a) % 2 ** 16}`,
  'full-width digits': (a) => a.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  'ideographic stops': (a) => a.replaceAll('.', '。'),
  'percent-encoded': (a) => a.replaceAll(/[\d.]/g, (c) => `%${hex(c.codePointAt(0)!)}`),
  'IPv4-mapped': (a) => `[::ffff:${a}]`,
  'IPv4-mapped hexadecimal': (a) => `[::ffff:${groups(a)}]`,
  'IPv4-mapped, long': (a) => `[0:0:0:0:0:ffff:${groups(a)}]`,
  'IPv4-compatible': (a) => `[::${a}]`,
  NAT64: (a) => `[64:ff9b::${groups(a)}]`,
  '6to4': (a) => `[2002:${groups(a)}::1]`,
  'IPv4-translated': (a) => `[::ffff:0:${groups(a)}]`, // RFC 6145
  'IPv4-translated, long': (a) => `[0:0:0:0:ffff:0:${groups(a)}]`,
  'local NAT64': (a) => `[64:ff9b:1::${groups(a)}]`,
  Teredo: (a) => `[2001:0:4136:e378:8000:63bf:${groups(a)}]`,
  'ISATAP, link-local': (a) => `[fe80::5efe:${groups(a)}]`,
};

const INNER_V6 = [
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::0:1]',
  '[fc00::1]',
  '[fd12:3456:789a::1]',
  '[fe80::1]',
  '[fe80::1%25lo]',
  '[fe80::1%25eth0]',
  '[::1%25lo]',
  '[fe80::1%lo]',
  '[febf::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[ff05::2]',
  '[100::1]',
  '[2001::1]',
  '[2001:db8::1]',
  '[2001:10::1]',
  '[3fff::1]',
  '[5f00::1]',
  '[64:ff9b:1::1]',
  '[64:ff9b:1:fffe::7f00:1]',
  '[2002:7f00:1::]',
  // Outside of 2000::/3 nothing is given out, whatever it is called.
  '[::7f00:1]',
  '[0:1::1]',
  '[1::1]',
  '[200::1]',
  '[400::1]',
  '[1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
  '[4000::1]',
  '[6000::1]',
  '[8000::1]',
  '[a000::1]',
  '[c000::1]',
  '[e000::1]',
  '[f000::1]',
  '[fe00::1]',
  '[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
  // And inside of it, the ends of what is special.
  '[2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff]',
  '[2001:2::1]',
  '[2001:20::1]',
  '[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]',
  '[2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
  '[3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff]',
];

/** Whole URLs; PORT stands for the listener's. */
const OTHERS = [
  'http://127.0.0.1:PORT/',
  'http://localhost:PORT/',
  'HTTP://LOCALHOST:PORT/',
  'ftp://127.0.0.1:PORT/',
  'file:///etc/passwd',
  'gopher://127.0.0.1:PORT/_x',
  'unix:/var/run/docker.sock',
  'data:text/plain,x',
  'javascript:alert(1)',
  'ws://127.0.0.1:PORT/',
  'https://localhost:PORT/',
  'https://LOCALHOST:PORT/',
  'https://localhost.:PORT/',
  'https://user@127.0.0.1:PORT/',
  'https://user:password@localhost:PORT/',
  'https://public.test@127.0.0.1:PORT/',
  'https://127.0.0.1:PORT@public.test/',
  'https://public.test%40127.0.0.1:PORT/',
  'https://127.0.0.1:PORT#@public.test/',
  'https://127.0.0.1:PORT?@public.test/',
  'https://127.0.0.1:PORT\\@public.test/',
  'https://public.test:443@127.0.0.1:PORT/',
  'https:\\\\127.0.0.1:PORT\\',
  'https:127.0.0.1:PORT/',
  'https:///127.0.0.1:PORT/',
  'https://①②⑦.0.0.1:PORT/',
  'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/',
  'https://ｌｏｃａｌｈｏｓｔ:PORT/',
  'https://local\u00adhost:PORT/',
  'https://127.0.0.1\t:PORT/',
  'https://127.0.\n0.1:PORT/',
  'https://0:PORT/',
  'https://0x:PORT/',
  'https://00000000000:PORT/',
  'https://127.1:PORT/',
  'https://127.0.1:PORT/',
  'https://0x7f.1:PORT/',
  'https://017700000001:PORT/',
  'https://4294967296:PORT/',
  'https://127.0.0.256:PORT/',
  'https://1.2.3.4.5:PORT/',
  'https://127.0.0.1.:PORT/',
  'https://[::1:PORT/',
  'https://[127.0.0.1]:PORT/',
  'https://[::ffff:127.0.0.1.]:PORT/',
  'https://:PORT/',
  'https://%00localhost:PORT/',
  'https://localhost%00.public.test:PORT/',
  'https://-:PORT/',
  'https://inner.test:PORT/',
  'https://INNER.test.:PORT/',
  'https://mixed.test:PORT/',
  'https://metadata.test:PORT/',
  'https://mapped.test:PORT/',
  'https://nat64.test:PORT/',
  'https://inner6.test:PORT/',
  'https://rebind.test:PORT/',
  'https://xn--innr-5qa.test:PORT/',
  'https://translated.test:PORT/',
  'https://compatible.test:PORT/',
  'https://nowhere.test:PORT/',
  'https://empty.test:PORT/',
];

const TABLE: (readonly [what: string, url: string])[] = [
  ...INNER_V4.flatMap((address) =>
    Object.entries(SPELLINGS).map(([name, spell]) => [`${address}, ${name}`, `https://${spell(address)}:PORT/`] as const),
  ),
  ...INNER_V6.map((host) => [host, `https://${host}:PORT/`] as const),
  ...OTHERS.map((url) => [JSON.stringify(url), url] as const),
];

/** What the test's name server answers; a list of lists answers differently each time. */
const ZONE: Record<string, readonly (readonly string[])[]> = {
  'inner.test': [['127.0.0.1']],
  'inner6.test': [['::1']],
  'mixed.test': [['93.184.215.14', '127.0.0.1']],
  'metadata.test': [['169.254.169.254']],
  'mapped.test': [['::ffff:127.0.0.1']],
  'nat64.test': [['64:ff9b::7f00:1']],
  'translated.test': [['::ffff:0:7f00:1']],
  'compatible.test': [['::7f00:1']],
  'xn--innr-5qa.test': [['127.0.0.1']],
  'rebind.test': [['93.184.215.14'], ['127.0.0.1']],
  'empty.test': [[]],
};

const nameServer = createSocket('udp4');
const canary = createServer((socket) => socket.destroy());
const canary6 = createServer((socket) => socket.destroy());
let connections = 0;
let port: number;
let asked: Record<string, number> = {};
let guard: NetworkGuard;

before(async () => {
  for (const server of [canary, canary6]) server.on('connection', () => (connections += 1));
  canary.listen(0, '0.0.0.0');
  await once(canary, 'listening');
  port = (canary.address() as { port: number }).port;
  canary6.listen({ port, host: '::1', ipv6Only: true });
  await Promise.race([once(canary6, 'listening'), once(canary6, 'error')]); // a machine without IPv6 has nothing to reach there
  nameServer.on('message', (query, from) => nameServer.send(answer(query), from.port, from.address));
  nameServer.bind(0, '127.0.0.1');
  await once(nameServer, 'listening');
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${nameServer.address().port}`]);
  guard = new NetworkGuard({ allowPrivateTargets: false, resolve: (name) => resolveBoth(resolver, name) });
});
after(() => {
  canary.close();
  canary6.close();
  nameServer.close();
});

async function resolveBoth(resolver: Resolver, name: string): Promise<Address[]> {
  const four = await resolver.resolve4(name).catch(() => []);
  const six = await resolver.resolve6(name).catch(() => []);
  return [...four.map((address) => ({ address, family: 4 })), ...six.map((address) => ({ address, family: 6 }))];
}

/** One question, answered from the zone: the part of DNS that a resolver needs. */
function answer(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  while (query[at] !== 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
    at += 1 + query[at]!;
  }
  const type = query.readUInt16BE(at + 1);
  const name = labels.join('.').toLowerCase();
  const question = query.subarray(12, at + 5);
  const isV6 = type === 28;
  const turns = ZONE[name];
  const turn = (asked[`${name} ${type}`] = (asked[`${name} ${type}`] ?? 0) + 1);
  const addresses = (turns?.[Math.min(turn, turns.length) - 1] ?? []).filter((address) => address.includes(':') === isV6);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(turns === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.fill(0, 8);
  const records = addresses.map((address) => {
    const data = isV6 ? v6Bytes(address) : Buffer.from(bytes(address));
    const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
    return Buffer.concat([head, data]);
  });
  return Buffer.concat([header, question, ...records]);
}

function v6Bytes(address: string): Buffer {
  const full = address.replace(/(\d+\.\d+\.\d+\.\d+)$/, (v4) => groups(v4));
  const [left = '', right = ''] = full.split('::');
  const parts = (text: string) => text.split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - parts(left).length - parts(right).length }, () => '0');
  const all = full.includes('::') ? [...parts(left), ...zeros, ...parts(right)] : parts(full);
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

test(`none of ${TABLE.length} hostile URLs and names reaches us`, async () => {
  assert.ok(TABLE.length >= 150);
  const transport = new Transport(guard, Date.now);
  const reached: string[] = [];
  for (const [what, text] of TABLE) {
    const before = connections;
    const error = await attempt(transport, text.replaceAll('PORT', String(port)));
    if (connections !== before) reached.push(what);
    assert.ok(['url_not_https', 'dns_error'].includes(error), `${what} ended with ${error}`);
  }
  assert.deepEqual(reached, []);
  assert.equal(connections, 0);
  await transport.close();
});

/** As the engine does it: the URL is checked when it is registered, and everything again when it is used. */
async function attempt(transport: Transport, text: string): Promise<string> {
  let url: URL;
  try {
    url = guard.parseUrl(text);
  } catch (error) {
    assert.ok(error instanceof EngineError);
    return error.detail!;
  }
  await guard.addressesOf(url.hostname).catch(() => {});
  // A name that answered well when it was registered is tried as a delivery: it may answer otherwise now.
  const result = await transport.post({ origin: url.origin, path: url.pathname, body: Buffer.from('{}'), headers: {}, timeoutMs: 1_000 });
  return result.error!;
}

test('the name server that the table relies on answers, and a name that turned bad was good before', async () => {
  asked = {};
  const found = await guard.addressesOf('rebind.test');
  assert.deepEqual(found, [{ address: '93.184.215.14', family: 4 }]);
  await assert.rejects(guard.addressesOf('rebind.test'), { reason: 'private_address' });
});

test('the socket itself refuses an inner address that slipped past every check', async () => {
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object) => void lines.push(fields) };
  const lax = new NetworkGuard({ allowPrivateTargets: false }, log);
  lax.addressesOf = async () => [{ address: '127.0.0.1', family: 4 }]; // as if the check had a hole
  const transport = new Transport(lax, Date.now);
  const result = await transport.post({
    origin: `https://hole.test:${port}`,
    path: '/',
    body: Buffer.from('{}'),
    headers: {},
    timeoutMs: 1_000,
  });
  assert.equal(result.error, 'dns_error', 'nobody outside is told that there is something');
  assert.deepEqual(lines, [{ host: 'hole.test', reason: 'private_address' }]);
  assert.equal(connections, 0);
  await transport.close();
});

test('a redirect to an inner address is not followed; the listener is reached where it is allowed', async () => {
  const redirector = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () =>
      socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:${port}/\r\ncontent-length: 0\r\n\r\n`),
    );
  });
  redirector.listen(0, '127.0.0.1');
  await once(redirector, 'listening');
  const transport = new Transport(new NetworkGuard({ allowPrivateTargets: true }), Date.now);
  const post = (to: number) =>
    transport.post({ origin: `http://127.0.0.1:${to}`, path: '/', body: Buffer.from('{}'), headers: {}, timeoutMs: 1_000 });
  const result = await post((redirector.address() as { port: number }).port);
  assert.deepEqual([result.status, result.error], [307, 'HTTP 307']);
  assert.equal(connections, 0);
  await post(port);
  assert.equal(connections, 1, 'the listener would have noticed');
  await transport.close();
  redirector.close();
});
