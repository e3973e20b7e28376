import { strict as assert } from 'node:assert';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, freshPlace, ServerProcess } from '@dialhook/testing';
import { sign, standard } from '@dialhook/webhooks';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function dialhook(args: readonly string[], env: Record<string, string> = {}, input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

test('every command has help, and a wrong one says how to get it', async () => {
  for (const command of [[], ['serve'], ['dev'], ['migrate'], ['org', 'create'], ['keys', 'create'], ['send'], ['verify'], ['listen']]) {
    const { code, stdout } = await dialhook([...command, '--help']);
    assert.equal(code, 0, command.join(' '));
    assert.match(stdout, /^Usage: dialhook/);
  }
  const wrong = await dialhook(['sned']);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /unknown command 'sned'/);
});

test('verify says yes, or no and why', async () => {
  const secret = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0';
  const headers = Object.entries(await sign(standard, { secret, body: '{"a":1}', id: 'msg_1' })).flatMap(([name, value]) => [
    '--header',
    `${name}: ${value}`,
  ]);
  const args = ['--json', 'verify', '--scheme', 'standard', '--secret', secret, ...headers];
  const good = await dialhook(args, {}, '{"a":1}');
  assert.deepEqual([good.code, (JSON.parse(good.stdout) as { verified: boolean }).verified], [0, true], good.stderr);
  const bad = await dialhook(args, {}, '{"a":2}');
  assert.equal(bad.code, 1);
  assert.deepEqual((JSON.parse(bad.stdout) as { code: string }).code, 'signature_mismatch');
  assert.match(bad.stderr, /^Warning: other users of this machine can see --secret/);
  // From a variable, and from standard input while the body is in a file.
  const quiet = ['--json', 'verify', '--scheme', 'standard', ...headers];
  const fromVariable = await dialhook(quiet, { DIALHOOK_SIGNING_SECRET: secret }, '{"a":1}');
  assert.deepEqual([fromVariable.code, fromVariable.stderr], [0, '']);
  const { dataDir, remove } = await freshPlace('embedded');
  writeFileSync(join(dataDir, 'body'), '{"a":1}');
  const fromInput = await dialhook([...quiet, '--secret', '-', '--body', join(dataDir, 'body')], {}, `${secret}\n`);
  assert.deepEqual([fromInput.code, fromInput.stderr], [0, '']);
  for (const more of [[], ['--secret', '-']]) assert.notEqual((await dialhook([...quiet, ...more], {}, secret)).code, 0);
  await remove();
});

test('listen prints what a terminal would obey as text, and takes secrets from no foreign page', async (t) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const listener = spawn(process.execPath, [MAIN, 'listen', '--port', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => listener.kill());
  let heard = '';
  listener.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString('utf8')));
  await eventually('the receiver listens', () => heard.includes('Listening'));
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const sent = httpRequest(url + path, { method: 'POST', headers });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode, text: await text(response) };
  };
  const hostile = '\u001b]0;owned\u0007\u009b31m\u202eevil\r\u007f';
  await post('/', hostile);
  await post('/', JSON.stringify({ type: `${hostile}\n2099-01-01 forged`, note: hostile }));
  await eventually('both are printed', () => heard.match(/signature: unsigned/g)?.length === 2);
  assert.doesNotMatch(heard, /[^\P{C}\n]/u);
  assert.match(heard, /\\u009b31m\\u202eevil/);
  assert.doesNotMatch(heard, /^2099/m);
  const secret = '{"secret":"whsec_of_somebody_else"}';
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { host: `evil.example:${port}` },
    { host: `evil.example:${port}`, origin: `http://evil.example:${port}` },
  ])
    assert.equal((await post('/secret', secret, headers)).status, 403, JSON.stringify(headers));
  const own = await post('/secret', hostile);
  assert.deepEqual([own.status, own.text.includes('\u001b')], [400, false]);
  for (const headers of [{}, { origin: url }]) assert.equal((await post('/secret', secret, headers)).status, 200);
});

test('a bad configuration is one line', async () => {
  for (const [env, message] of [
    [{ PORT: 'x' }, /^PORT="x" is not valid: a whole number from 0 to 65535\n$/],
    [
      { DATABASE_URL: '', DIALHOOK_PROCESSES: '2' },
      /^DIALHOOK_PROCESSES="2" is not valid: more than 1 needs DATABASE_URL, since the embedded[^\n]+\n$/,
    ],
    [{ DATABASE_URL: 'postgres://127.0.0.1:9/none' }, /^The database does not answer: connect ECONNREFUSED [^\n]+\n$/],
  ] as const) {
    const { code, stderr } = await dialhook(['serve'], { ...env, DIALHOOK_DATA_DIR: (await freshPlace('embedded')).dataDir });
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
});

test('a port that is taken is one line, and nothing is left running', async (t) => {
  const place = await freshPlace('embedded');
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  t.after(async () => {
    blocker.close();
    await place.remove();
  });
  const { port } = blocker.address() as { port: number };
  const { code, stderr, stdout } = await dialhook(['serve'], { ...place.env, DATABASE_URL: '', PORT: String(port) });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^listen EADDRINUSE[^\n]+Another process has the port; set PORT to another one\.\n$/);
});

test('without a server, commands say so', async () => {
  const { code, stderr } = await dialhook(['org', 'create', 'x'], {
    DIALHOOK_URL: 'http://127.0.0.1:9999',
    DIALHOOK_OPERATOR_TOKEN: 'token-token-token',
  });
  assert.equal(code, 1);
  assert.match(stderr, /^No server answers at http:\/\/127\.0\.0\.1:9999 \(ECONNREFUSED\)/);
});

describe('against a running server', () => {
  let place: Awaited<ReturnType<typeof freshPlace>>;
  let server: ServerProcess;
  let env: Record<string, string>;
  before(async () => {
    place = await freshPlace('embedded');
    env = { ...place.env, PORT: String(await freePort()), DATABASE_URL: '', DIALHOOK_ALLOW_PRIVATE_TARGETS: '' };
    server = await ServerProcess.start(env);
  });
  after(async () => {
    await server.stop();
    await place.remove();
  });

  test('org create, keys create and send, with the token that the server left', async () => {
    const org = await dialhook(['--json', 'org', 'create', 'acme', '--credits', '500'], env);
    assert.deepEqual([(JSON.parse(org.stdout) as { credits: number }).credits, org.code], [500, 0], org.stderr);
    const key = await dialhook(['keys', 'create', 'acme', '--kind', 'outboundiq'], env);
    assert.match(key.stdout, /^oiq_/);
    const sent = await dialhook(['send', 'acme', 'campaign.started', '-'], env, '{"a":1}');
    assert.match(sent.stdout, /^Event [0-9a-f-]{36} is stored/);
    const again = await dialhook(['org', 'create', 'acme'], env);
    assert.deepEqual([again.code, again.stderr], [1, 'An organization with the slug acme exists already. (slug_taken)\n']);
    assert.match((await dialhook(['send', 'acme', 'x', '{'], env)).stderr, /not valid JSON/);
  });

  test('strict by default: no private targets', async () => {
    const made = await fetch(`${server.url}/operator/v1/organizations/acme/endpoints`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ dialect: 'standard', url: 'http://127.0.0.1:9/' }),
    });
    assert.equal(made.status, 400);
    assert.match(await made.text(), /must be an https/);
  });

  async function token(): Promise<string> {
    const { readFile } = await import('node:fs/promises');
    return (await readFile(`${place.dataDir}/operator-token`, 'utf8')).trim();
  }
});

test('the first start prints three commands that work as printed, and the second start prints none', async (t) => {
  const place = await freshPlace('embedded');
  const [port, listenPort] = [await freePort(), await freePort()];
  const env = { ...place.env, PORT: String(port), DATABASE_URL: '' };
  let server = await ServerProcess.start(env, 'dev');
  t.after(async () => {
    await server.stop();
    await place.remove();
  });
  const output = await eventually('the steps are printed', () => /3\. Send a list/.test(server.output) && server.output);
  // The listener's port is fixed in the commands; a test must not depend on it being free.
  const commands = [...output.matchAll(/^ {5}((?:curl|seq) .*)$/gm)].map(([, command]) => command!.replaceAll(':8401/', `:${listenPort}/`));
  assert.equal(commands.length, 2);
  const listener = spawn(process.execPath, [MAIN, '--json', 'listen', '--port', String(listenPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => listener.kill());
  let heard = '';
  listener.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString('utf8')));
  await eventually('the receiver listens', () => heard.includes('Listening'));
  for (const command of commands) {
    const shell = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [code] = (await once(shell, 'exit')) as [number];
    assert.equal(code, 0, command);
  }
  await eventually('both webhooks arrived', () => heard.includes('upload.completed'));
  const lines = heard
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { event: string; signature: string });
  assert.deepEqual(
    lines.map(({ event, signature }) => [event, signature]),
    [
      ['webhook.ping', 'unverified: no secret is known yet'],
      ['upload.created', 'verified'],
      ['upload.completed', 'verified'],
    ],
  );
  assert.equal((await fetch(`${server.url}/`)).headers.get('content-security-policy')?.startsWith("default-src 'none'"), true);
  assert.equal(await server.stop(), 0, 'SIGTERM ends it cleanly');
  server = await ServerProcess.start(env, 'dev');
  assert.doesNotMatch(server.output, /od_live_/);
});
