import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { AUTHORITY, OTHER_HOST, SERVER_KEY, VALID } from '../certificates.fixture.ts';
import { NetworkGuard } from '../guard.ts';
import { Transport } from '../transport.ts';

/** TLS to real servers: sessions that are taken up again, and certificates that are checked every time all the same. */

const CLOSING = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok';
const servers = new Set<tls.Server>();

before(() => tls.setDefaultCACertificates([...tls.getCACertificates('default'), AUTHORITY]));
after(() => {
  for (const server of servers) server.close();
});

/** A receiver that closes behind each answer; says for each connection whether its session was taken up again, and the SNI. */
async function receiver(options: tls.TlsOptions) {
  const seen: { reused: boolean; name: string | false | null }[] = [];
  const server = tls.createServer({ cert: VALID, key: SERVER_KEY, ...options }, (socket) => {
    seen.push({ reused: socket.isSessionReused(), name: (socket as tls.TLSSocket & { servername: string | false | null }).servername });
    socket.on('error', () => {});
    socket.on('data', () => socket.end(CLOSING));
  });
  server.on('tlsClientError', () => {});
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { seen, port: (server.address() as { port: number }).port };
}

function sender() {
  const transport = new Transport(
    new NetworkGuard({ allowPrivateTargets: true, resolve: async () => [{ address: '127.0.0.1', family: 4 }] }),
    Date.now,
  );
  const post = async (host: string, port: number) =>
    (await transport.post({ origin: `https://${host}:${port}`, path: '/', body: Buffer.from('{}'), headers: {}, timeoutMs: 10_000 })).error;
  return { post, close: () => transport.close() };
}

describe('TLS', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}: a session is taken up again, by the same name alone`, async () => {
      const { port, seen } = await receiver({ maxVersion: version, minVersion: version });
      const { close, post } = sender();
      for (let n = 0; n < 3; n++) assert.equal(await post('receiver.test', port), null);
      assert.deepEqual(
        seen.map(({ reused }) => reused),
        [false, true, true],
      );
      assert.equal(seen[0]!.name, 'receiver.test');
      // Another name at the same server does not profit from what was checked for the first.
      assert.equal(await post('receiver2.test', port), 'tls_error');
      assert.equal(await post('receiver2.test', port), 'tls_error');
      await close();
    });

    test(`${version}: a certificate for another host is refused every time, whatever session came with it`, async () => {
      const { port } = await receiver({ cert: OTHER_HOST, maxVersion: version, minVersion: version });
      const { close, post } = sender();
      for (let n = 0; n < 3; n++) assert.equal(await post('receiver.test', port), 'tls_error');
      await close();
    });

    test(`${version}: a server that forgot its sessions costs a handshake and no attempt`, async () => {
      const ticketKeys = Buffer.alloc(48, 1);
      const { port, seen } = await receiver({ maxVersion: version, minVersion: version, ticketKeys });
      const { close, post } = sender();
      await post('receiver.test', port);
      for (const server of servers) if ((server.address() as { port: number }).port === port) server.setTicketKeys(Buffer.alloc(48, 2));
      assert.equal(await post('receiver.test', port), null);
      assert.deepEqual(
        seen.map(({ reused }) => reused),
        [false, false],
      );
      await close();
    });
  }

  test('an address is in no SNI, and its certificate must name it', async () => {
    const { port, seen } = await receiver({});
    const { close, post } = sender();
    assert.equal(await post('127.0.0.1', port), 'tls_error');
    assert.ok(seen.every(({ name }) => name === false || name === null));
    await close();
  });

  test('a server that wants a certificate of ours', async () => {
    const { port } = await receiver({ requestCert: true, rejectUnauthorized: true });
    const { close, post } = sender();
    assert.ok(['tls_error', 'connection_error'].includes(String(await post('receiver.test', port))));
    await close();
  });

  test('further authorities come from NODE_EXTRA_CA_CERTS', async () => {
    const { port } = await receiver({});
    const directory = mkdtempSync(join(tmpdir(), 'authority-'));
    const authority = join(directory, 'authority.pem');
    writeFileSync(authority, AUTHORITY);
    const script = `
      const { NetworkGuard } = await import(${JSON.stringify(import.meta.resolve('../guard.ts'))});
      const { Transport } = await import(${JSON.stringify(import.meta.resolve('../transport.ts'))});
      const guard = new NetworkGuard({ allowPrivateTargets: true, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
      const transport = new Transport(guard, Date.now);
      const { error } = await transport.post({ origin: 'https://receiver.test:${port}', path: '/', body: Buffer.from('{}'), headers: {}, timeoutMs: 20_000 });
      await transport.close();
      console.log(error);`;
    const run = async (env: Record<string, string>) => {
      const args = ['--input-type=module', '--eval', script];
      const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', ...env } });
      return stdout.trim();
    };
    assert.deepEqual(await Promise.all([run({ NODE_EXTRA_CA_CERTS: authority }), run({ NODE_EXTRA_CA_CERTS: '' })]), ['null', 'tls_error']);
    rmSync(directory, { recursive: true });
  });
});
