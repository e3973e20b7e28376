import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError, loadConfig, type Environment } from './config.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'dialhook-config-'));
after(() => rmSync(dataDir, { recursive: true }));
const load = (env: Environment = {}) => loadConfig({ DIALHOOK_DATA_DIR: dataDir, ...env });

test('defaults, and keys that are made once with mode 0600', () => {
  const config = load();
  assert.deepEqual(
    [config.host, config.port, config.databaseUrl, config.role, config.publicUrl, config.allowPrivateTargets, config.retryDelayScale],
    ['127.0.0.1', 8400, undefined, 'all', 'http://127.0.0.1:8400', false, 1],
  );
  assert.equal(config.secretKey.length, 32);
  assert.deepEqual(load().secretKey, config.secretKey);
  assert.equal(load().operatorToken, config.operatorToken);
  for (const name of ['secret-key', 'operator-token']) assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600);
});

test('an empty variable is an unset one', () => {
  assert.equal(load({ DATABASE_URL: '', PORT: ' ' }).port, 8400);
});

test('proxies are addresses and networks, and none when it is unset', () => {
  assert.deepEqual(load().trustedProxies, []);
  assert.deepEqual(load({ DIALHOOK_TRUST_PROXY: '127.0.0.1, ::1,10.0.0.0/8 ' }).trustedProxies, ['127.0.0.1', '::1', '10.0.0.0/8']);
});

test('where webhooks may go, and how they get out', () => {
  const { egressProxy, nameServers, noProxy, privateTargets } = load();
  assert.deepEqual([egressProxy, nameServers, noProxy, privateTargets], [undefined, undefined, [], []]);
  const config = load({
    DIALHOOK_PRIVATE_TARGETS: '10.0.0.0/8, fd00:1::/32,192.168.1.7,',
    DIALHOOK_EGRESS_PROXY: 'http://user:p%40ss@[fd00::1]:3128',
    DIALHOOK_NO_PROXY: 'intra.example, .below.example,10.0.0.0/8,*',
    DIALHOOK_NAME_SERVERS: '9.9.9.9,[2620:fe::fe]:53, 127.0.0.1:5353',
  });
  assert.deepEqual(config.privateTargets, ['10.0.0.0/8', 'fd00:1::/32', '192.168.1.7']);
  assert.equal(config.egressProxy, 'http://user:p%40ss@[fd00::1]:3128');
  assert.deepEqual(config.noProxy, ['intra.example', '.below.example', '10.0.0.0/8', '*']);
  assert.deepEqual(config.nameServers, ['9.9.9.9', '[2620:fe::fe]:53', '127.0.0.1:5353']);
});

const REFUSED: [Environment, RegExp][] = [
  [{ PORT: '70000' }, /^PORT="70000" is not valid: a whole number from 0 to 65535$/],
  [{ PORT: '-1' }, /^PORT=/],
  [{ PORT: '80.5' }, /^PORT=/],
  [{ DATABASE_URL: 'mysql://user:secret@x/' }, /^DATABASE_URL="…" is not valid: a URL that begins with postgres:\/\//],
  [{ DIALHOOK_SECRET_KEY: 'short' }, /^DIALHOOK_SECRET_KEY="…" is not valid: 64 hexadecimal characters$/],
  [{ DIALHOOK_OPERATOR_TOKEN: 'short' }, /at least 16 characters/],
  [{ DIALHOOK_OPERATOR_TOKEN: 'with spaces in the token' }, /without spaces/],
  [{ DIALHOOK_PUBLIC_URL: 'hooks.example.com' }, /^DIALHOOK_PUBLIC_URL=/],
  [{ DIALHOOK_PROCESSES: '0' }, /a whole number from 1 to 256$/],
  [{ DIALHOOK_PROCESSES: '2' }, /needs DATABASE_URL, since the embedded database serves one process$/],
  [{ DIALHOOK_ROLE: 'both' }, /one of all, api, worker$/],
  [{ DIALHOOK_ROLE: 'api' }, /needs DATABASE_URL/],
  [{ DIALHOOK_ALLOW_PRIVATE_TARGETS: 'yes' }, /one of true, false$/],
  [{ DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true', HOST: '0.0.0.0' }, /only allowed while HOST is a loopback address/],
  [
    { DIALHOOK_PRIVATE_TARGETS: '10.1.0.0/16, 10.1.0.1/16' },
    /^DIALHOOK_PRIVATE_TARGETS="10.1.0.1\/16" is not valid: addresses or networks/,
  ],
  [{ DIALHOOK_PRIVATE_TARGETS: '0.0.0.0/0' }, /of at most a \/8/],
  [{ DIALHOOK_PRIVATE_TARGETS: '::/0' }, /of at most a \/8/],
  [{ DIALHOOK_PRIVATE_TARGETS: 'intranet' }, /^DIALHOOK_PRIVATE_TARGETS="intranet"/],
  [{ DIALHOOK_EGRESS_PROXY: 'https://us:secret@proxy:3128' }, /^DIALHOOK_EGRESS_PROXY="…" is not valid: http:/],
  [{ DIALHOOK_EGRESS_PROXY: 'proxy:3128' }, /^DIALHOOK_EGRESS_PROXY=/],
  [{ DIALHOOK_EGRESS_PROXY: 'http://proxy/path' }, /without a path$/],
  [{ DIALHOOK_NO_PROXY: 'a.test,http://b.test' }, /^DIALHOOK_NO_PROXY="http:\/\/b.test" is not valid: names/],
  [{ DIALHOOK_NAME_SERVERS: 'ns.example.com' }, /^DIALHOOK_NAME_SERVERS="ns.example.com" is not valid: addresses/],
  [{ DIALHOOK_NAME_SERVERS: '1.1.1.1:99999999' }, /^DIALHOOK_NAME_SERVERS=/],
  [{ DIALHOOK_RETRY_DELAY_SCALE: '0' }, /a number above 0/],
  [{ DIALHOOK_RETRY_DELAY_SCALE: 'fast' }, /a number above 0/],
  [{ DIALHOOK_LOOKUP_URL: 'ftp://x/' }, /^DIALHOOK_LOOKUP_URL=/],
  [{ DIALHOOK_LOG_LEVEL: 'loud' }, /one of trace/],
  [{ DIALHOOK_TRUST_PROXY: 'true' }, /^DIALHOOK_TRUST_PROXY="true" is not valid: IP addresses and networks/],
  [{ DIALHOOK_TRUST_PROXY: '10.0.0.0/33' }, /IP addresses and networks/],
  [{ DIALHOOK_TRUST_PROXY: '127.0.0.1, 0.0.0.0/0' }, /IP addresses and networks/],
  [{ DIALHOOK_TRUST_PROXY: '::/0' }, /IP addresses and networks/],
  [{ DIALHOOK_DATA_DIR: join(dataDir, 'a-file', 'below') }, /^DIALHOOK_DATA_DIR=.*a directory that can be made and written/],
];

for (const [env, message] of REFUSED) {
  test(`${JSON.stringify(env)} is refused in one line that repeats no secret`, () => {
    if (!existsSync(join(dataDir, 'a-file'))) writeFileSync(join(dataDir, 'a-file'), '');
    assert.throws(
      () => load(env),
      (error) =>
        error instanceof ConfigError && message.test(error.message) && !error.message.includes('\n') && !error.message.includes('secret@'),
    );
  });
}
