import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SourceTextModule, createContext, type Module } from 'node:vm';
import { before, test } from 'node:test';
import { corpus, expected, outcome, OUTCOME_SCRIPT } from '../packages/webhooks/src/corpus.fixture.ts';

const dist = new URL('../packages/webhooks/dist/', import.meta.url);
const built = () => readdirSync(dist).filter((name) => name.endsWith('.js'));

const cases = corpus();

before(() => {
  execFileSync(process.execPath, [fileURLToPath(new URL('build-sdk.mjs', import.meta.url))], { stdio: 'pipe' });
});

test('the built SDK has no dependency and runs where there is nothing but Web APIs', async () => {
  for (const name of built()) {
    for (const [, specifier] of readFileSync(new URL(name, dist), 'utf8').matchAll(/from '([^']+)'/g))
      assert.match(specifier!, /^\.\/\w+\.js$/, `${name} imports ${specifier}`);
  }
  // What an edge runtime has: no process, no Buffer, no require.
  const context = createContext({ crypto, TextEncoder, TextDecoder, Headers, atob, btoa, Uint8Array, Date });
  const modules = new Map<string, SourceTextModule>();
  const load = (name: string): SourceTextModule => {
    let module = modules.get(name);
    if (module === undefined) {
      module = new SourceTextModule(readFileSync(new URL(name, dist), 'utf8'), { context, identifier: name });
      modules.set(name, module);
    }
    return module;
  };
  const sdk = load('index.js');
  await sdk.link((specifier: string): Module => load(specifier.slice(2)));
  await sdk.evaluate();
  const { standard, sign, verify } = sdk.namespace as typeof import('@dialhook/webhooks');
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const headers = await sign(standard, {
    secret,
    body: '{"test": 2432232314}',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
  });
  assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  await verify(standard, { secret, body: '{"test": 2432232314}', headers, now: 1_614_265_330 });
  await assert.rejects(verify(standard, { secret, body: '{"test": 0}', headers, now: 1_614_265_330 }), { code: 'signature_mismatch' });

  // Objects of the other world have other prototypes.
  const plain = async (one: (typeof cases)[number]): Promise<unknown> =>
    JSON.parse(JSON.stringify(await outcome(sdk.namespace as typeof import('@dialhook/webhooks'), one)));
  for (const one of cases) assert.deepEqual(await plain(one), expected(one), one.scheme);
});

test("the built SDK judges the corpus alike in this Node and in the machine's own", (t) => {
  const own = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .map((directory) => join(directory, 'node'))
    .find((path) => existsSync(path));
  const versions = new Map<string, string>();
  for (const path of [process.execPath, ...(own === undefined ? [] : [own])])
    versions.set(execFileSync(path, ['--version'], { encoding: 'utf8' }).trim(), path);
  for (const [version, path] of versions) {
    if (Number(version.slice(1).split('.')[0]) < 20) continue; // older than what the package promises
    const output = execFileSync(path, ['--input-type=module', '-e', OUTCOME_SCRIPT, new URL('index.js', dist).href], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
    });
    assert.deepEqual(JSON.parse(output), cases.map(expected), version);
    t.diagnostic(`${cases.length} cases with Node ${version}`);
  }
});
