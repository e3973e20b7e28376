import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { EngineError } from '../core/errors.ts';
import { silentLog } from '../core/log.ts';
import { BlockedTarget, NetworkGuard } from './guard.ts';

const strict = new NetworkGuard({
  allowPrivateTargets: false,
  resolve: async (name) => ANSWERS[name]?.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })) ?? [],
});
const ANSWERS: Record<string, string[]> = {
  'public.example': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'private.example': ['10.1.2.3'],
  'mixed.example': ['93.184.215.14', '127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'mapped.example': ['::ffff:10.0.0.1'],
  'none.example': [],
};

/** URLs that must never be accepted, whatever spelling hides the address. */
const REFUSED = `
http://public.example/ ftp://public.example/ file:///etc/passwd javascript:alert(1) https://user@public.example/ https://user:pass@public.example/
https://127.0.0.1/ https://127.1/ https://2130706433/ https://0x7f000001/ https://0177.0.0.1/ https://0x7f.1/ https://127.0.0.1.:443/ https://0/ https://0.0.0.0/
https://10.0.0.1/ https://172.16.0.1/ https://172.31.255.255/ https://192.168.1.1/ https://169.254.169.254/ https://100.64.0.1/ https://100.127.255.255/
https://192.0.0.1/ https://192.0.2.1/ https://192.88.99.1/ https://198.18.0.1/ https://198.19.255.255/ https://198.51.100.1/ https://203.0.113.1/
https://224.0.0.1/ https://239.255.255.255/ https://240.0.0.1/ https://255.255.255.255/
https://[::]/ https://[::1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/ https://[::127.0.0.1]/ https://[64:ff9b::7f00:1]/ https://[64:ff9b:1::1]/
https://[100::1]/ https://[2001::1]/ https://[2001:db8::1]/ https://[2002:7f00:1::]/ https://[fc00::1]/ https://[fd12:3456::1]/ https://[fe80::1]/ https://[fec0::1]/ https://[ff02::1]/ https://[3fff::1]/ https://[5f00::1]/
https://１２７.０.０.１/ https://①②⑦.0.0.1/ //public.example https:// https:/// not-a-url https://[::1 https://exa mple/`
  .trim()
  .split(/\s+(?=http|ftp|file|javascript|\/\/|not)/);

for (const url of REFUSED) {
  test(`${url} is refused before any connection`, () => {
    assert.throws(
      () => strict.parseUrl(url),
      (error) => error instanceof EngineError && error.code === 'invalid_url',
    );
  });
}

test('a public name and public literals pass; so does any port', async () => {
  for (const url of ['https://public.example/', 'https://93.184.215.14:8443/x?y=z', 'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/'])
    strict.parseUrl(url);
  assert.equal((await strict.addressesOf('public.example')).length, 2);
});

test('one answer that is not public refuses the whole name', async () => {
  for (const name of ['private.example', 'mixed.example', 'metadata.example', 'mapped.example']) {
    await assert.rejects(strict.addressesOf(name), (error) => error instanceof BlockedTarget && error.reason === 'private_address', name);
  }
  await assert.rejects(strict.addressesOf('none.example'), (error) => error instanceof BlockedTarget && error.reason === 'dns_error');
});

test('networks that the operator names may be reached, and no address beside them', async () => {
  const lines: object[] = [];
  const guard = new NetworkGuard(
    {
      privateTargets: ['10.1.0.0/16', '192.168.7.9', 'fd12:3456::/32'],
      resolve: async (name) => [{ address: name === 'inside.example' ? '10.1.2.3' : '10.2.0.1', family: 4 }],
    },
    { ...silentLog, info: (fields) => void lines.push(fields) },
  );
  for (const address of ['10.1.0.0', '10.1.255.255', '192.168.7.9', 'fd12:3456:ffff::1', '93.184.215.14', '2606:2800:21f::1']) {
    assert.ok(guard.isAllowed(address), address);
    assert.equal(guard.blockList(address.includes(':') ? 6 : 4)!.check(address, address.includes(':') ? 'ipv6' : 'ipv4'), false);
  }
  for (const address of [
    '10.0.255.255',
    '10.2.0.0',
    '192.168.7.8',
    '192.168.7.10',
    'fd12:3455:ffff::1',
    'fd12:3457::',
    '::ffff:10.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    'fe80::1%10.1.0.0',
  ])
    assert.equal(guard.isAllowed(address), false, address);
  assert.equal(guard.parseUrl('https://10.1.2.3/').hostname, '10.1.2.3');
  assert.throws(() => guard.parseUrl('http://10.1.2.3/'), { detail: 'url_not_https' });
  await guard.addressesOf('inside.example');
  await assert.rejects(guard.addressesOf('beside.example'), { reason: 'private_address' });
  assert.throws(() => guard.parseUrl('https://10.2.0.1/'), { detail: 'dns_error' });
  assert.deepEqual(lines, [
    { host: 'beside.example', reason: 'private_address' },
    { host: '10.2.0.1', reason: 'private_address' },
  ]);
});

test('the development switch lifts it, and nothing else', () => {
  const open = new NetworkGuard({ allowPrivateTargets: true });
  assert.equal(open.blockList(4), undefined);
  open.parseUrl('http://127.0.0.1:8401/');
  assert.throws(() => open.parseUrl('ftp://127.0.0.1/'));
  assert.throws(() => open.parseUrl('http://user@127.0.0.1/'));
});
